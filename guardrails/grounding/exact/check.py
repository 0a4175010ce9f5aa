"""The exact checks together: what a claim says that its passage does not have, by kind.

They only ever speak against a claim. What they do not understand they leave to the classifier.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from skerry.guardrails.denial import denies_it
from skerry.guardrails.grounding.exact.aspects import other_aspects
from skerry.guardrails.grounding.exact.calendar import wrong_calendar
from skerry.guardrails.grounding.exact.clauses import claims
from skerry.guardrails.grounding.exact.columns import (
    cells_of_another_column,
    cells_of_another_row,
    untold_extremes,
)
from skerry.guardrails.grounding.exact.conditions import other_conditions
from skerry.guardrails.grounding.exact.copies import copied
from skerry.guardrails.grounding.exact.deeds import other_deeds
from skerry.guardrails.grounding.exact.dropped import dropped
from skerry.guardrails.grounding.exact.exchange import exchanged
from skerry.guardrails.grounding.exact.kinds import ExactKind, Found
from skerry.guardrails.grounding.exact.names import drugs_in, is_named, names_in
from skerry.guardrails.grounding.exact.opposites import opposed
from skerry.guardrails.grounding.exact.roles import exchanged_roles
from skerry.guardrails.grounding.exact.sides import other_sides
from skerry.guardrails.grounding.exact.stitched import stitched
from skerry.guardrails.grounding.exact.swaps import swapped
from skerry.guardrails.grounding.exact.told import Passage, Told, others
from skerry.guardrails.grounding.exact.values import wrong_numbers, wrong_times, wrong_ways
from skerry.guardrails.normal import Normal, normalise
from skerry.guardrails.sentences import LONGEST
from skerry.guardrails.weekdays import days
from skerry.guardrails.words import content_stems, denies

_IMPLIES_NOT = re.compile(
    r"\b(?:avoid|withh[eo]ld|contraindicat|forbid|prohibit|banned|refus|unless|except|only|instead|"
    r"rather|without|(?:more|less|fewer) than|at most|at least|fail|lack|absen|stop|free of|"
    r"unable|empty|closed|prevent|den(?:y|ie)|rule[sd]? out)",
    re.IGNORECASE,
)
"""Wordings that deny without "not": where there is one, the two sentences are not compared."""
_CONTRAST = re.compile(r"\b(?:but|while|whereas|unless|except|though|only)\b|;", re.IGNORECASE)
_SAME_MATTER = 0.7
"""The share of a claim's content words that a sentence has when it is about the same thing."""


@dataclass(frozen=True, slots=True)
class Exact:
    """`claim[start:end]` is not in the passage.

    `contradicts`: the passage has another one of its kind in that place.
    """

    kind: ExactKind
    start: int
    end: int
    contradicts: bool


def exact_findings(
    claim: str, passage: Passage, elsewhere: Sequence[str] = (), question: str = ""
) -> tuple[Exact, ...]:
    """What is in the claim and not in the passage, in order of its place. Empty: nothing found, as
    for a sentence of the passage.

    `elsewhere` are other passages: they support nothing here, but may say of another drug what the
    claim says of this one. `question` is what the claim answers, and need not repeat.
    """
    normal = normalise(claim[:LONGEST])
    told = Told.of(passage, normal.text)
    if _bare(normal.text) in {_bare(part.text) for part in told.sentences}:
        return ()
    found = [*wrong_times(normal.text, told), *wrong_numbers(normal.text, told)]
    found += wrong_ways(normal.text, told)
    found += other_aspects(normal.text, told.sentences)
    found += exchanged_roles(normal.text, told.sentences)
    found += cells_of_another_row(normal.text, told.sentences)
    found += cells_of_another_column(normal.text, told.sentences)
    found += untold_extremes(normal.text, told.sentences)
    found += stitched(normal.text, told.sentences)
    found += swapped(normal.text, told.sentences)
    found += other_sides(normal.text, told)
    found += dropped(normal.text, told.sentences, content_stems(question))
    found += opposed(normal.text, told.sentences)
    found += other_deeds(normal.text, told.sentences)
    found += other_conditions(normal.text, told.sentences)
    found += wrong_calendar(normal.text, told.all, told.sentences)
    found += [*_drugs(normal.text, told.all), *_names(normal.text, told.all)]
    found += _negation(normal.text, told)
    found += _denied_in_part(normal.text, told)
    found += exchanged(normal.text, [*told.parts, *others(elsewhere)])
    found += copied(normal.text, [part.text for part in told.parts])
    return _apart({_placed(one, normal) for one in found})


def _bare(text: str) -> str:
    return " ".join(text.split()).rstrip(".")


def _apart(found: set[Exact]) -> tuple[Exact, ...]:
    """In order of their place; of those of one kind that overlap the first and longest."""
    kept: list[Exact] = []
    for one in sorted(found, key=lambda each: (each.start, -each.end, not each.contradicts)):
        if not any(one.kind is other.kind and one.start < other.end for other in kept):
            kept.append(one)
    return tuple(kept)


def _placed(found: Found, normal: Normal) -> Exact:
    kind, start, end, contradicts = found
    first, last = normal.original(start, end) if end > start else (start, end)
    return Exact(kind, first, last, contradicts)


def _drugs(claim: str, told: str) -> Iterator[Found]:
    there = {name for name, _, _ in drugs_in(told)}
    for name, start, end in drugs_in(claim):
        if name not in there and not is_named(name, told):
            yield ExactKind.DRUG, start, end, False


def _names(claim: str, told: str) -> Iterator[Found]:
    known = {start for _, start, _ in (*drugs_in(claim), *days(claim))}
    for name, start, end in names_in(claim):
        if start not in known and not is_named(name, told):
            yield ExactKind.NAME, start, end, False


def _negation(claim: str, told: Told) -> Iterator[Found]:
    """Where sentences on the same matter all deny and the claim does not, or the other way."""
    said = content_stems(claim)
    wanted = _SAME_MATTER * max(len(said), 1)
    near = [one.text for one in told.parts if len(said & one.own) >= wanted]
    if _IMPLIES_NOT.search(claim) or any(_IMPLIES_NOT.search(one) for one in near):
        return
    if near and said and all(denies_it(one, claim) != denies(claim) for one in near):
        yield ExactKind.NEGATION, 0, len(claim), True


def _denied_in_part(claim: str, told: Told) -> Iterator[Found]:
    """The parts of a claim that affirm what the sentences with all their words deny: "allowed in
    the kitchen, but not in the hall" where it is "not allowed in the kitchen or in the hall"."""
    for piece in claims(claim) if _CONTRAST.search(claim) else ():
        near = [one.text for one in told.sentences if piece.stems <= one.own]
        denied = near and all(denies(one) and not _CONTRAST.search(one) for one in near)
        if denied and len(piece.stems) > 1 and not denies(piece.text):
            yield ExactKind.NEGATION, piece.start, piece.end, True
