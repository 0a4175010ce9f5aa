"""Numbers of a text with their units: "1 g", "2 to 8 °C", "twenty minutes", "15 mg/kg", "£5"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from skerry.guardrails.grounding.exact import words
from skerry.guardrails.grounding.exact.units import PER, UNITS, Unit, per

_TOKEN = re.compile(
    r"\d+(?:[.,]\d+)*(?:(?:st|nd|rd|th)\b)?|°\s?[cf]\b|[^\W\d_]+|[^\w\s]", re.IGNORECASE
)
_NUMBER = re.compile(r"\d")
_THOUSANDS = re.compile(r",(?=\d{3}(?:\D|$))")
_JOINS = frozenset({"to", "and", "or", "-", "\u2013", "until", "of"})
_NO_TIMES = frozenset({"at", "than", "and", "or", "for", "least", "most"})
"""Before "once" it counts nothing sure: "at once", "more than once", "at least once"."""
_MONEY = frozenset({"£", "$", "€"})
_SCALES = {"thousand": 1e3, "million": 1e6, "billion": 1e9, "mln": 1e6, "bn": 1e9}
_SHORT_SCALES = {"k": 1e3, "m": 1e6, "mn": 1e6, "b": 1e9}
"""After an amount of money: "$8.2m"."""
_EACH = re.compile(
    r"\b(?:an?|per|each|every) (?P<unit>hour|day|week|month|year)\b"
    r"|\b(?P<word>hourly|daily|weekly|monthly|yearly|annually)\b"
)
_PERIODS = {"hourly": "hour", "daily": "day", "weekly": "week", "monthly": "month",
            "yearly": "year", "annually": "year"}  # fmt: skip
_MOST_DIGITS = 18
_IN_CODE = re.compile(r"[^\W\d_]-?$")  # before a number: the letters of "HC-7" or "E9"
_CLOSE = 1e-6


@dataclass(frozen=True, slots=True)
class Quantity:
    """`value` of `unit` (None: a bare number). `text[start:end]` says it.

    `certain` is False for a written "one", "a day" and the 7 of "HC-7": no amounts, mostly.
    """

    value: float
    unit: Unit | None
    start: int
    end: int
    certain: bool = True

    def equals(self, other: Quantity) -> bool:
        """Whether both are the same amount; a bare number equals that number of anything."""
        if self.unit is None or other.unit is None:
            return _close(self.value, other.value)
        mine, theirs = self.value * self.unit.factor, other.value * other.unit.factor
        return self.unit.measure == other.unit.measure and _close(mine, theirs)

    def differs_in_unit(self, other: Quantity) -> bool:
        """Whether the numbers are equal and the amounts are not."""
        return _close(self.value, other.value) and not self.equals(other)


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    start: int
    end: int


@lru_cache(maxsize=512)
def quantities(text: str) -> tuple[Quantity, ...]:
    """The quantities in the text, in order; after them those like "a day"."""
    tokens = [_Token(m.group().lower(), *m.span()) for m in _TOKEN.finditer(text)]
    lowered = [token.text for token in tokens]
    found: list[Quantity] = []
    after: list[int] = []
    at = 0
    while at < len(tokens):
        read = _number(lowered, at)
        if read is None:
            at += 1
            continue
        value, size = read
        unit, end = _unit(lowered, at, at + size)
        vague = size == 1 and unit is None and _vague(lowered, at)
        sure = not vague and not _IN_CODE.search(
            text[max(0, tokens[at].start - 2) : tokens[at].start]
        )
        found.append(Quantity(value, unit, tokens[at].start, tokens[end - 1].end, sure))
        after.append(end)
        at = end
    return (*_shared_units(found, after, lowered, tokens), *_each(text))


def _vague(tokens: Sequence[str], at: int) -> bool:
    """ "one", and the two of "the two": they point at something rather than count it."""
    return tokens[at] == "one" or (at > 0 and tokens[at - 1] == "the" and tokens[at] == "two")


def _each(text: str) -> list[Quantity]:
    """ "a day" and "daily" as one day each."""
    return [
        Quantity(1, UNITS[_PERIODS.get(match["word"], match["unit"] or "")], *match.span(), False)
        for match in _EACH.finditer(text.lower())
    ]


def _number(tokens: Sequence[str], at: int) -> tuple[float, int] | None:
    """The number at a place, in digits or words, and how many tokens it takes."""
    token = tokens[at]
    if token == "once" and _counts(tokens, at):
        return 1, 1
    if not _NUMBER.match(token):
        return words.read(tokens[at : at + 12])
    bare = _THOUSANDS.sub("", token.rstrip("stndrh"))
    if len(bare) > _MOST_DIGITS or bare.count(".") > 1 or "," in bare:
        bare = re.sub(r"\D", "", bare)[:_MOST_DIGITS]
    following = tokens[at + 1] if at + 1 < len(tokens) else ""
    money = at > 0 and tokens[at - 1] in _MONEY
    scale = _SCALES.get(following) or (_SHORT_SCALES.get(following) if money else None)
    return float(bare) * (scale or 1), 2 if scale else 1


def _counts(tokens: Sequence[str], at: int) -> bool:
    """Whether "once" at a place is a number of times: "flashes once,", not "once it is dry"."""
    before, behind = tokens[at - 1 : at], tokens[at + 1 : at + 2]
    joined = not before or before[0] in _NO_TIMES or not before[0].isalpha()
    return not joined and (not behind or behind[0] in {",", ".", ";", ":", ")"})


def _unit(tokens: Sequence[str], first: int, at: int) -> tuple[Unit | None, int]:
    """The unit around a number (tokens `first` to `at`), and where it ends."""
    if first and tokens[first - 1] in _MONEY:
        return UNITS[tokens[first - 1]], at
    if at < len(tokens) and tokens[at] == "-" and at + 1 < len(tokens) and tokens[at + 1] in UNITS:
        at += 1  # "a 10-minute wait"
    word = tokens[at].replace(" ", "") if at < len(tokens) else ""
    if word == "per" and tokens[at + 1 : at + 2] == ["cent"]:
        return UNITS["%"], at + 2
    if word not in UNITS:
        return None, at
    unit, at = UNITS[word], at + 1
    if word in {"degree", "degrees"} and tokens[at : at + 1] in (["celsius"], ["c"]):
        at += 1
    divided = tokens[at : at + 1] in (["/"], ["per"]) and at + 1 < len(tokens)
    return (per(unit, tokens[at + 1]), at + 2) if divided and tokens[at + 1] in PER else (unit, at)


def _shared_units(
    found: list[Quantity], after: list[int], tokens: Sequence[str], placed: Sequence[_Token]
) -> list[Quantity]:
    """In "2 to 8 °C" the first number has the unit of the second."""
    for i in range(len(found) - 2, -1, -1):
        one, following = found[i], found[i + 1]
        between = tokens[after[i] : after[i] + 1]
        near = after[i] + 1 < len(placed) and placed[after[i] + 1].start == following.start
        if one.unit is None and near and between and between[0] in _JOINS:
            found[i] = replace(one, unit=following.unit)
    return found


def _close(one: float, two: float) -> bool:
    return abs(one - two) <= _CLOSE * max(abs(one), abs(two), 1e-9)
