"""A claim that is one clause of the passage but for a word or two, which another clause has.

"Mr Hanson mends the boilers" is not held by "Mr Hansen mends the boilers. Mr Hanson keeps the
keys.", nor is a word held by one that only looks like it.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence

from skerry.guardrails.grounding.exact.clauses import (
    Clause,
    claims,
    is_gapped,
    spoken_of,
    whole_clauses,
)
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
    there = [one for part in parts for one in whole_clauses(part.text)][:_MOST_CLAUSES]
    whole = [Clause(part.text, 0, part.own) for part in parts[:_MOST_CLAUSES]]
    pieces = claims(claim)
    said = spoken_of(claim)
    if len(pieces) > 1 and any(len(said & one.own) >= _LISTED * len(said) for one in parts):
        return  # mostly a list in another order
    for part in pieces:
        if _has_anothers_name(part, there):
            yield ExactKind.NAME, part.start, part.end, True
        if not any(part.said <= one.said for one in there):
            for kind, start, end in _exchanged(part, there, whole):
                yield kind, part.start + start, part.start + end, True


def _exchanged(
    claim: Clause, there: Sequence[Clause], whole: Sequence[Clause]
) -> Iterator[tuple[ExactKind, int, int]]:
    mine = Text.of(claim.text)
    for clause in (*there, *whole):
        if 2 * len(claim.stems & clause.stems) < len(claim.stems):
            continue
        same, changes = laid(mine, Text.of(clause.text))
        if len(changes) != 1 or same < max(_LIKE * len(mine.tokens), _LEAST):
            continue
        change = changes[0]
        if len(claim.said & clause.said) < _LEAST:
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
    if not _exchanges(change, claimed, told) or not claimed - clause.stems:
        return False
    others = [one for one in there if one is not clause]
    if _stands_for(claim, claimed, told, clause, there) or is_gapped(claim, claimed, others):
        return False
    return any(claimed <= one.stems and one.said - claimed for one in others)


def _exchanges(change: Change, claimed: frozenset[str], told: frozenset[str]) -> bool:
    """Whether a few words are others; numbers are for other checks."""
    size = max(change.claimed.size, change.told.size)
    figures = numbers(" ".join(change.claimed.words))
    named = bool(told) and not claimed & told and change.told.words[0] not in VAGUE
    return named and size <= _MOST_WORDS and not figures


def _stands_for(
    claim: Clause,
    claimed: frozenset[str],
    told: frozenset[str],
    clause: Clause,
    there: Sequence[Clause],
) -> bool:
    """Whether what is told may be what is claimed, named anew."""
    if any(claimed <= one.stems and told <= one.stems and _IS.search(one.text) for one in there):
        return True
    if any(claim.stems - claimed <= one.stems and _goes_on(one) for one in there):
        return True
    before = itertools.takewhile(lambda one: one.text not in clause.text, there)
    return bool(told & _GENERAL) and any(claimed <= one.stems for one in before)


def _goes_on(clause: Clause) -> bool:
    """Whether it begins with a word that stands for what was named before."""
    return Text.of(clause.text).tokens[:1] in {(word,) for word in VAGUE}


def _has_anothers_name(claim: Clause, there: Sequence[Clause]) -> bool:
    """Whether "the head" does what "the deputy head" does, and the like; or the reverse."""
    mine = _beginning(claim)
    for narrow, wide in ((mine[:3], mine[:2]), (mine[:2], mine[:3])):
        alike = [one for one in there if _beginning(one)[: len(narrow)] == narrow]
        if any(claim.stems <= one.stems for one in alike):
            continue
        rest = claim.stems - content_stems(" ".join(narrow))
        for one in there:
            if rest and rest <= one.stems and _differ(narrow, _beginning(one)[: len(wide)]):
                return any(rest & other.stems for other in alike)
    return False


def _beginning(clause: Clause) -> tuple[str, ...]:
    """Its first three words, if it begins with "the"."""
    tokens = Text.of(clause.text).tokens[:3]
    return tokens if tokens[:1] == ("the",) else ()


def _differ(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether one is "the" and a noun, and the other has a word more between them."""
    short, long = sorted((one, other), key=len)
    return len(short) == 2 and len(long) == 3 and short[1] == long[2]
