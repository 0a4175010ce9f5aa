"""Makes one question of two: "When do you open on Saturday?" and "and Sunday?". Pure; English."""

from __future__ import annotations

import re
from dataclasses import dataclass

_DAY = re.compile(
    r"\b(?:mon|tues|wednes|thurs|fri|satur|sun)days?\b|\b(?:weekends?|weekdays?)\b", re.IGNORECASE
)
_GOES_ON = re.compile(
    r"^\s*(?:and|but|or|also|then|so|what about|how about)?,?\s*"
    r"(?P<rest>(?P<how>for|on|at|in|with|without|from|until|by|during|after|before|under|over)\b.*?)"
    r"(?: then)?[?.! ]*$",
    re.IGNORECASE,
)
_ONLY_DAY = re.compile(
    rf"^\s*(?:and |but |or |what about |how about |then )*(?:on |the )*(?P<day>{_DAY.pattern})"
    r"[?.! ]*$",
    re.IGNORECASE,
)
_ASKING = re.compile(
    r"\b(?:what|which|who|when|where|why|how|is|are|was|were|do|does|did|can|could|may|must|should|"
    r"will|would|has|have)\b",
    re.IGNORECASE,
)
_END = re.compile(r"[?.!\s]+$")


@dataclass(frozen=True, slots=True)
class Merged:
    """A question made of two, and what of the first is `kept` in it."""

    text: str
    kept: str


def merged(before: str, question: str) -> Merged | None:
    """One question for both, where the second gives the first another day, or another phrase with a
    preposition; None where that is not plain."""
    if "\n" in before.strip():
        return None
    day, there = _ONLY_DAY.match(question), _DAY.findall(before)
    if day and len(there) == 1:
        return Merged(_DAY.sub(day["day"], before), _DAY.sub("", before))
    found = _GOES_ON.match(question)
    if not found or _ASKING.search(found["rest"]):
        return None
    kept = _without(_END.sub("", before), found["how"])
    return Merged(f"{kept} {found['rest'].strip()}?", kept)


def _without(before: str, how: str) -> str:
    """What comes before the last phrase with the same preposition, if such a phrase ends it."""
    last = re.compile(rf"\s\b{how}\s+(?:\w[\w'’-]*\s*){{1,4}}$", re.IGNORECASE)
    return last.sub("", before) or before
