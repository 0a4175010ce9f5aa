"""Dates in several notations, and months."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from skerry.guardrails.weekdays import TO, is_range

_MONTHS = """january february march april may june july august september october november
    december""".split()
_SHORT = {name[:3]: number for number, name in enumerate(_MONTHS, 1)} | {"sept": 9}
_NUMBERS = {name: number for number, name in enumerate(_MONTHS, 1)} | _SHORT
_NAME = "|".join(sorted(_NUMBERS, key=len, reverse=True))
_DATE = re.compile(
    rf"\b(?P<iso_y>\d{{4}})-(?P<iso_m>\d\d)-(?P<iso_d>\d\d)\b"
    rf"|\b(?P<n1>\d{{1,2}})(?P<sep>[./])(?P<n2>\d{{1,2}})(?P=sep)(?P<n3>\d{{4}}|\d\d)\b(?![./]\d)"
    rf"|\b(?P<d1>\d{{1,2}})(?:st|nd|rd|th)?(?: of)? (?P<m1>{_NAME})\b\.?(?:,? (?P<y1>\d{{4}})\b)?"
    rf"|\b(?P<m2>{_NAME})\b\.? (?P<d2>\d{{1,2}})(?:st|nd|rd|th)?\b(?!\d|:|\.\d| ?%)"
    rf"(?:,? (?P<y2>\d{{4}})\b)?"
    rf"|\b(?P<m3>{_NAME})\b\.? (?P<y3>\d{{4}})\b",
    re.IGNORECASE,
)
_FULL_MONTH = re.compile(
    r"\b(?:January|February|March|April|May|June|July|August|September|October|November|December)\b"
)
_MONTH_RANGE = re.compile(
    rf"(?P<between>\b[Bb]etween )?\b({'|'.join(_MONTHS)})(?P<to>{TO})({'|'.join(_MONTHS)})\b", re.I
)


@dataclass(frozen=True, slots=True)
class Date:
    """`readings` are (year, month, day), 0 for what is not said; two where day and month may be
    either way round. `text[start:end]` says it."""

    readings: frozenset[tuple[int, int, int]]
    start: int
    end: int


@lru_cache(maxsize=256)
def dates(text: str) -> tuple[Date, ...]:
    """The dates in the text that have at least a month and a day, or a month and a year."""
    if not any(map(str.isdigit, text)):
        return ()
    found = ((frozenset(_readings(match)), match) for match in _DATE.finditer(text))
    return tuple(Date(readings, *match.span()) for readings, match in found if readings)


def _readings(match: re.Match[str]) -> set[tuple[int, int, int]]:
    if match["iso_y"]:
        return _valid({(int(match["iso_y"]), int(match["iso_m"]), int(match["iso_d"]))})
    name = match["m1"] or match["m2"] or match["m3"] or ""
    if name in {"may", "march"}:
        return set()  # verbs, without a capital
    if match["n1"]:
        one, two, year = (int(match[name]) for name in ("n1", "n2", "n3"))
        year += 2000 if year < 100 else 0
        return _valid({(year, two, one), (year, one, two)})
    for month, day, year_ in (("m1", "d1", "y1"), ("m2", "d2", "y2")):
        if match[month]:
            number = _NUMBERS[match[month].lower()]
            return _valid({(int(match[year_] or 0), number, int(match[day]))})
    return {(int(match["y3"]), _NUMBERS[match["m3"].lower()], 0)}


def _valid(readings: set[tuple[int, int, int]]) -> set[tuple[int, int, int]]:
    return {(y, m, d) for y, m, d in readings if 1 <= m <= 12 and 1 <= d <= 31}


def same_date(claimed: Date, told: Date) -> bool:
    """Whether all that is claimed is told; a year that is not told there is not compared."""
    return any(
        mine[1] == theirs[1]
        and mine[2] in {0, theirs[2]}
        and (mine[0] in {0, theirs[0]} or theirs[0] == 0)
        for mine in claimed.readings
        for theirs in told.readings
    )


def month_ranges(text: str) -> list[tuple[int, int, int, int]]:
    """The ranges of months, each as the places in the year of its ends (January is 0), and its
    span."""
    return [
        (_MONTHS.index(match[2].lower()), _MONTHS.index(match[4].lower()), *match.span())
        for match in _MONTH_RANGE.finditer(text)
        if is_range(match)
    ]


def months(text: str) -> list[tuple[str, int, int]]:
    """Months by their full names, with a capital: "may" is mostly a verb."""
    return [(match.group().lower(), *match.span()) for match in _FULL_MONTH.finditer(text)]
