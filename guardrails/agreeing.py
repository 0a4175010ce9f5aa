"""Whether passages and a claim deny the same, oblige the same, by the same people. Pure.

The words that they share are for others to count.
"""

from __future__ import annotations

from collections.abc import Sequence

from skerry.guardrails.answer import Evidence
from skerry.guardrails.denial import denies_it
from skerry.guardrails.force import same_force, same_persons
from skerry.guardrails.passages import Passage, passages
from skerry.guardrails.words import content_stems, denies, numbers

_ABOUT_IT = 2  # words that a denial shares with what it is about


def is_opposed(claim: str, agreeing: Sequence[Evidence], there: Sequence[Evidence]) -> bool:
    """Whether a passage that denies what the claim does not (or the other way round) has as much of
    the claim as those that agree, or just what each of them lacks of it.

    "Ibuprofen is given to patients on warfarin" is stitched together from "is given after food" and
    "is not given to patients on warfarin".
    """
    said = content_stems(claim)
    agreed = [said & one for one in _stems(agreeing, claim, denying=denies(claim))]
    most = max(agreed, key=len)
    lacks = said - most
    for one in _stems(there, claim, denying=not denies(claim)):
        has = said & one
        if len(has) >= len(most) or (lacks and lacks <= has and len(has & most) >= _ABOUT_IT):
            return True
    return False


def _stems(sources: Sequence[Evidence], claim: str, *, denying: bool) -> list[frozenset[str]]:
    """The words of each passage that denies, or does not, with those of its headings."""
    return [
        content_stems(f"{each.context}\n{each.text}")
        for one in sources
        for each in passages(one)
        if denies_it(_told(each, claim), claim) is denying
    ]


def _told(passage: Passage, claim: str) -> str:
    """A passage as it is read for its denials: of a table row the cells that the claim speaks of,
    with its headings."""
    if not passage.header:
        return passage.text
    said = content_stems(claim) | numbers(claim)
    cells = passage.spoken.split("; ")
    spoken = [one for one in cells if said & (content_stems(one) | numbers(one))]
    return "\n".join([passage.about, "; ".join(spoken)])


def agrees(claim: str, found: Sequence[Passage]) -> bool:
    """Whether one of the passages denies just when the claim does, obliges and permits the same,
    and has the same people do it."""
    return any(
        denies_it(_told(one, claim), claim) == denies(claim)
        and same_force(one.spoken, claim)
        and same_persons(one.spoken, claim)
        for one in found
    )
