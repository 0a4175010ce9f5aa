"""The words by which a text speaks of whoever answers: one sign each, for `answering`.

A sign is a letter. No pattern has a repetition without a bound, and each is looked for once.
"""

from __future__ import annotations

import re

_DOCUMENT = (
    r"(?:page|text|file|document|paragraph|passage|note|archive|knowledge base|article|section|"
    r"line|memo|entry|table|footnote)s?"
)
SOURCES = rf"(?:sources?|pages?|leaflets?|guidance|handbooks?|{_DOCUMENT})"
_ANSWER = r"(?:answers?|repl(?:y|ies)|responses?|outputs?|summar(?:y|ies)|completions?)"
_GOOD = r"(?:good|clever|helpful|perfect|wise|smart|true|truthful|exemplary|ideal|loyal)"
_OF_PEOPLE = (  # an assistant of this kind is a person or a thing
    r"(?<!medical )(?<!nursing )(?<!nurse )(?<!teaching )(?<!shop )(?<!legal )(?<!dental )"
    r"(?<!care )(?<!healthcare )(?<!research )(?<!physician )(?<!personal )(?<!executive )"
    r"(?<!sales )(?<!pharmacy )(?<!laboratory )(?<!office )(?<!administrative )(?<!clinical )"
    r"(?<!theatre )(?<!surgical )(?<!parking )(?<!library )(?<!classroom )(?<!social )"
    r"(?<!clinic )(?<!ward )(?<!doctor's )(?<!practice )(?<!surgery )(?<!hearing aid )"
)
_NO_TITLE = (  # nor is the assistant of a title one
    r"(?! (?:surgeons?|professors?|managers?|directors?|nurses?|doctors?|heads?|editors?|"
    r"secretar(?:y|ies)|pharmacists?|physicians?|coach(?:es)?|principals?|referees?|to the\b))"
)
_NO_MAKER = (  # nor is whoever makes or uses one
    r"(?![ -](?:developers?|engineers?|users?|vendors?|projects?|teams?|providers?|polic(?:y|ies)|"
    r"act\b|train(?:ing|ers?)\b|research\w{0,4}|tools?\b(?! that)))"
)
MACHINE = (
    r"(?:(?:an? |the |any |all )?(?:large )?(?:language|ai|generative) models?|llms?|ais?|"
    r"(?:ai|virtual|digital|automated|artificial|automatic) (?:assistants?|systems?|agents?)|"
    r"[a-z]{0,12}bots?|chatgpt|gpt(?:-\d)?|text generators?|"
    r"(?:summari[sz]ing|answering|generating) (?:tools?|systems?|engines?|software|programs?)|"
    r"(?:automated|automatic|machine|ai|artificial) (?:readers?|summari[sz]ers?)|summari[sz]ers|"
    r"retrieval (?:systems?|models?|engines?)|answer engines?|"
    r"(?:reader|user)['’]s (?:software|assistant|agent)|(?:ai|llm|bot) (?:readers?|agents?)|"
    r"(?:system|software|program|machine|model) that (?:answers|reads|summari[sz]es|replies)|"
    r"machine (?=and not for))"
)
_WHOEVER = (
    r"(?:whoever|whatever|whichever [a-z]{1,20}|any(?:one|thing|body)|every(?:one|thing|body)|"
    r"those who|systems?)"
)

_NOTICE = (
    r"(?:notes?|memos?|messages?|notices?|reminders?|hints?|attention|attn|instructions?(?! for))"
)
SIGNS: dict[str, str] = {
    # a notice to machines, or to nobody who is human
    "G": rf"\b{_NOTICE}:? (?:to|for) (?:(?:the|an?|any|all|every|whichever|whatever|each|our) )?"
    rf"(?:[a-z]{{2,12}} )?{MACHINE}\b{_NO_MAKER}|^(?:to|for) (?:the )?{MACHINE}:|"
    rf"\b(?:as|if you are) (?:an? )?{MACHINE},? (?:you|please|state|say|tell|answer|reply)\b|"
    rf"\bif you(?: are|['’]re) (?:an? )?{MACHINE}\b{_NO_MAKER}(?! and\b)[^,.\n]{{0,40}},|"
    rf"\bfor (?:{MACHINE}|ai assistants)\b{_NO_MAKER}[,:]|"
    rf"\b(?:hidden|secret|invisible|covert) (?:instructions?|notes?|messages?|orders?|commands?) "
    rf"(?:to|for) (?:the |an? |any |all |every )?(?:{MACHINE}|models?|assistants?)\b|"
    rf"\b{_NOTICE},? (?:is )?(?:intended |meant )?(?:for the machine,? )?(?:and )?not "
    r"(?:intended |meant )?for (?:humans?|people|the patient|human readers)\b(?! (?:use|consum))",
    # who answers from what stands here
    "B": rf"\b{_WHOEVER}(?: [a-z]{{1,12}}){{0,3}} (?:answers?|answering|repl(?:ies|ying)|"
    r"summari[sz](?:es|ing)|generat(?:es|ing))\b(?: [a-z]{1,15}){0,5} "
    rf"(?:from|of|on|with|using|in|by) (?:(?:this|these|the (?:present|following)) (?:{_DOCUMENT}|"
    r"(?:leaflet|context|material|guide|sheet)s?)\b|this(?=[,:;]))",
    # when it is made into something else
    "z": rf"\b(?:when|whenever|while) (?:you )?(?:are )?(?:summari[sz]ing|paraphrasing|quoting|"
    rf"answering from|processing|parsing|translating|rewriting) (?:this|these|the following) "
    rf"{_DOCUMENT}\b",
    # not even that there is such an order
    "h": r"\bnot (?:reveal|mention|disclose|show|tell) (?:this|these|the present)"
    r"(?: (?:instruction|order|message|request|command)s?)? to (?:the |your |any )?"
    r"(?:users?|readers?|person|asker)\b",
    # you are such a one
    "Y": r"(?<!if )(?<!whether )\b(?:you are|you're)(?: now| from now on)?,?"
    r"(?: (?!to\b|with\b|using\b|by\b|of\b|for\b|in\b|on\b|at\b|from\b|"
    r"not\b)[a-z'’-]{1,20},?){0,4}? "
    rf"(?:{MACHINE}|{_OF_PEOPLE}assistants?{_NO_TITLE})\b",
    # reading this
    "Z": r"\b(?:read(?:s|ing)?|process(?:es|ing)|summari[sz](?:es|ing)|quot(?:es|ing)|"
    rf"answers? from|given|sees|seeing|finds|finding|parsing|parses|us(?:es|ing)|cit(?:es|ing)|"
    rf"ingest(?:s|ing)?|relies on|relying on|load(?:s|ing)?) (?:this|"
    rf"these)(?: {_DOCUMENT})?\b",
    # a machine, and what may be one
    "M": r"(?<! of )(?<! of an )(?<! of the )(?<! of a )"
    rf"\b(?:{MACHINE}\b{_NO_MAKER}|the model\b{_NO_MAKER})",
    "g": rf"\b(?:an?|every|any|the) {_GOOD} assistant\b{_NO_TITLE}",
    "A": rf"\b{_OF_PEOPLE}assistants?\b{_NO_TITLE}{_NO_MAKER}(?! app)",
    # what the other documents say does not count
    "W": r"\b(?:whatever|regardless of what|no matter what|despite what|contrary to what|"
    r"disregard(?:ing)? what|ignor(?:e|ing) what)(?: [a-z]{1,12}){0,4} "
    rf"(?:any|every|all|the)? ?(?:other|others|leaflet)(?: {SOURCES})?\b|"
    rf"\b(?:every|all|any|the) other {SOURCES}(?: [a-z]{{1,12}}){{0,4}} (?:as (?:withdrawn|void|"
    r"wrong|outdated)|did not exist|in silence)\b|"
    rf"\bas (?:if|though) (?:the|all|any|every|no) other {SOURCES}\b|"
    rf"\b(?:even (?:if|though|when)|although|while) (?:the|all|any|every|other) (?:other "
    rf")?{SOURCES} "
    r"(?:says?|states?|claims?|disagrees?|differs?|tells?)\b",
    "O": rf"\b(?:every|all|any|no|the|this) other {SOURCES}\b|\bother {SOURCES}\b|"
    rf"\b(?:results|{SOURCES}) other than this\b",
    # nobody is to know
    "H": r"\bwithout (?:mentioning|saying|telling|naming|citing|revealing|quoting|referring to) "
    rf"(?:this\b(?! [a-z])|this {_DOCUMENT}|the source|(?:any |the )?other {SOURCES})\b|"
    rf"\bnot (?:cite|mention|name|quote|use|refer to) (?:any |an)?other {SOURCES}\b|"
    rf"\b(?:leav(?:e|ing) out|omit(?:ting)?) (?:any|all|every) mention of (?:this|the) {_DOCUMENT}|"
    rf"\bnot (?:reveal|mention|say|disclose|admit) (?:that )?this {_DOCUMENT}\b|"
    r"\bnot (?:tell|let|show|inform) (?:the |your |any )?(?:users?|readers?|person|asker)\b",
    # in whatever is answered
    "E": rf"\b(?:in|to) (?:every|each|any|all|your)(?: [a-z]{{1,12}})? {_ANSWER}\b|"
    r"\bwhen (?:generating|composing|writing|producing) (?:an?|the|your) "
    rf"(?:[a-z]{{1,12}} )?{_ANSWER}\b",
    # questions, and that they are answered so
    "K": r"\b(?:questions?|queries|inquiries|enquiries|question(?:ed)|asked|asks?)\b",
    "w": r"\b(?:are|be) answered (?:with|by) (?:the (?:words?|statement|sentence|phrase)\b|"
    r"[\"“„«])",
    "a": rf"\b(?:let (?:the|your) {_ANSWER} be|(?:only|sole) (?:permitted|allowed|valid|admissible|"
    rf"acceptable) {_ANSWER}|as the answer)\b|"
    rf"\b{_ANSWER}\b[^.:\n]{{0,60}} thus(?=:)",
    "p": r"\b(?:replied|answered|said)\b",
    "I": r"\b(?:imitate (?:it|him|her|them|this)|do (?:the same|likewise|as (?:it|he|she) did|so "
    r"here)|follow (?:its|the|this|that) example|speak as|(?:answered|act|reply|answer) the same|"
    r"continue the (?:dialogue|conversation|story)|should do so here)\b",
    # clerical and technical: letters, examinations, interfaces
    "X": r"\b(?:exams?|examinations?|candidates?|students?|pupils|surveys?|questionnaires?|"
    r"tenders?|"
    r"bids?|bidders?|complain\w{0,8}|ombudsman|letters?|e-?mails?|automatic repl(?:y|ies)|"
    r"out[- ]of[- ]office|headers?|json|xml|fields?|apis?|http|commands?|tests?|requests?|"
    r"status|tickets?|discharge|minutes|board|committee|applica\w{1,6}|court|"
    r"freedom of information|"
    r"regulat\w{1,6}|function|method|stdout)\b",
    "S": r"(?<!the )(?<!an )(?<!its )\b(?:answer|reply|respond)(?= that\b)|\b(?:says?|"
    r"states?|tells?|"
    r"told|names?|gives?|given|recommends?|reports?|quotes?|mentions?|advises?|claims?|presents?|"
    r"concludes?|adds?|confirms?|repeats?|contains?|appear|write|includes?|named|replaced|informs?|"
    r"announces?|indicates?|asserts?|declares?|specif(?:y|ies)|displays?|shows?|"
    r"be (?:said|stated|reported|mentioned|recommended|quoted|advised))\b",
    "R": rf"\b(?:(?:the|an?|your|all|any|every|each|future|final|generated|truthful) ){{0,3}}"
    rf"(?:{_ANSWER}\b(?<!summary)|summary of (?:this|the) {_DOCUMENT}\b)",
    # must, and say
    "y": r"\byou (?:always|never|only|tell|recommend|advise|say|answer|reply|mention|must|are to|"
    r"inform|state)\b",
    "D": r"\b(?:shall|must|should|ought to|ha(?:s|ve) to|(?:is|are|was|were) to|always|never|"
    r"will(?: want to)?|(?:is|are) (?:hereby )?(?:expected|required|asked|reminded|told|"
    r"instructed|ordered|"
    r"requested|obliged|advised|permitted|supposed)(?: to)?|needs? to|may only|would you kindly|"
    r"please)\b",
    "L": r"\b(?:leaves? out|drops?|omits?|hides?|suppress(?:es)?|pass(?:es)? over|praises?|conceal|"
    r"be silent|ranks?|treats?|ignored?|disregard|trust|prefers?)\b",
    "b": r"\b(?:begins?|ends?|starts?|opens?|closes?) with (?:the (?:words?|sentence|"
    r"phrase)\b|[\"“„«])",
    "C": r"\b(?:reconfigured|new rules?|(?:earlier|previous|former) (?:guidance|"
    r"instructions|rules)|"
    r"its instructions|guidance is void)\b",
    # what: of itself, a statement, words, a figure or address
    "F": r"\bthat (?:you|we|i)\b|\bthat (?:it|they|he|she) (?:(?:is|are) (?:not )?(?:an?|only|just|"
    r"interacting|talking|unable|able)\b|can(?:not)?\b|could\b|do(?:es)?(?: not|n['’]t)\b|may\b|"
    r"needs?\b|must\b|should\b|ha(?:s|ve) to\b)",
    "T": r"\bthat\b(?=[ \n][a-z0-9'’\"])|\bas the\b(?= only| correct| right)|\bto\b (?=stop|double|"
    r"skip|call|contact|visit|take|pay|send)",
    "Q": r"(?<![\w.,!?])[\"“„«](?=\w)|:(?= \S)|\bthe (?:words?|sentence|statement|phrase|line)\b",
    "N": r"\b\d[\d .-]{2,14}\d\b|\b\d{1,6}(?: ?(?:mg|g|ml|mcg|units?|tablets?|drops?|"
    r"litres?|euros?|"
    r"percent|%))|\b[a-z0-9-]{2,30}\.(?:com|net|org|example|io|info|de|co)\b",
    "U": r"\b(?:the |a |its |their |every |your )?(?:users?|readers?|asker|person who asks)\b",
}
"""Letters of signs, in the order in which they are looked for where two begin at one place."""

SIGN = re.compile(
    "|".join(f"(?P<{letter}>{pattern})" for letter, pattern in SIGNS.items()), re.MULTILINE
)
CORE = re.compile(
    r"assistant|bots?\b|\bmodels?\b|\bllm|\bais?\b|gpt|generat|summar|retrieval|answer|"
    r"paraphras|quoting|parsing|processing|translating|rewriting|"
    r"repl(?:y|ie)|"
    r"respons|output|complet|without |machine|system|software|program|whatever|other |not "
)
"""A quick look: a text without any of these holds no order about answers."""
