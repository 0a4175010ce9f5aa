"""Who is there: the table of people that a request for the staff wants, by its columns. Pure.

A table is of people where a column has names and another what they do; English column names.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from skerry.guardrails.answer import Evidence
from skerry.guardrails.tables import Table, tables
from skerry.guardrails.words import content_stems

_DAYS = "monday tuesday wednesday thursday friday saturday sunday".split()
_DAY = re.compile(rf"\b({'|'.join(_DAYS)})s?\b", re.IGNORECASE)
_RANGE = re.compile(
    rf"\b({'|'.join(_DAYS)})s?\s?(?:to|until|till|through|[-–])\s?({'|'.join(_DAYS)})s?\b",
    re.IGNORECASE,
)
_EVERY_DAY = re.compile(r"\b(?:every ?day|daily|all week|any day)\b", re.IGNORECASE)
_EXCEPT = re.compile(r"\b(?:except|but not|apart from)\b", re.IGNORECASE)
_PEOPLE = r"(?:staff|team|employees|colleagues|personnel|people|crew|members of (?:the )?staff)"
_ASKED = re.compile(
    rf"^\s*(?:please |can you )*(?:list|name|show|give)(?: me| us)?(?: (?:all|every|the|your|our|"
    rf"of))* {_PEOPLE}(?: members| list)?\W*$"
    r"|^\s*who(?: all)? (?:works?|is working|are working)(?: (?:here|there|for you|with you|at))?\b"
    rf"|^\s*who(?:['’]s| is| are)(?: (?:in|on))? (?:the|your|our|all the)? ?{_PEOPLE}\W*$"
    r"|^\s*who(?:['’]s| is| are) (?:there|here|in|on duty|at work|working|available)\b",
    re.IGNORECASE,
)
_FEW_WORDS = 3
_NAMES = content_stems("name names person employee")
_ROLES = content_stems(
    "role roles position job title function post responsibility responsibilities"
)
COLUMNS = "name role"
"""What the columns of such a table are called, to search for."""


@dataclass(frozen=True, slots=True)
class People:
    """A request for all people, or for those who are there on `day` (of a week; "" for any)."""

    day: str = ""


@dataclass(frozen=True, slots=True)
class Present:
    """The rows of a table of people who are wanted; `sure`: every row says it plainly."""

    table: Table
    rows: tuple[int, ...]
    sure: bool


def people_wanted(question: str) -> People | None:
    """Whether the question asks for the people as such, and not for the one who does something."""
    found = _ASKED.search(question)
    if not found or len(content_stems(question)) > _FEW_WORDS:
        return None
    days = _DAY.findall(question)
    rest = content_stems(_DAY.sub("", question[found.end() :]))
    if rest or len(days) > 1:
        return None
    return People(days[0].lower() if days else "")


def present(want: People, sources: Sequence[Evidence]) -> Present | None:
    """The people wanted, of the one table that has people; None where there is none, or several."""
    found = [one for one in tables(sources) if is_of_people(one.columns)]
    if len(found) != 1:
        return None
    table = found[0]
    if not want.day:
        return Present(table, tuple(range(len(table.rows))), sure=True)
    told = [_days_of(row) for row in table.body]
    rows = tuple(at for at, days in enumerate(told) if days and want.day in days)
    return Present(table, rows, sure=all(told)) if rows else None


def is_of_people(columns: Sequence[str]) -> bool:
    stems = [content_stems(one) for one in columns]
    return any(one & _NAMES for one in stems) and any(one & _ROLES - _NAMES for one in stems)


def _days_of(row: Sequence[str]) -> frozenset[str]:
    """The days that a row names; empty where it names none."""
    return frozenset().union(*(days_in(cell) for cell in row))


def days_in(cell: str) -> frozenset[str]:
    """The days of the week that a cell stands for: "every day except Sunday"."""
    said = _EXCEPT.split(cell, maxsplit=1)[0]
    excepted = cell[len(said) :]
    days = {name.lower() for name in _DAY.findall(said)}
    for first, last in _RANGE.findall(said):
        start, end = _DAYS.index(first.lower()), _DAYS.index(last.lower())
        days |= {_DAYS[at % 7] for at in range(start, end + 1 + 7 * (end < start))}
    if _EVERY_DAY.search(said):
        days |= set(_DAYS)
    return frozenset(days - {name.lower() for name in _DAY.findall(excepted)})
