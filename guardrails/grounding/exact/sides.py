"""On which side of an event a length of time lies: 15 minutes before it, or after it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from skerry.guardrails.grounding.exact.kinds import ExactKind, Found
from skerry.guardrails.grounding.exact.quantities import Quantity, quantities
from skerry.guardrails.grounding.exact.told import Told

_MEASURES = frozenset({"duration", "months"})
_AFTER = re.compile(
    r"\s(?:(?P<ahead>before|earlier|in advance|ahead of|prior to)|(?P<behind>after|later|past))\b",
    re.IGNORECASE,
)
_EVERY = re.compile(r"\b(?:every|each)\s$", re.IGNORECASE)
_FAR = re.compile(r"\b(?:until|till|up to|later than|at least|more than|over)\s$", re.IGNORECASE)
_CLOSE = re.compile(r"\b(?:within|in|inside|during|less than|under|at most)(?: the)?\s$", re.I)
_REACH = 16  # characters before a value that are looked at
_MOST = 20  # values of a claim: bounds the time


def other_sides(claim: str, told: Told) -> Iterator[Found]:
    """The lengths of time that are told, each time, on the other side of what they are beside."""
    for one in quantities(claim)[:_MOST]:
        mine = _side(claim, one) if one.unit and one.unit.measure in _MEASURES else ""
        if not mine:
            continue
        there = {
            _side(part.text, other)
            for part in told.parts
            for other in part.amounts
            if one.equals(other) and other.unit
        }
        if there and "" not in there and mine not in there:
            yield ExactKind.BOUND, one.start, one.end, True


def _side(text: str, one: Quantity) -> str:
    lead = text[max(0, one.start - _REACH) : one.start]
    found = _AFTER.match(text, one.end)
    if _EVERY.search(lead):
        return "every"
    if found is None:
        return ""
    if found["behind"]:
        return "after"
    if _FAR.search(lead):
        return "until before"
    return "within before" if _CLOSE.search(lead) else "before"
