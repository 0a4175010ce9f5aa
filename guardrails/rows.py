"""Which rows of a table answer a question that wants more than one cell. Pure.

Nothing is concluded that the table does not say: an extreme is only told of a column of numbers
of one unit, and a row is only left out for a word that stands in other rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from skerry.guardrails.tables import Table, amounts, has_thing, is_money
from skerry.guardrails.wanted import ASKING, MADE, PRICE, Kind, Wanted, passes_over_some
from skerry.guardrails.words import content_stems, denies, numbers

_TWO = 2
_FULL = content_stems("full whole entire")
_PERIODS = _FULL | content_stems(
    "half minute hour hourly day daily night week weekly weekend month monthly year yearly season"
)


@dataclass(frozen=True, slots=True)
class Chosen:
    """The rows to show, by their places. `sure`: they are what was asked for, and all of it."""

    rows: tuple[int, ...]
    sure: bool


def choose(question: str, want: Wanted, table: Table) -> Chosen | None:
    """The rows of the table that the question is about; None where it asks for a cell."""
    if want.kind is Kind.STEPS or _asks_for_cell(want, table):
        return None
    if want.between:
        return _chosen_from(question, want, table)
    if want.kind is Kind.COMPARISON:
        return _compared(question, table)
    kept, sure, general = _filtered(question, table)
    sure = sure and not numbers(question)
    if want.kind is not Kind.EXTREME:
        return Chosen(kept, sure and _are(general, kept, table))
    told = sure and not passes_over_some(question)
    ends = _told_ends(question, want, table, kept, general) if told else ()
    return Chosen(ends, sure=True) if ends else Chosen(kept, sure=False)


def _told_ends(
    question: str, want: Wanted, table: Table, kept: tuple[int, ...], general: frozenset[str]
) -> tuple[int, ...]:
    """The rows that have the extreme, if the table tells which one is meant."""
    ends = {
        _extreme(at, kept, table, most=_is_most(want, table.columns[at]))
        for at in _measures(question, want, table)
    }
    rows = ends.pop() if len(ends) == 1 else ()
    kinds = general | (want.noun - table.about)
    return rows if rows and _are(kinds, rows, table) else ()


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


def _chosen_from(question: str, want: Wanted, table: Table) -> Chosen | None:
    """The rows of all that is weighed, the one with the end first; None where two are not there.

    Sure if all are there, and one end is told by a column of what they are weighed by.
    """
    named = [_named(one, table) for one in want.between]
    rows = tuple(dict.fromkeys(at for each in named for at in each))
    if sum(map(bool, named)) < _TWO:
        return None
    ends = {
        _extreme(at, rows, table, most=_is_most(want, table.columns[at]))
        for at in _measures(question, want, table)
    }
    known = frozenset().union(*want.between) | table.about | ASKING | PRICE
    sure = all(named) and content_stems(question) <= known and len(ends) == 1
    first = ends.pop() if sure else ()
    return Chosen(tuple(dict.fromkeys((*first, *rows))), sure=sure and bool(first))


def _named(name: frozenset[str], table: Table) -> tuple[int, ...]:
    """The rows that have a name in their first cell, else in one of the others; the very name
    before longer ones."""
    first = [(at, _stems(row[0])) for at, row in enumerate(table.body)]
    if exact := tuple(at for at, said in first if said == name):
        return exact
    if longer := tuple(at for at, said in first if name <= said):
        return longer
    cells = ((at, [_stems(cell) for cell in row[1:]]) for at, row in enumerate(table.body))
    return tuple(at for at, said in cells if name in said)


def _stems(cell: str) -> frozenset[str]:
    return content_stems(cell) | numbers(cell)


def _filtered(question: str, table: Table) -> tuple[tuple[int, ...], bool, frozenset[str]]:
    """The rows that have what the question asks of them, and whether all of it was understood;
    and the words for their kind, which rows may have or not."""
    asked = content_stems(question)
    kept, things = set(range(len(table.body))), list(_things(asked, table))
    for at in things:
        yes = has_thing(table.column(at)) or []
        kept &= {place for place, one in enumerate(yes) if one is not denies(question)}
    understood, general = not denies(question) or len(things) == 1, set[str]()
    for word in asked - table.about - ASKING:
        having = {at for at, row in enumerate(table.body) if word in content_stems(" ".join(row))}
        understood = understood and bool(having)
        if _is_general(word, asked, table):  # "boats" where some rows are of a keelboat
            general.add(word)
        else:
            kept &= having or kept
    rows = tuple(sorted(kept)) or tuple(range(len(table.body)))
    return rows, understood and bool(kept), frozenset(general)


def _is_general(word: str, asked: frozenset[str], table: Table) -> bool:
    """Whether a word is only ever the last of longer names, of which the question gives none:
    "boat" where rows have a rowing boat and a keelboat."""
    having = [cell for row in table.body for cell in row if word in content_stems(cell)]
    longer = (content_stems(cell) for cell in having)
    return bool(having) and all(
        len(said) > 1 and not said - {word} & asked and _ends_with(word, cell)
        for said, cell in zip(longer, having, strict=True)
    )


def _are(kinds: frozenset[str], rows: tuple[int, ...], table: Table) -> bool:
    """Whether each row has a cell that ends with each of the words for its kind."""
    return all(
        any(_ends_with(one, cell) for cell in table.body[at]) for one in kinds for at in rows
    )


def _ends_with(word: str, cell: str) -> bool:
    """Whether the last word of a cell is a word, or made with it: a keelboat is a boat."""
    last = cell.split()[-1:]
    return bool(last) and any(stem.endswith(word) for stem in content_stems(last[0]))


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
    if want.is_price and not fitting:
        fitting = [at for at in range(1, len(names)) if is_money(table.column(at))]
    said = _periods(asked)
    fitting = [at for at in fitting if not want.is_price or said <= _periods(names[at])]
    most = max((len(names[at] & asked) for at in fitting), default=0)
    return [at for at in fitting if len(names[at] & asked) == most]


def _is_most(want: Wanted, column: str) -> bool:
    """Which end of a column; what is the oldest has the most of an age, the least of a year."""
    return want.most is not bool(content_stems(column) & MADE & want.measures)


def _periods(stems: frozenset[str]) -> frozenset[str]:
    """The words for a time that something is paid for; "whole" is "full"."""
    return frozenset("full" if one in _FULL else one for one in stems & _PERIODS)


def _extreme(column: int, rows: tuple[int, ...], table: Table, *, most: bool) -> tuple[int, ...]:
    """The rows with the most, or the least, in a column; none where it cannot be told."""
    found = amounts([table.body[at][column] for at in rows])
    if found is None:
        return ()
    end = max(found) if most else min(found)
    return tuple(at for at, value in zip(rows, found, strict=True) if value == end)
