"""The words of a table's cells: what one row has in a column, and the claim says of another row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from skerry.guardrails.choices import EXTREME
from skerry.guardrails.grounding.exact.clauses import claims, spoken_of
from skerry.guardrails.grounding.exact.kinds import ExactKind, Found
from skerry.guardrails.grounding.exact.parts import Part
from skerry.guardrails.words import numbers

_MOST_ROWS = 40  # of a window; this bounds the time


def cells_of_another_row(claim: str, parts: Sequence[Part]) -> Iterator[Found]:
    """The parts of the claim that name one row, and have a cell of another one in its place."""
    rows = [_stems(part) for part in parts[:_MOST_ROWS] if part.row]
    for piece in claims(claim) if len(rows) > 1 else ():
        named = [row for row in rows if next(iter(row.values())) <= piece.stems]
        others = [row for row in rows if row not in named]
        if len(named) == 1 and any(_exchanged(piece.stems, named[0], other) for other in others):
            yield ExactKind.NAME, piece.start, piece.end, True


def cells_of_another_column(claim: str, parts: Sequence[Part]) -> Iterator[Found]:
    """The parts of the claim that name a row and a column, and have the figures of another column:
    the child's dose as the adult's."""
    rows = [part for part in parts[:_MOST_ROWS] if part.row]
    for piece in claims(claim) if rows else ():
        figures = numbers(piece.text)
        named = [part for part in rows if next(iter(_stems(part).values())) <= piece.stems]
        if figures and any(_is_of_another_column(piece.stems, figures, one) for one in named):
            yield ExactKind.NUMBER, piece.start, piece.end, True


def untold_extremes(claim: str, parts: Sequence[Part]) -> Iterator[Found]:
    """The words of the claim for the end of a column ("the cheapest"), where rows are all there is
    of it: no row says that there is none beyond it."""
    rows = [part for part in parts[:_MOST_ROWS] if part.row]
    for one in EXTREME.finditer(claim) if rows else ():
        if not any(spoken_of(one.group()) <= part.stems for part in parts):
            yield ExactKind.EXTENT, *one.span(), False


def _is_of_another_column(said: frozenset[str], figures: frozenset[str], part: Part) -> bool:
    named = [spoken_of(name) for name, _, _ in part.row]
    told = [numbers(part.text[start:end]) for _, start, end in part.row]
    shared = frozenset(one for names in named for one in names if sum(one in n for n in named) > 1)
    asked = [i for i, names in enumerate(named) if names - shared and names - shared <= said]
    taken = [i for i, one in enumerate(told) if one and one <= figures]
    meant = [i for i in asked if told[i]]
    return bool(meant and taken) and not set(meant) & set(taken)


def _stems(part: Part) -> dict[str, frozenset[str]]:
    """The words of a row's cells by the names of their columns, empty cells left out."""
    told = {name: spoken_of(part.text[start:end]) for name, start, end in part.row}
    return {name: stems for name, stems in told.items() if stems} or {"": frozenset({""})}


def _exchanged(
    said: frozenset[str], row: dict[str, frozenset[str]], other: dict[str, frozenset[str]]
) -> bool:
    """Whether a cell of the other row is said, and of this row neither that nor its own."""
    here = frozenset().union(*row.values())
    return any(
        cell <= said and not cell & here and name in row and not row[name] & said
        for name, cell in list(other.items())[1:]
    )
