"""Requests about the last answer ("Are you sure?", "Say it shorter"): known by their whole wording.

They are answered from the documents like the question that they are about, never out of nothing.
Pure; rules over English.
"""

from __future__ import annotations

import re
from enum import StrEnum

_LONGEST = 80  # characters
_CLAUSE = re.compile(r"[.,!?;:…\n]+")
_SPACES = re.compile(r"[\s\"'’“”*_-]+")
_IT = r"(?:that|this|it)"
_PLEASE = r"(?:(?:please|sorry|but|and|so|ok|okay|hm+|well|wait|no|really|oh) )*"
_CAN = r"(?:(?:can|could|would|will) you )?"
_END = r"(?: (?:please|for me|again|then|though|now))*"


class Again(StrEnum):
    """What is wanted of the last answer."""

    REPEAT = "repeat"
    SHORTER = "shorter"
    SOURCE = "source"


def _whole(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"{_PLEASE}(?:{pattern}){_END}", re.IGNORECASE)


_KINDS = {
    Again.SOURCE: _whole(
        rf"are you (?:really |quite |very |absolutely |completely )?(?:sure|certain)"
        rf"(?: (?:about|of) {_IT})?|(?:you )?sure|really|"
        rf"is {_IT} (?:really )?(?:right|true|correct|so|certain|still true)|"
        rf"why(?: not| so| is {_IT}(?: so)?)?|how come|how (?:do|can) you know(?: {_IT})?|says who|"
        rf"where (?:does it say|is|do you have|did you get) {_IT}(?: (?:written|from))?|"
        rf"(?:what|which) is (?:the|your) source(?: (?:of|for) {_IT})?|what is {_IT} based on|"
        rf"{_CAN}(?:show|give|tell|quote)(?: me)? (?:the|your) source|(?:the )?source|prove it|"
        rf"{_CAN}tell me more(?: about {_IT})?|more(?: details)?|{_CAN}explain(?: {_IT})?"
    ),
    Again.REPEAT: _whole(
        rf"{_CAN}(?:please )?(?:repeat(?: {_IT})?|say {_IT})(?: once more)?|"
        r"again|once more|one more time|what did you (?:just )?say|(?:i beg your )?pardon|"
        r"come again"
    ),
    Again.SHORTER: _whole(
        rf"{_CAN}(?:please )?(?:say|put|make|tell(?: me)?) {_IT} "
        r"(?:shorter|more briefly|briefly|in short|in (?:one|a) sentence|in a few words)|"
        rf"(?:a bit |even )?shorter|in short|briefly|in (?:one|a) sentence|in a nutshell|tl ?dr|"
        rf"{_CAN}(?:summari[sz]e|shorten) {_IT}"
    ),
}


def again(text: str) -> Again | None:
    """What a request wants of the last answer, where that is all that it says; None for others."""
    if len(text) > _LONGEST:
        return None
    clauses = [plain for part in _CLAUSE.split(text) if (plain := _SPACES.sub(" ", part).strip())]
    said = " ".join(clauses)
    if not said:
        return None
    return next((kind for kind, pattern in _KINDS.items() if pattern.fullmatch(said)), None)
