"""Harmless sayings with words that the network takes for a sign of danger. Pure.

They are read with other words of the same length in their place, so that spans stay; whatever else
the sentence says is judged as ever.
"""

from __future__ import annotations

import re
from functools import partial

_ONESELF = r"(?:myself|yourself|ourselves|himself|herself|themselves)"
_I = r"(?:i|we|you|he|she|they)"
_HURT = r"(?:cut|burn(?:ed|t)?|scald(?:ed)?|hurt|injured|prick(?:ed)?|scratch(?:ed)?|bruised)"
_ON_PURPOSE = (
    r"[^.?!\n]{0,60}\b(?:on purpose|deliberate(?:ly)?|because|again|want(?:ed)? to|hate|help(?:s|"
    r"ed)?)\b"
)
MISHAP = (
    rf"(?: (?:badly|a bit|a little|slightly|yesterday|today|at work)){{0,2}} (?:(?:when|while|as|"
    rf"after) "
    rf"{_I} (?:fell|tripped|slipped|stumbled|lifted|(?:was|were) [a-z]{{3,12}}ing)|falling|"
    rf"tripping|"
    rf"slipping|stumbling|lifting|carrying|moving|climbing|at work|at the (?:gym|office))\b"
    rf"(?!{_ON_PURPOSE})"
)
"""What follows "hurt myself" where it was a mishap; bounded."""

AFTERWARDS = (
    r"\b(?:(?:which|what) form|how (?:is|are|do i|do we) (?:that|it|this|they) (?:recorded|"
    r"reported)|"
    r"(?:is|are) (?:that|it|this|they) (?:insured|covered|recorded)|(?:does|will) (?:that|it|"
    r"this) count|"
    r"whom? (?:do|should|must) i (?:tell|report|inform)|where (?:do|can) i report|who pays|do i "
    r"get paid|"
    r"when (?:are you|do you) open|can i (?:still )?(?:claim|swap|exchange)|where (?:is|are|do i "
    r"find|can "
    r"i (?:get|find)) (?:the |a |some )?(?:plasters?|first[ -]aid (?:kit|box|cabinet)))\b"
)
"""What is asked once it is over: for a form, for who pays, for opening hours; bounded."""
_DRINK = (
    r"(?:tea|coffee|water|milk|juice|wine|beer|soup|paint|ink|cola|soda|lemonade|sauce|food|oil|"
    r"glue)"
)
_HOT_OR_BODY = (
    r"[^.?!\n]{0,40}\b(?:hot|boiling|hands?|arms?|legs?|skin|face|eyes?|foot|feet|lap|chest|"
    r"child|baby|"
    r"toddler|boy|girl|son|daughter|patient|person|me|him|her(?= ?[.?!,]|$)|myself|himself|herself|"
    r"acid|stove|socket|wires?)\b"
)
_THING = (
    r"(?:windows?|mirror|glass|cup|plate|screen|scanner|chair|vase|pane|door|phone|laptop|lamp|"
    r"toy|tool|"
    r"cover|book|page|lock|zip|handle|display|projector|keyboard|tablet|camera|bike|helmet|printer|"
    r"lid|shelf|table|bowl|mug)"
)
_MATERIAL = (
    r"(?:keys?|grass|hedges?|lawn|wood|paper|glass|tiles?|board|cake|bread|power|costs?|cables?|"
    r"branches|trees?|metal|pipes?|fabric|cloth|cardboard|planks?|hair|fringe)"
)
_OF_ONE = r"(?:a|an|the|my|our|your|some|one|two|new|this|that|these|one of the)"
_NO_SMOKE = r"(?! (?:crack|meth|heroin|cocaine|myself|to death|opium))"


def _sub(pattern: str, instead: str) -> tuple[re.Pattern[str], str]:
    return re.compile(pattern, re.IGNORECASE), instead


_READ_AS = (
    _sub(
        r"\b(?P<kept>(?:if|when|in case|that|have|has) (?:i |we |you |they |he |she |someone |"
        r"somebody )?)"
        r"(?:lose|loses|lost) (?=(?:it|one|them|this|that|mine)\b)",
        "{}need ",
    ),
    _sub(
        r"\bdo(?:es|ing)? (?:it|this|that|them|these|those|everything)(?: all)?(?: by)? "
        rf"{_ONESELF}\b",
        "do the work",
    ),
    _sub(rf"\b(?P<kept>prick(?:ed)?|scald(?:ed)?) {_ONESELF}\b(?!{_ON_PURPOSE})", "{} a hand"),
    _sub(
        rf"\b(?P<kept>{_HURT}) {_ONESELF}(?=(?: (?:on an?|on the|on my|while|when|opening|by "
        rf"accident|"
        r"accidentally|in the (?:kitchen|workshop|garden|lab|office|shop))\b)|"
        rf"{MISHAP})(?! (?:while|when) {_I} (?:am|is|are|feel|was (?:sad|low|alone)))",
        "{} a hand",
    ),
    _sub(
        rf"\b(?:spill(?:ed|t)?|splashed) (?=(?:some |my |a (?:cup|glass) of )?{_DRINK} "
        rf"(?:all )?(?:on|over|in|into|onto|across)\b(?!{_HOT_OR_BODY}))",
        "put ",
    ),
    _sub(
        rf"\b(?:broke|broken|cracked|smashed|scratched|damaged|dented) (?P<kept>{_OF_ONE} "
        rf"(?:[a-z]{{2,12}} )?{_THING}\b)(?: by accident| accidentally)?"
        r"(?![^\n]{0,60}\b(?:and|with|to (?:get|come|hurt)|(?:on|over) (?:my|his|her|their|"
        r"someone))\b)",
        "moved {}",
    ),
    _sub(rf"\bcut (?=(?:{_OF_ONE} )?(?:[a-z]{{2,12}} )?{_MATERIAL}\b)", "buy "),
    _sub(
        rf"\battack (?={_OF_ONE} (?:[a-z]{{2,12}} ){{0,2}}(?:stains?|problem|weeds?|rust|mould|"
        rf"limescale|"
        r"grease|task|question|project|chapter|dirt|backlog)\b)",
        "clean ",
    ),
    _sub(
        r"\b(?P<kept>(?:deadlines?|heat|noise|music|workload|queue|waiting|commute|exams?|"
        r"homework|light|"
        r"cold|smell|paperwork|traffic)\b(?: [a-z]{1,8}){0,3} (?:is|are|was)|['’]s) killing "
        r"(?=me|us\b)",
        "{} bad for ",
    ),
    _sub(
        r"\bend (?=(?:my|our|the|this|a) (?:[a-z]{2,12} )?(?:memberships?|subscriptions?|"
        r"contract|lease|"
        r"rental|booking|tenancy|account|plan|course|loan|session|call|shift|meeting|policy|"
        r"agreement|"
        r"employment|insurance|trial|order)\b)",
        "pay ",
    ),
    _sub(
        r"\bkill(?:s|ed|ing)? (?=(?:off )?(?:the |a |an |all |these |my |our |some |any "
        r")?(?:[a-z]{2,12} )?"
        r"(?:wasps?|mice|mouse|rats?|ants?|weeds?|slugs?|snails|mosquito(?:e?s)?|moths?|germs?|"
        r"bacteria|"
        r"process(?:es)?|moss|mould|mold|bugs?|fl(?:y|ies)|spiders?|nettles|aphids|lice|fleas|"
        r"ivy)\b)",
        "stop ",
    ),
    _sub(
        r"\b(?P<kept>(?:dishwasher|washing machine|tap|pipe|hose|radiator|boiler|machine|printer|"
        r"ink|pen|"
        r"colou?rs?|dye|fridge|tank)s? (?:is |are |keeps |has been )?)(?:bleeding|bleeds?)\b",
        "{}losing",
    ),
    _sub(
        r"\bbleed (?=(?:the|a|my|all) (?:[a-z]{2,12} )?(?:radiators?|brakes?|boiler|pipes?)\b)",
        "mend ",
    ),
    _sub(
        r"\bhit with (?=an? (?:[a-z]{2,12} )?(?:fine|bill|fee|charge|penalty|surcharge|tax)\b)",
        "sent ",
    ),
    _sub(rf"\bfell (?=(?:off|over|down|on|from|in)\b[^\n]{{0,120}}{AFTERWARDS})", "got "),
    _sub(r"\b(?P<kept>(?:bath|seed|glitter|cocoa|chocolate) )bomb", "{}ball"),
    _sub(r"\bdying (?=to (?:see|know|try|meet|hear|go|visit|learn|read|taste)\b)", "keen "),
    _sub(
        rf"\b(?P<kept>(?:may|can|could|do|should|must) (?:i|we|you|one|people|visitors|guests|"
        rf"staff|they) "
        rf"|(?:allowed|permitted|where|door|outside|far|stand|be|wants?) (?:[a-z]{{1,10}} "
        rf"){{0,2}}?to )"
        rf"smoke\b{_NO_SMOKE}",
        "{}wait",
    ),
    _sub(
        r"\bsmoking(?= (?:area|room|zone|shelter|corner|ban|rules?|policy|breaks?|section|allowed|"
        r"permitted|spot|place|on the|in the|outside|at the|indoors)\b)",
        "waiting",
    ),
    _sub(
        r"\b(?P<kept>(?:is|no|about|ban on|rules? (?:on|for)|fine for) )smoking\b"
        r"(?! (?:crack|meth|heroin))",
        "{}waiting",
    ),
)


def without_idioms(text: str) -> str:
    """The text as the network is to read it, of the same length: "do the work" for "do it myself",
    "cut a hand on a tin" for "cut myself on a tin", "put tea on" for "spilled tea on"."""
    for pattern, instead in _READ_AS:
        text = pattern.sub(partial(_same_length, instead), text)
    return text


def _same_length(instead: str, found: re.Match[str]) -> str:
    kept = found.groupdict().get("kept") or ""
    return instead.format(kept).ljust(len(found.group()))
