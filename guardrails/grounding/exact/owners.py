"""Whether a value that the claim has is said of something else.

"The dose of ramipril is 10 mg" has its number in "Give ramipril at 5 mg. Give heparin at 10 mg.",
but the sentence that is about all that the claim is about has another.
"""

from __future__ import annotations

from collections.abc import Sequence

from skerry.guardrails.grounding.exact.clauses import Clause, clauses, stretches
from skerry.guardrails.grounding.exact.parts import Part
from skerry.guardrails.words import content_stems

_ALIKE = tuple(
    content_stems(words)
    for words in (
        "cost costs price prices fee fees charge charges pay paid tariff",
        "phone telephone call calls ring extension number dial",
        "time duration minutes hours long takes length lasts",
        "seats places capacity holds people persons",
        "opens opening open from start starts",
        "closes closing close until ends",
    )
)
"""Words that ask for the same column of a table."""

Place = tuple[int, int]
_FAR_MORE = 3
_MOST_PAIRS = 100  # of values of one sentence that are compared: bounds the time


def of_another(said: frozenset[str], holders: Sequence[Part], rivals: Sequence[Part]) -> bool:
    """Whether a rival has all of the claim's words `said` that each holder has (some), and more; or
    `_FAR_MORE` times as many.

    `holders` are the sentences that have the value, `rivals` those that have another of its kind.
    """
    shared = [said & one.stems for one in holders]
    return all(shared) and any(
        all(_is_nearer(said & rival.stems, mine) for mine in shared) for rival in rivals if shared
    )


def _is_nearer(theirs: frozenset[str], mine: frozenset[str]) -> bool:
    return mine < theirs or len(theirs) >= _FAR_MORE * len(mine)


def in_another_place(
    said: frozenset[str], part: Part, held: Sequence[Place], others: Sequence[Place]
) -> bool:
    """Whether one sentence or table row has the value, each time, beside something else.

    `held` are the places of the value in it, `others` those of other values of its kind. In a row
    that is another column's cell, in a sentence another clause: all of one with another value is
    said, and not all of the one that has this value.
    """
    if not held or len(held) * len(others) > _MOST_PAIRS:
        return False
    return all(any(_misplaced(said, part, here, at) for at, _ in others) for here, _ in held)


def _misplaced(said: frozenset[str], part: Part, here: int, there: int) -> bool:
    if row := part.row:
        return _other_column(said, _column(row, here), _column(row, there))
    cut = clauses(part.text)
    mine, theirs = _clause(here, cut), _clause(there, cut)
    return _other_clause(said, mine, theirs) or _other_stretch(said, part.text, here, there)


def _other_column(said: frozenset[str], here: str, there: str) -> bool:
    asked, mine, theirs = _widened(said), content_stems(here), content_stems(there)
    return not asked & (mine - theirs) and bool(asked & (theirs - mine))


def _widened(said: frozenset[str]) -> frozenset[str]:
    return said.union(*(one for one in _ALIKE if one & said))


def _column(row: Sequence[tuple[str, int, int]], at: int) -> str:
    return next((name for name, start, end in row if start <= at < end), "")


def _clause(at: int, cut: Sequence[Clause]) -> Clause:
    return next((one for one in reversed(cut) if one.start <= at), cut[0])


def _other_clause(said: frozenset[str], here: Clause, there: Clause) -> bool:
    mine, theirs = here.stems, there.stems
    return here != there and bool(mine - said) and theirs <= said and bool(theirs - mine)


def _other_stretch(said: frozenset[str], text: str, here: int, there: int) -> bool:
    """The same between commas: "the large tent sleeps 5 and weighs 9 kg" is of no small one."""
    mine, theirs = (said & _clause(at, stretches(text)).stems for at in (here, there))
    return bool(mine) and mine < theirs
