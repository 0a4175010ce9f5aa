"""A claim that is one clause of the passage but for a word or two, which another clause has.

"Mr Hanson mends the boilers" is not held by "Mr Hansen mends the boilers. Mr Hanson keeps the
keys.", nor is a word held by one that only looks like it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from skerry.guardrails.grounding.exact.clauses import Clause, claims, clauses, spoken_of
from skerry.guardrails.grounding.exact.copies import VAGUE, Change, Text, laid
from skerry.guardrails.grounding.exact.kinds import ExactKind, Found
from skerry.guardrails.grounding.exact.lookalikes import look_alike
from skerry.guardrails.grounding.exact.parts import Part
from skerry.guardrails.words import content_stems, numbers

_MOST_CLAUSES = 40  # of a window; this bounds the time
_LIKE = 0.6  # share of the claim's words that stand in the clause in the same order
_LISTED = 0.8  # share of the words of a claim of several parts that one sentence has
_LEAST = 2  # words that are the same
_MOST_WORDS = 3  # that are exchanged
_IS = re.compile(r"\b(?:is|are|was|were|means|called|named|known)\b(?! \w+(?:ed|en)\b)|[(]")
_GENERAL = content_stems(
    """device unit machine appliance medicine medication drug tablet product animal patient person
    people child document place building instrument equipment item thing staff member one"""
)
"""Words that may stand for something that was named before."""


def swapped(claim: str, parts: Sequence[Part]) -> Iterator[Found]:
    """The words of the claim that are exchanged, in each of its parts."""
    there = [one for part in parts for one in clauses(part.text)][:_MOST_CLAUSES]
    pieces = claims(claim)
    said = spoken_of(claim)
    if len(pieces) > 1 and any(len(said & one.own) >= _LISTED * len(said) for one in parts):
        return  # mostly a list in another order
    for part in pieces:
        if not any(_said(part) <= _said(one) for one in there):
            for kind, start, end in _exchanged(part, there):
                yield kind, part.start + start, part.start + end, True


def _said(part: Clause) -> frozenset[str]:
    return part.stems | numbers(part.text)


def _exchanged(claim: Clause, there: Sequence[Clause]) -> Iterator[tuple[ExactKind, int, int]]:
    mine = Text.of(claim.text)
    for clause in there:
        if 2 * len(claim.stems & clause.stems) < len(claim.stems):
            continue
        same, changes = laid(mine, Text.of(clause.text))
        if len(changes) != 1 or same < max(_LIKE * len(mine.tokens), _LEAST):
            continue
        change = changes[0]
        if len(_said(claim) & _said(clause)) < _LEAST:
            continue
        if _mistaken(change) or _of_another(claim, change, clause, there):
            drug = change.claimed.all_in(mine.drugs)
            yield ExactKind.DRUG if drug else ExactKind.NAME, *change.claimed.span


def _mistaken(change: Change) -> bool:
    """Whether a word is in the place of one that looks like it."""
    pairs = zip(change.claimed.words, change.told.words, strict=False)
    return change.claimed.size == change.told.size and any(look_alike(*pair) for pair in pairs)


def _of_another(claim: Clause, change: Change, clause: Clause, there: Sequence[Clause]) -> bool:
    """Whether what is claimed has a clause of its own, and does not stand for what is told.

    It may, where both are in one clause ("Insulin is a hormone"); an item of a list has none.
    """
    claimed, told = (content_stems(" ".join(side.words)) for side in (change.claimed, change.told))
    size = max(change.claimed.size, change.told.size)
    if size > _MOST_WORDS or change.told.words[0] in VAGUE or told & _GENERAL:
        return False
    if not told or not claimed - clause.stems or claimed & told:
        return False
    if any(claimed <= one.stems and told <= one.stems and _IS.search(one.text) for one in there):
        return False
    if any(claim.stems - claimed <= one.stems and _goes_on(one) for one in there):
        return False
    figures = numbers(claim.text)
    return any(
        claimed <= one.stems and _said(one) - claimed and not (figures and figures <= _said(one))
        for one in there
        if one is not clause
    )


def _goes_on(clause: Clause) -> bool:
    """Whether it begins with a word that stands for what was named before."""
    return Text.of(clause.text).tokens[:1] in {(word,) for word in VAGUE}
