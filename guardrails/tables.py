"""The tables of a source as rows and columns, and which rows a question is about. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby

from skerry.guardrails.answer import Evidence
from skerry.guardrails.passages import Passage, passages
from skerry.guardrails.words import content_stems

_NUMBER = re.compile(r"[-−]?\d[\d,]*(?:\.\d+)?")
_MONEY = re.compile(r"[€£$¥]|\b(?:euros?|pounds?|dollars?|eur|gbp|usd|chf)\b", re.IGNORECASE)
_MOST_WORDS = 3  # of a unit
YES = frozenset({"yes", "y", "✓", "✔", "x", "true"})
NO = frozenset({"no", "n", "none", "-", "–", "—", "false", ""})


@dataclass(frozen=True)
class Table:
    """A table, or the part of one that a source has: its rows, each a `Passage` with the header.

    `marks` has the mark of the source of each row.
    """

    rows: tuple[Passage, ...]
    marks: tuple[int, ...]
    document: str = ""

    @property
    def header(self) -> str:
        return self.rows[0].header

    @cached_property
    def columns(self) -> tuple[str, ...]:
        return cells(self.header)

    @cached_property
    def body(self) -> tuple[tuple[str, ...], ...]:
        """The cells of each row, as many as there are columns."""
        width = len(self.columns)
        return tuple((*cells(row.text), *[""] * width)[:width] for row in self.rows)

    @cached_property
    def about(self) -> frozenset[str]:
        """The stems of its headings, title and columns."""
        return content_stems(self.rows[0].context)

    def column(self, at: int) -> tuple[str, ...]:
        return tuple(row[at] for row in self.body)

    def of(self, kept: Iterable[int]) -> Table:
        """The table with some of its rows."""
        places = list(kept)
        rows, marks = (
            tuple(self.rows[at] for at in places),
            tuple(self.marks[at] for at in places),
        )
        return replace(self, rows=rows, marks=marks)


def tables(sources: Sequence[Evidence]) -> Iterator[Table]:
    """The tables of the sources; parts of one in several sources of a document are one table."""
    parts = [(source, part) for source in sources for part in _parts(source)]

    def key(one: tuple[Evidence, tuple[Passage, ...]]) -> tuple[str, str, str]:
        source, rows = one
        # without a document's name nothing tells that two sources are of one
        return source.document or str(source.mark), rows[0].about, rows[0].header

    for (document, _, _), group in groupby(sorted(parts, key=key), key):
        found = [(row, source.mark) for source, rows in group for row in rows]
        rows, marks = zip(*dict.fromkeys(found), strict=True)
        yield Table(rows, marks, document)


def _parts(source: Evidence) -> Iterator[tuple[Passage, ...]]:
    for header, rows in groupby(passages(source), key=lambda one: one.header):
        if header and (found := tuple(row for row in rows if not row.is_rule)):
            yield found


def cells(row: str) -> tuple[str, ...]:
    return tuple(cell.strip() for cell in row.strip().strip("|").split("|"))


def amounts(column: Sequence[str]) -> list[float] | None:
    """The numbers of a column whose cells are each one number, of one unit if any; else None."""
    found = [list(_NUMBER.finditer(cell)) for cell in column]
    if not found or any(len(one) != 1 for one in found):
        return None
    units = {_NUMBER.sub("", cell).strip().casefold() for cell in column}
    if len(units) != 1 or len(units.pop().split()) > _MOST_WORDS:
        return None
    return [float(one[0].group().replace(",", "").replace("−", "-")) for one in found]


def is_money(column: Sequence[str]) -> bool:
    """Whether each cell of a column is one amount of money, all of one currency."""
    return amounts(column) is not None and all(_MONEY.search(cell) for cell in column)


def has_thing(column: Sequence[str]) -> list[bool] | None:
    """Which cells of a column of yes and no say yes; None for any other column."""
    said = [cell.casefold().rstrip(".") for cell in column]
    if not all(cell in YES | NO for cell in said):
        return None
    return [cell in YES for cell in said]
