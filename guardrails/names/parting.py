"""Where one name ends and the next begins inside neighbouring words that all count: at commas, bars
and brackets, where what they part is of two classes, and at "and" where it is not one firm. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from skerry.guardrails.names.classifier import Word

Label = Callable[[Sequence[Word]], int]

_MARKS = frozenset(',;|/()[]{}<>:\u2022*"')
_ANDS = frozenset(("and", "or", "und", "et", "y"))
_VERSUS = frozenset(("v", "vs"))


@dataclass(frozen=True, slots=True)
class _Piece:
    """The words [first, last) of a run, after `mark`, of the class `label`."""

    mark: str
    first: int
    last: int
    label: int


def parted(
    run: Sequence[Word], text: str, label: Label, *, firm: int
) -> list[tuple[int, Sequence[Word]]]:
    """The names of a run, each with its class.

    Args:
        label: the class of some words of it.
        firm: the class whose names may have "and" in them.
    """
    pieces = [
        _Piece(mark, first, last, label(run[first:last]))
        for mark, first, last in _pieces(run, text)
    ]
    found: list[_Piece] = []
    for one in _with_partners(pieces, firm):
        if found and _is_one_name(found[-1], one, run, firm):
            found[-1] = replace(found[-1], last=one.last)
        else:
            found.append(one)
    return [(one.label, run[one.first : one.last]) for one in found]


def _pieces(run: Sequence[Word], text: str) -> Iterator[tuple[str, int, int]]:
    """What stands between marks, each with the marks before it; none is empty."""
    mark, first = "", 0
    for at, word in enumerate(run):
        written = text[word.start : word.end]
        wide = at > first and text[run[at - 1].end : word.start] not in ("", " ")
        if wide or _is_mark(written, word, text):
            if at > first:
                yield mark, first, at
                mark = ""
            mark += "\t" if wide else written.casefold()
            first = at if wide else at + 1
            if wide and _is_mark(written, word, text):
                mark, first = written.casefold(), at + 1
    if first < len(run):
        yield mark, first, len(run)


def _is_mark(written: str, word: Word, text: str) -> bool:
    if written in _MARKS:
        return True
    apart = text[max(0, word.start - 1) : word.end + 1].count(" ") == 2
    return apart and written.casefold() in (_ANDS | _VERSUS)


def _with_partners(pieces: Sequence[_Piece], firm: int) -> list[_Piece]:
    """The pieces; those of "Klein, Dony and Colson" are all a firm's where one of them is."""
    made = list(pieces)
    for at in range(len(made) - 2):
        three = made[at : at + 3]
        alone = all(one.last - one.first == 1 for one in three)
        listed = three[1].mark == "," and three[2].mark.strip(",") in _ANDS
        if alone and listed and any(one.label == firm for one in three):
            made[at : at + 3] = [replace(one, label=firm) for one in three]
    return made


def _is_one_name(before: _Piece, after: _Piece, run: Sequence[Word], firm: int) -> bool:
    """Whether two pieces are of one name, or of one line of an address."""
    word = run[after.first]
    letter = after.last - after.first == 1 and word.end - word.start == 1
    if after.mark in (",", ""):
        return letter or before.label == after.label
    return after.mark.strip(",") in _ANDS and before.label == after.label == firm
