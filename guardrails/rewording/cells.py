"""A sentence that says what one cell of a table row has: "The Osprey weighs 31 kg"."""

from __future__ import annotations

from skerry.guardrails.passages import Passage
from skerry.guardrails.words import content_stems, denies, numbers

_LEAST = 4  # letters that "weigh" and "weight" have in common
_SAYS_NOTHING = content_stems("is has costs given made kept")
_ALIKE = tuple(
    content_stems(words) for words in ("cost price fee charge", "phone telephone extension number")
)


def says_a_cell(claim: str, row: Passage) -> bool:
    """Whether a claim names a row and a column, has all of the cell, and nothing else.

    The column must be named by what no other column is: "adult dose" is, "dose" is not.
    """
    cells = row.cells
    if len(cells) < 2 or denies(claim):
        return False
    said, figures = content_stems(claim), numbers(claim)
    name, known = content_stems(cells[0]) - content_stems(row.titles[0]), numbers(cells[0])
    if not (name or known) or not (name <= said and known <= figures):
        return False
    rest = said - content_stems(f"{row.titles[0]} {cells[0]}")
    columns = [_words(title) for title in row.titles[: len(cells)]]
    return any(
        _is_said(rest, figures - known, cell, columns[at], _others(columns, at))
        for at, cell in enumerate(cells)
        if at and cell
    )


def _words(title: str) -> frozenset[str]:
    stems = content_stems(title)
    return stems.union(*(one for one in _ALIKE if one & stems))


def _others(columns: list[frozenset[str]], at: int) -> frozenset[str]:
    return frozenset().union(*(one for i, one in enumerate(columns) if i and i != at))


def _is_said(
    rest: frozenset[str],
    figures: frozenset[str],
    cell: str,
    column: frozenset[str],
    others: frozenset[str],
) -> bool:
    told = content_stems(cell)
    if figures != numbers(cell) or not told <= rest or not (told or figures):
        return False
    names = rest - told
    named = {one for one in names if any(_is_like(one, other) for other in column)}
    own = any(not any(_is_like(one, other) for other in others) for one in named)
    return own and names - named <= _SAYS_NOTHING


def _is_like(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    return one == other or (len(short) >= _LEAST and long.startswith(short))
