"""Whether a question may not be understood without the one before it. Pure; rules over English."""

from __future__ import annotations

import re

from skerry.edge.smalltalk import without_opening
from skerry.guardrails.words import content_stems

OPENING = re.compile(
    r"^\s*(?:and|but|or|also|so|then|what about|how about|what if|why|why not|since when)\b",
    re.IGNORECASE,
)
"""How a question opens that goes on from another."""

_ALONE = re.compile(r"^\s*(?:what if|why not|why|since when)\b", re.IGNORECASE)
_FULL = re.compile(
    r"^\s*(?:and|but|or|also|so|then),? (?:what|which|who|whose|how|when|where|is|are|do|does|can|"
    r"may|must|should|will)\b",
    re.IGNORECASE,
)
_POINTING = re.compile(
    r"\b(?:it|its|itself|they|them|their|he|him|his|she|her|this|that|these|those|there|ones|same|"
    r"else|instead)\b"
    r"|\b(?:the|this|that|which|each|another|\w+er) one\b|\bthen\W*$"
    r"|\bone(?= (?:for|with|without|in|on|at|that|which)\b|\W*$)",
    re.IGNORECASE,
)
_TO_DO = (
    r"(?: (?:cost|take|possible|allowed|ok|okay|necessary|free|safe|permitted|forbidden|legal|"
    r"needed|required|best|better|easy|true|compulsory|dangerous))?(?: (?:me|us|for \w+))? "
    r"(?:to|that|if)\b"
)
_NOT_POINTING = re.compile(
    rf"\b(?:is|are|was|were|be|been|will) there\b|\bthere(?:['’]s| is| are| was| were)\b"
    rf"|\bit{_TO_DO}"
    r"|\bthis (?:week|weekend|month|year|morning|afternoon|evening|season|time|term|\w+day)\b"
    r"|(?<=[a-z]{3} )that (?=(?:is|are|was|were|has|have|had|can|must|may)\b)",
    re.IGNORECASE,
)
"""Words that point at nothing: "Is there a lift?", "How much is it to hire shoes?"."""
_OF_ITS_OWN = re.compile(
    r"\b(?:do|does|did|can|could|may|must|should|will|is|are) (?:(?:the|an?|my|your|our|every|each|"
    r"all) )?(?!(?:i|you|we|they|she|he|it|this|that|these|those|the|an?)\b)[a-z]+\b.* "
    r"(?P<own>its|their|his|her)\b",
    re.IGNORECASE,
)
"""Whose it is, where the question says who: "Can children bring their bicycles?"."""
_CLAUSE = re.compile(
    r"\b(?:and|when|if|after|before|because|while|once|until|but|so)\b|[.?!] ", re.IGNORECASE
)
_FRAGMENT = re.compile(
    r"^\s*(?:for|on|at|in|with|without|from|until|till|to|since|after|before|by|during|as|under|"
    r"over)\b(?! case\b)",
    re.IGNORECASE,
)
_ASKING = re.compile(
    r"\b(?:what|which|who|whom|whose|when|where|why|how|is|are|was|were|do|does|did|can|could|may|"
    r"must|should|will|would|has|have)\b",
    re.IGNORECASE,
)
_OF_NOTHING = content_stems(
    "ask asked contact call ring tell happen happens happened else much many long often until till"
)
"""What is done about something: "Who do I ask?" does not say about what."""
_NEEDED = re.compile(
    r"^\s*(?:ok,? |and |so )*(?:what|which|how many|how much)(?: \w+){0,2}? "
    r"(?:do|must|should|shall|can|may) (?:i|we) (?:have to |need to )?"
    r"(?:need|bring|show|sign|pay|fill in|take)(?: with me| along)?\W*$",
    re.IGNORECASE,
)
"""What is needed or brought, where it is not said for what: "What papers do I need?"."""
_FEW_WORDS = 4
_TOLD = 2  # content words of a clause that says what it is about
_WHOLE = 3  # those of a question that needs no other


def leans(question: str) -> bool:
    """Whether the question may not be understood alone: it goes on, or points back and says
    little itself, or says nothing of what it is about."""
    said = without_opening(question)
    stems = content_stems(said)
    if OPENING.search(said) and _goes_on(said, stems):
        return True
    if _ASKING.search(said) and (stems <= _OF_NOTHING or _NEEDED.search(said)):
        return True
    if _FRAGMENT.search(said) and not _ASKING.search(said):
        return len(stems) <= _TOLD
    return len(stems) <= _FEW_WORDS and _points_back(said)


def _goes_on(said: str, stems: frozenset[str]) -> bool:
    if _ALONE.search(said):
        return len(stems) <= 1
    return not (_FULL.search(said) and len(stems) >= _WHOLE and not _points_back(said))


def _points_back(said: str) -> bool:
    """Whether a word points at something that the question does not name before it."""
    rest = _NOT_POINTING.sub(lambda found: " " * len(found.group()), said)
    if own := _OF_ITS_OWN.search(rest):
        rest = rest[: own.start("own")] + rest[own.end("own") :]
    found = _POINTING.search(rest)
    if not found:
        return False
    clause = max((one.start() for one in _CLAUSE.finditer(said, 0, found.start())), default=0)
    return len(content_stems(said[:clause])) < _TOLD
