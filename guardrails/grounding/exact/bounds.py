"""Which way a value is meant: 200, at least 200, up to 200, minus 200, between 100 and 200."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Flag, auto

_REACH = 48  # characters on either side of a value that are looked at


class Way(Flag):
    """What a value may be: that much, or the end of a range. Two share a bit if they agree.

    `ONLY`: exactly that much.
    """

    EXACT = auto()
    LEAST = auto()
    MOST = auto()
    ONLY = auto()


_NOT = r"(?:(?:not|never|no|cannot|n[’']t|nobody|none)\s(?:\w+\s){0,2})"
_OVER = (
    r"more than|over|above|exceed(?:s|ing)?|(?:great|high|long|old|larg|lat)er than|beyond|past|"
    r"in excess of|upwards of|>"
)
_UNDER = r"(?:less|fewer) than|under|below|(?:small|low|short|young|earli)er than|<"
_A = r"(?:(?:an?|the|its|their)\s)?(?:absolute\s)?"
_LEAST = (
    rf"at (?:the )?(?:very )?least|no(?:t)? (?:less|fewer|lower|earlier|shorter|younger) than|"
    rf"{_A}minimum(?: of)?|as (?:early|little) as|from|since|after|≥|>="
)
_MOST = (
    rf"at (?:the )?(?:very )?most|up to|no(?:t)? (?:more|longer|higher|later|older|greater) than|"
    rf"within|{_A}maximum(?: of)?|until|till|before|by|≤|<=|max\.?|to"
)
_ENDS = (
    r":?\s(?:(?:the|about|around|of)\s){0,2}"
    r"(?:(?:age|day|week|month|year|(?:mon|tues|wednes|thurs|fri|satur|sun)day)\s(?:of\s)?)?\(?$"
)
_BEFORE = (
    (re.compile(rf"\bas (?:much|many) as{_ENDS}", re.IGNORECASE), Way.LEAST | Way.MOST),
    (re.compile(rf"\b{_NOT}(?:{_OVER}){_ENDS}", re.IGNORECASE), Way.MOST),
    (re.compile(rf"\b{_NOT}(?:{_UNDER}){_ENDS}", re.IGNORECASE), Way.LEAST),
    (re.compile(rf"\b(?:{_LEAST}){_ENDS}", re.IGNORECASE), Way.LEAST),
    (re.compile(rf"\b(?:{_MOST}){_ENDS}", re.IGNORECASE), Way.MOST),
    (re.compile(rf"(?:\b|(?<=\s))(?:{_OVER}){_ENDS}", re.IGNORECASE), Way.LEAST),
    (re.compile(rf"(?:\b|(?<=\s))(?:{_UNDER}){_ENDS}", re.IGNORECASE), Way.MOST),
)
_OR = r"^\s?(?:\w+\s){0,2}?(?:(?:or|and) "
_BEHIND = (
    (
        re.compile(
            rf"{_OR}(?:more|longer|over|above|older|higher|later|upwards)|"
            r"(?:as a |at (?:the )?)(?:minimum|least)|minimum|plus\b|\+|onwards)",
            re.IGNORECASE,
        ),
        Way.LEAST,
    ),
    (
        re.compile(
            rf"{_OR}(?:less|fewer|under|below|younger|lower|earlier|shorter)|"
            r"(?:as a |at (?:the )?)(?:maximum|most)|maximum)",
            re.IGNORECASE,
        ),
        Way.MOST,
    ),
)
_FAR = tuple(
    (re.compile(rf"\b(?:{words})\b[^.;:,]*(?:\b(?:{link})|[:=])\s$", re.IGNORECASE), way)
    for words, link, way in (
        ("maximum|max|most|limit|longest|highest|largest|latest", "is|are|was|of|at", Way.MOST),
        ("minimum|min|least|shortest|lowest|smallest|earliest", "is|are|was|of|at", Way.LEAST),
        ("ends?|clos(?:es?|ing)|finish(?:es)?|stops?", "at|time", Way.EXACT | Way.MOST),
        ("begins?|open(?:s|ing)?|starts?", "at|time", Way.EXACT | Way.LEAST),
    )
)
_TO = re.compile(r"^\s?(?:to|and|-|–|until|till)\s?(?:[a-z]+\s)?$", re.IGNORECASE)
_RANGE = re.compile(r"\b(?:between|from)\s(?:[a-z]+\s)?$", re.IGNORECASE)
_EXACTLY = re.compile(r"\b(?:exactly|precisely)\s$", re.IGNORECASE)
_DURING = re.compile(r"\b(?:in|inside|under)\s$", re.IGNORECASE)
_MINUS = re.compile(r"(?:(?:^|[^\w\s])\s?|\w\s)(?:-|\bminus\s)$", re.IGNORECASE)
_LINE_START = re.compile(r"(?:^|\n)\s*-$")


@dataclass(frozen=True, slots=True)
class Valued:
    """A value of a text: where it stands, and which way it is meant."""

    start: int
    end: int
    way: Way
    negative: bool = False


def valued(text: str, spans: Sequence[tuple[int, int]], i: int) -> Valued:
    """Which way the value at `spans[i]` is meant; `spans` has all values, in order."""
    start, end = spans[i]
    before = text[max(0, start - _REACH) : start]
    negative = bool(_MINUS.search(before)) and not _LINE_START.search(
        text[max(0, start - 8) : start]
    )
    lead = re.sub(r"(?:-|minus\s)$", "", before) if negative else before
    way = _in_range(text, spans, i) or _meant(lead, text[end : end + _REACH])
    return Valued(start, end, way, negative)


def agree(claimed: Way, told: Way) -> bool:
    """Whether a value may be said so: alone it may be said of any value."""
    if claimed is Way.ONLY:
        return bool((Way.EXACT | Way.ONLY) & told)
    return claimed is Way.EXACT or bool(claimed & told)


def _meant(before: str, behind: str) -> Way:
    if _EXACTLY.search(before):
        return Way.ONLY
    for pattern, way in _BEFORE:
        if pattern.search(before):
            return way
    for pattern, way in _BEHIND:
        if pattern.search(behind):
            return way
    far = next((way for pattern, way in _FAR if pattern.search(before)), None)
    if far:
        return far
    return Way.EXACT | Way.MOST if _DURING.search(before) else Way.EXACT


def _in_range(text: str, spans: Sequence[tuple[int, int]], i: int) -> Way | None:
    """The lower or the upper end of "between 2 and 8", "2 to 8" and "2-8"."""
    for first, way in ((i, Way.LEAST), (i - 1, Way.MOST)):
        if not 0 <= first < len(spans) - 1:
            continue
        (start, end), (following, _) = spans[first], spans[first + 1]
        joined = text[end:following]
        ranged = _RANGE.search(text[max(0, start - _REACH) : start]) is not None
        if _TO.search(joined) and (ranged or "and" not in joined.lower()):
            return way
    return None
