"""Which rows of a table answer a question that wants more than one cell. Pure.

Nothing is concluded that the table does not say: an extreme is only told of a column of numbers
of one unit, and a row is only left out for a word that stands in other rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from skerry.guardrails.tables import Table, amounts, has_thing
from skerry.guardrails.wanted import ASKING, Kind, Wanted, passes_over_some
from skerry.guardrails.words import content_stems, denies, numbers


@dataclass(frozen=True, slots=True)
class Chosen:
    """The rows to show, by their places. `sure`: they are what was asked for, and all of it."""

    rows: tuple[int, ...]
    sure: bool


def choose(question: str, want: Wanted, table: Table) -> Chosen | None:
    """The rows of the table that the question is about; None where it asks for a cell."""
    if want.kind is Kind.STEPS or _asks_for_cell(want, table):
        return None
    if want.kind is Kind.COMPARISON:
        return _compared(question, table)
    kept, sure = _filtered(question, table)
    sure = sure and not numbers(question)
    if want.kind is not Kind.EXTREME:
        return Chosen(kept, sure)
    if not sure or passes_over_some(question):
        return Chosen(kept, sure=False)
    ends = {_extreme(at, kept, table, most=want.most) for at in _measures(question, want, table)}
    if len(ends) != 1 or not (rows := ends.pop()):
        return Chosen(kept, sure=False)
    return Chosen(rows, sure=True)


def _asks_for_cell(want: Wanted, table: Table) -> bool:
    """Whether what is counted is what a column has a number of: "how many seats"."""
    if want.kind is not Kind.COUNT or not want.noun:
        return False
    return any(
        content_stems(name) & want.noun and amounts(table.column(at)) is not None
        for at, name in enumerate(table.columns)
        if at
    )


def _compared(question: str, table: Table) -> Chosen | None:
    """The rows whose first cell the question names; None where it names fewer than two."""
    asked = content_stems(question) | numbers(question)
    named = [(at, _stems(row[0])) for at, row in enumerate(table.body)]
    named = [(at, name) for at, name in named if name and name <= asked]
    others = [name for _, name in named]
    # "double kayak" names the double kayak, and not the kayak as well
    rows = tuple(at for at, name in named if not any(name < other for other in others))
    return Chosen(rows, sure=True) if len(rows) > 1 else None


def _stems(cell: str) -> frozenset[str]:
    return content_stems(cell) | numbers(cell)


def _filtered(question: str, table: Table) -> tuple[tuple[int, ...], bool]:
    """The rows that have what the question asks of them, and whether all of it was understood."""
    asked = content_stems(question)
    kept, things = set(range(len(table.body))), list(_things(asked, table))
    for at in things:
        yes = has_thing(table.column(at)) or []
        kept &= {place for place, one in enumerate(yes) if one is not denies(question)}
    understood = not denies(question) or len(things) == 1
    for word in asked - table.about - ASKING:
        having = {at for at, row in enumerate(table.body) if word in content_stems(" ".join(row))}
        understood = understood and bool(having)
        kept &= having or kept
    rows = tuple(sorted(kept)) or tuple(range(len(table.body)))
    return rows, understood and bool(kept)


def _things(asked: frozenset[str], table: Table) -> Iterator[int]:
    """The columns of yes and no that the question names."""
    for at, name in enumerate(table.columns):
        stems = content_stems(name)
        if stems and stems <= asked and has_thing(table.column(at)) is not None:
            yield at


def _measures(question: str, want: Wanted, table: Table) -> list[int]:
    """The columns that an extreme may be meant of: those that share most words with the question
    among those of its measure."""
    asked = content_stems(question)
    names = [content_stems(name) for name in table.columns]
    wanted = want.measures or asked
    fitting = [at for at, name in enumerate(names) if at and name & wanted]
    most = max((len(names[at] & asked) for at in fitting), default=0)
    return [at for at in fitting if len(names[at] & asked) == most]


def _extreme(column: int, rows: tuple[int, ...], table: Table, *, most: bool) -> tuple[int, ...]:
    """The rows with the most, or the least, in a column; none where it cannot be told."""
    found = amounts([table.body[at][column] for at in rows])
    if found is None:
        return ()
    end = max(found) if most else min(found)
    return tuple(at for at, value in zip(rows, found, strict=True) if value == end)
