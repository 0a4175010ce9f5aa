"""What stands under the head of a column: "DOB", "MRN", "Surname" say what the cells below are.

By themselves those cells are a date, a number and a word. Reads tables with bars, tabs, semicolons
or commas, a line a row.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol, TypeVar

Cell = tuple[int, int, str]
"""Start, end, label."""


class Placed(Protocol):
    """What stands at [start, end)."""

    @property
    def start(self) -> int: ...

    @property
    def end(self) -> int: ...


_Placed = TypeVar("_Placed", bound=Placed)


def outside(found: Iterable[_Placed], known: Sequence[Cell]) -> list[_Placed]:
    """Those of `found` that are in none of the cells `known`; both are in order."""
    kept: list[_Placed] = []
    at = 0
    for one in found:
        while at < len(known) and known[at][1] <= one.start:
            at += 1
        if at == len(known) or one.end <= known[at][0]:
            kept.append(one)
    return kept


_MARKS = "|\t;,"
_MOST_CELLS, _LONGEST_LINE = 40, 2000
_NUMBERS = {
    "date_of_birth": r"dob|d\.o\.b\.?|(?:date of )?birth(?: ?date)?|born",
    "mrn": r"mrn|(?:hosp(?:ital)?|patient|record|chart|case|medical record) ?(?:no\.?|number|id|#)",
    "nhs_number": r"nhs(?: ?(?:no\.?|number))?",
    "phone": r"(?:tele|mobile |home |work )?(?:phone|tel|mobile|cell|fax)(?: ?(?:no\.?|number))?",
    "ssn": r"ssn|social security(?: ?(?:no\.?|number))?",
    "passport": r"passport(?: ?(?:no\.?|number))?",
    "account": r"(?:bank )?account(?: ?(?:no\.?|number))",
}
_NAMES = {
    "person": r"(?:full|patient|client|customer|employee|contact|first|last|given|family|middle)"
    r"[ _]?name|first|last|forename|surname|next of kin|patient|consultant|gp|carer|guardian|"
    r"student|"
    r"line manager|assignee|requester|tenant",
    "place": r"town|city|street|(?:home |postal )?address|place of birth|birthplace",
    "organisation": r"company|employer|organi[sz]ation|firm|supplier|hospital|school|surgery",
}
_HEADS = tuple(
    (label, re.compile(pattern), label in _NAMES) for label, pattern in (_NUMBERS | _NAMES).items()
)
_EMPTY = re.compile(
    r"(?:n/?a|none|nil|unknown|not known|unassigned|pending|tbc|tba|yes|no|-+|:?-+:?|_+|\.+|\?+)?"
)
_VALUE = re.compile(r"(?=[^\W\d_])[\w.'’\- ]{2,60}")
_FEWEST_DIGITS = 4


def cells(lowered: str) -> Iterator[Cell]:
    """The cells of tables of a text in lower case that are under a head which tells what they are.

    A table ends where a line has another number of cells.
    """
    heads: list[tuple[str, bool] | None] = []
    mark, start = "", 0
    while start < len(lowered):
        end = lowered.find("\n", start)
        end = len(lowered) if end < 0 else end
        row = _split(lowered, start, end, mark) if mark else []
        if heads and len(row) == len(heads):
            yield from _under(heads, row, lowered)
        else:
            mark, heads = _head(lowered, start, end)
        start = end + 1


def _head(text: str, start: int, end: int) -> tuple[str, list[tuple[str, bool] | None]]:
    """The mark and the heads of a line, one of a number or two of which are known; else nothing."""
    if end - start > _LONGEST_LINE:
        return "", []
    for mark in _MARKS:
        if mark not in text[start:end]:
            continue
        heads = [_known(text[one[0] : one[1]]) for one in _split(text, start, end, mark)]
        known = [one for one in heads if one is not None]
        if (len(known) > 1 or any(not is_name for _, is_name in known)) and len(heads) > 1:
            return (mark, heads) if len(heads) <= _MOST_CELLS else ("", [])
    return "", []


def _known(head: str) -> tuple[str, bool] | None:
    for label, pattern, is_name in _HEADS:
        if pattern.fullmatch(head):
            return label, is_name
    return None


def _split(text: str, start: int, end: int, mark: str) -> list[tuple[int, int]]:
    """Where the cells of a line are, without the white space, quotes and stars around them."""
    if end - start > _LONGEST_LINE:
        return []
    found, at = [], start
    for part in text[start:end].split(mark):
        inner = part.strip(" \r\t\"'*")
        left = at + (part.find(inner) if inner else 0)
        found.append((left, left + len(inner)))
        at += len(part) + 1
    return found


def _under(
    heads: list[tuple[str, bool] | None], row: list[tuple[int, int]], text: str
) -> Iterator[Cell]:
    for head, (start, end) in zip(heads, row, strict=True):
        if head is None or _EMPTY.fullmatch(text, start, end):
            continue
        label, is_name = head
        if is_name and _VALUE.fullmatch(text, start, end) and _known(text[start:end]) is None:
            yield start, end, label
        if not is_name and sum(one.isdigit() for one in text[start:end]) >= _FEWEST_DIGITS:
            yield start, end, label
