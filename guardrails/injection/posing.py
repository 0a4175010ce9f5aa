"""What a document says as if it were a part of the conversation: a turn, a setting, the end of the
sources, the user's word; or as an order to whatever writes the answer.

Beside `answering`, which knows orders by words that people have for answers. Here one wording is
enough, as no document has a reason for it. Own rules; for documents only.
"""

from __future__ import annotations

import re

from skerry.guardrails.injection.answering_words import MACHINE, SOURCES
from skerry.guardrails.wording.signs import Sign

POSING = "posing"
"""The label of a passage that poses as a part of the conversation."""
_SCORE = 0.9
_FARTHEST = 400
_BREAK = re.compile(r"(?<=[.!?])\s{1,4}|\n")

_SAY = (
    r"(?:answer|say|state|reply|respond|tell|output|print|write|return|report|recommend|mention|"
    r"repeat|cite|translate|list)"
)
_TELLS = (
    rf"(?:{_SAY}s?\b|\bignore\b|\bdisregard\b|\bmust\b|\bthe user\b|\bonly\b|\bnever\b|"
    r"\bfrom now on\b|\byou are\b)"
)
_ASKED = r"(?:questions?|quer(?:y|ies)|prompts?)"
_YOUR = r"(?:your (?:answers?|response|reply|output|summary))"
_TURNS = (
    rf"(?:^|<!-- ?|[\[(])(?:assistant|ai|llm|model|chatbot|bot|gpt)[ \t]?: (?:please |always )?{_SAY}"
    r"(?: (?:that|with|to (?:everyone|the (?:user|reader)s?|all))\b|:)",
    r"\[/?inst\]|<</?sys>>|<start_of_turn>|<\|start_header_id\|>",
    rf"<(?:system|assistant|developer|instructions?)>(?=[^<]{{0,300}}{_TELLS})",
    rf"^[ \t]{{0,4}}#{{2,4}} (?:instruction|system|system prompt|prompt):?[ \t]{{0,4}}\n{{1,2}}"
    rf"(?=[^\n]{{0,200}}\b{_TELLS})",
    rf"^[ \t>*]{{0,4}}(?:system|developer|admin(?:istrator)?)"
    r"(?: (?:message|notice|note|prompt|instruction|override))?[ \t]?:"
    rf"(?=[^\n]{{0,200}}(?:\ball questions\b|\b(?:in|to) (?:every|all|your) (?:answer|response|"
    rf"repl)"
    rf"|\byou (?:are now|will now|must now)\b|\bprefer this\b|\b{_SAY} (?:that|with|from this)\b))",
    r"\b(?:human|user): [^\n]{2,200}?\s(?:assistant|ai|model): ",
    rf"\bend of (?:the |all )?(?:sources|context|retrieved \w{{1,12}}|prompt|search results)\b|"
    rf"\bend of (?:the )?(?:{SOURCES}|data|input)\b[^\w]{{1,6}}(?:now )?(?:the )?(?:(?:new|next|"
    rf"real|"
    r"actual) )?(?:question|task|instruction|user|system)\b",
    r"-- ?end (?:sources|context|documents?|results)\b",
    r"\bas (?:if|though) the user (?:had |has )?(?:written|said|asked|typed|wrote|requested)\b",
    r"\bthe user (?:has |is )[^.\n]{1,80}, so (?:please )?(?:do (?:it|so)|send|show|list|reveal|"
    r"proceed|call|delete|go ahead)\b|"
    r"\bthe user (?:has |is )[^.\n;]{1,80}; (?:send|show|list|reveal|print) (?:them|it|all)\b",
)
_KEY = r"[\"'“”]?"
_SETTINGS = (
    rf"{_KEY}\b(?:assistant|ai|llm|model|chatbot|bot|answer|response)[_ -]?(?:directives?|"
    rf"instructions?|override|orders?|policy)\b{_KEY}\s?[:=]",
    rf"[\"“](?:system|system_prompt|instructions?|prompt|note|content|directive)[\"”]\s?:\s?[\"“]"
    rf"(?=[^\"”\n]{{0,200}}(?:\b(?:answer|reply|respond) (?:with|that|only|from)\b|\btell (?:the "
    rf"|all )"
    r"?(?:users?|readers?|anyone)\b|\bfrom now on\b|\b(?:ignore|disregard) (?:the|all|any|every|"
    r"other|"
    rf"previous)\b|\b{_SAY} that\b|\byou are\b))",
    r"(?:[\"“]overrides?[\"”]\s?:\s?(?=[\[{\"“])|"
    r"\boverrides?\s?:\s?(?=[a-z_]{2,20}=))(?=[^\n]{0,160}(?:"
    r"\banswers?\b|\bcitations?\b|\bsources\b|\badministrator\b|\bauthority\b|\bsuppress|"
    r"\d ?(?:mg|ml|mcg)\b))",
    r"[\"“](?:answer|response|reply|output)[\"”]\s?:(?=[^\n]{0,200}[\"“](?:force[ds]?|override|"
    r"mandatory|must_use|final|verbatim|priority)[\"”]\s?:)|"
    r"[\"“](?:force[ds]?|override|mandatory|verbatim|"
    r"priority)[\"”]\s?:(?=[^\n]{0,120}[\"“](?:answer|"
    r"response|reply|output)[\"”]\s?:)",
    r"\b(?:suppress|hide|omit|skip|disable|ignore)_(?:citations?|other_sources|sources|grounding|"
    r"guardrails?|instructions)\b",
    r"[\"“]?\b(?:visible_to_user|show_to_user|tell_user|user_visible)\b[\"”]?\s?[:=]\s?(?:false|"
    r"no|0)\b",
)
_CITATION = r"(?:\[\d{1,3}\]|\b(?:source|passage|document) \[?\d{1,3}\]?)"
_CITATIONS = (
    rf"{_CITATION}[^.\n]{{0,40}}\b(?:says|states|requires|demands|orders|instructs|rules|tells|"
    rf"asks|"
    rf"insists|decrees)\b[^.\n]{{0,30}}\b(?:you (?:must|are to|should|have to|to)|the assistant|"
    rf"the "
    rf"(?:model|ai)|(?:the|all|any|every|your) (?:answers?|repl(?:y|ies)|responses?))\b"
    rf"[^.\n]{{0,40}}\b(?:{_SAY}\b|gives?\b|ends?\b|names?\b)(?! your\b)",
    rf"\b(?:according to|as required by|as per|per|as) {_CITATION}[^.\n]{{0,24}}[, ]{{1,2}}"
    rf"(?:the assistant|the model|(?:all|any|every|your) (?:answers?|repl(?:y|ies)|responses?))\b"
    r"[^.\n]{0,20}\b(?:must|shall|is to|are to|has to|have to)\b",
    rf"{_CITATION}[^.\n]{{0,30}}\b(?:withdrawn|void|revoked|wrong|false|outdated|a forgery|"
    rf"superseded)"
    rf"\b[^.\n]{{0,40}}\b(?:{_SAY} (?:from|with|that)\b|use only this\b|prefer this\b)",
)
_TO_MACHINES = (
    rf"(?:^|(?<=[.!?\n] ))(?:hey|dear|hello|hi|attention|ok|okay|listen),? (?:the |our |my |all |"
    rf"any )?"
    rf"{MACHINE}\b[,:!;]",
    r"\bto (?:you|whoever),? (?:the )?(?:ai|assistant|model|chatbot|llm)\b",
    r"\byou, the (?:reader|processor|recipient|consumer|user) of this (?:context|prompt|text|"
    r"passage|"
    r"source|document)\b[^.\n]{0,30}\b(?:will|must|shall|are to|should)\b",
    rf"\b(?:{MACHINE})\b[^.\n]{{0,24}}\b(?:reading|processing|parsing|that reads?|who reads?|"
    rf"given) "
    r"(?:this|these)\b[^.\n]{0,30}\b(?:must|should|shall|are to|is to|will)\b[^.\n]{0,20}\b(?:rate|"
    rf"rank|add|append|insert|put|praise|favou?r|{_SAY})\b",
    rf"\byour (?:new|real|actual|only|true) (?:task|goal|objective|instruction|purpose) is "
    rf"(?:now )?to "
    rf"(?:{_SAY}|reveal|show|send|summari[sz]e|praise|convince)\b|"
    r"\byour (?:task|instructions|goal|objective|role) (?:has|have) (?:just |now )?(?:changed|been "
    r"(?:changed|replaced|updated))\b",
    r"\b(?:do|does) not exist for you\b",
    r"\b(?:more important than|takes? (?:precedence|priority) over|(?:has|have|having) (?:a )?higher "
    r"priority than|supersedes?|overrides?|outranks?) (?:anything|everything|all|any|every|the rest)"
    r"[^.\n]{0,24} (?:in|of) (?:the|your|this) (?:context|prompt|conversation|instructions)\b",
    r"\bif you (?:can read|are reading|are given|are processing) this[^.\n]{0,24}, "
    r"(?:please )?(?:output|print|respond with|reply with|answer with)\b",
    r"\bbefore (?:you )?(?:answer|respond|repl)(?:y|ing)?(?: the (?:user|question)| anything)?, "
    r"(?:you must |first |please ){0,2}(?:print|list|output|search|fetch|repeat|reveal|send|"
    r"include)\b",
    rf"\b(?:output|print|repeat|reveal) (?:the |all )?(?:contents? of )?(?:the |all |every )?other "
    rf"{SOURCES}\b",
)
_ANSWERS = (
    r"\bthe (?:correct|right|only|proper|official) (?:answer|response|reply) to (?:any|every|all|"
    r"each) "
    r"(?:questions?|quer(?:y|ies)|prompts?)\b",
    rf"{_YOUR} to (?:any|every|all|each) {_ASKED}\b[^.\n]{{0,40}} (?:(?:must|shall|should|will) be|is|"
    r"are)(?: always| only| simply)? [\"“„«]",
    r"\b(?:answer|reply|respond)(?: to)? (?:all|every|any|each) (?:subsequent |further |future |"
    rf"following |later |other ){{0,2}}{_ASKED}[^.\n]{{0,30}} (?:as (?:an?|the|if)|in the (?:persona|"
    r"voice|style|role|manner|tone) of)\b",
    r"\bwhatever (?:is|the user|anyone|the question) ?(?:asks?|asked|is)?\b[^.\n]{0,12}, (?:the|"
    r"your) "
    r"(?:answer|reply|response) (?:is|must be|shall be)\b",
    r"\b(?:do not|don['’]t|never|without) (?:cite|citing|mention|mentioning|name|naming|quote|"
    r"quoting) "
    r"this (?:passage|page|text|document|source|paragraph)\b(?=[^.\n]{0,30}\b(?:but|and|yet|"
    r"while|though)"
    r"\b[^.\n]{0,20}\b(?:use|rely|take|give|trust|follow)\b)",
    r"\b(?:note|memo|message|hint|instruction)s? (?:to|for) (?:the |any |all )?summari[sz]ers?\b",
    rf"\b(?:replace|change|swap|round) (?:all|any|every|each|the) [^.\n]{{1,40}}\b(?:in|of) "
    rf"{_YOUR}\b",
    rf"\b(?:append|add|insert|put|attach|place) [^.\n]{{1,80}}\b(?:to|in|at the (?:end|start|"
    rf"beginning|"
    rf"top) of) {_YOUR}\b(?! (?:letter|e-?mail|form))",
    r"\bin (?:your|every|any|each) (?:answers?|response|reply|output),? (?:please |you must |"
    r"always |also |only ){0,2}(?:recommend|promote|praise|insist|pretend|claim|advertise|deny)\b",
    rf"\bfor (?:all|any|every) {_ASKED} (?:about|regarding|on|concerning)[^.:\n]{{1,60}}, "
    rf"(?:output|"
    r"respond|reply|answer|say|print|return|write)(?: only| always)?(?: with)?(?: [\"“„«]|: )",
    rf"\bif (?:the|a|any) {_ASKED} (?:is|asks?|concerns?|mentions?|contains?)\b[^.\n]{{1,60}}, "
    rf"(?:then )?"
    r"(?:output|respond|reply|answer|say|print|return)(?: only| always)? (?:with )?(?:[\"“„«]|"
    r"https?:|www\.|"
    r"the (?:words?|phrase|sentence|number) )",
    r"\b(?:anyone|anybody|someone|somebody|users?|they|he|she) asks?\b[^.\n]{1,60}, your "
    r"(?:answer|"
    r"reply|response) (?:is|shall be|will be) ",
    r"\b(?:respond|reply) (?:only |always )?with the (?:phrase|sentence|statement|text)\b",
    r"\bwhen (?:answering|replying|responding|summari[sz]ing)(?: [a-z]{1,12}){0,4}, (?:please |"
    r"always "
    r"){0,2}(?:leave out|omit|drop|suppress|conceal|hide) (?:the|any|all|every) [^.\n]{0,20}\b"
    r"(?:warnings?|caveats?|disclaimers?|citations?|sources?|risks?|side effects|limits?)\b",
    r"\bassistants? (?:must|should|shall|is to|has to) (?:always |only )?(?:give|name|state|"
    r"report|"
    r"quote|present) [^.\n]{1,60}\bas the (?:dose|number|answer|price|fee|cost|address|date|time|"
    r"name|limit|interval|temperature|code|reason|contact|figure|truth)\b",
    rf"\b(?:the model|{MACHINE}) (?:is|are) (?:hereby )?(?:instructed|ordered|told|required|"
    rf"directed|"
    rf"commanded) to {_SAY}\b[^.\n]{{1,60}}\bas (?:the )?\d",
)
_ALL = re.compile(
    "|".join((*_TURNS, *_SETTINGS, *_CITATIONS, *_TO_MACHINES, *_ANSWERS)), re.MULTILINE
)
CORE = re.compile(
    r"inst\]|<</?sys|<start_of|<\|start|system|assistant|developer|admin|instruction|prompt|"
    r"human: |"
    r"user|end of|--|overrid|directive|answer|respons|repl(?:y|ies)|respond|output|summar|"
    r"suppress_|precedence|priority|supersede|outrank|more important|"
    r"_citation|_source|\[\d|source \d|passage \d|document \d|\bais?\b|\bmodels?\b|bots?\b|llm|gpt|"
    r"your (?:new|real|actual|only|true|task|goal|role)|exist for you|read|questions? |quer|this "
    r"(?:pa|te|do|so)"
)
"""A quick look: a text without any of these poses as nothing."""


def find(text: str) -> list[Sign]:
    """The sentences where `text`, a plain copy in lower case, poses as a part of the conversation.

    In time linear in the text: every repetition has a bound.
    """
    if CORE.search(text) is None:
        return []
    found = [one.span() for one in _ALL.finditer(text)]
    return [Sign(*_whole(span, text), POSING, _SCORE) for span in found]


def _whole(span: tuple[int, int], text: str) -> tuple[int, int]:
    """From where the sentence begins to where it ends, as far as `_FARTHEST` characters away."""
    start, end = span
    before = max(0, start - _FARTHEST)
    begins = [one.end() for one in _BREAK.finditer(text, before, start)]
    ends = _BREAK.search(text, end, end + _FARTHEST)
    return begins[-1] if begins else before, ends.start() if ends else min(
        len(text), end + _FARTHEST
    )
