"""The numbers and times of a claim: in the passage, of the same thing, and meant the same way."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from skerry.guardrails.grounding.exact.bounds import Valued, agree, valued
from skerry.guardrails.grounding.exact.clauses import clause_at, labels
from skerry.guardrails.grounding.exact.dates import dates
from skerry.guardrails.grounding.exact.kinds import ExactKind, Found
from skerry.guardrails.grounding.exact.owners import in_another_place, of_another
from skerry.guardrails.grounding.exact.parts import Part, amounts_in
from skerry.guardrails.grounding.exact.quantities import Quantity, quantities
from skerry.guardrails.grounding.exact.times import Time, times
from skerry.guardrails.grounding.exact.told import Told

_LISTED = re.compile(r"\s*\d{1,3}[.)]\s")
_MOST = 40  # numbers or times of a claim that are looked at: bounds the time
_YEARS = range(1500, 2101)


def wrong_times(claim: str, told: Told) -> Iterator[Found]:
    """Times of day that no sentence on the matter has, or that it has of something else."""
    for time in times(claim)[:_MOST]:
        near = [part for part in told.about(claim, time.start, time.end) if part.times]
        holders = [one for one in near if _at(time, one)]
        said = clause_at(claim, time.start).stems
        kept = [one for one in holders if not _beside_another(said, time, one)]
        rivals = [one for one in near if one not in kept]
        if not kept or of_another(said, kept, rivals):
            yield ExactKind.TIME, time.start, time.end, bool(near)


def _at(time: Time, part: Part) -> list[tuple[int, int]]:
    return [(one.start, one.end) for one in part.times if time.minutes & one.minutes]


def _beside_another(said: frozenset[str], time: Time, part: Part) -> bool:
    held = _at(time, part)
    others = [(one.start, one.end) for one in part.times if not time.minutes & one.minutes]
    return in_another_place(said, part, held, others)


def wrong_numbers(claim: str, told: Told) -> Iterator[Found]:
    """Numbers that are no times or dates; those of the passage's dates count, as years do.

    One with a unit may be anywhere in the passage, a bare one in a sentence about its matter; both
    not where it is said of something else. The number of a list's item is none.
    """
    names = labels(claim)
    claimed = _checked(claim)
    for one in claimed:
        said = clause_at(claim, one.start).stems
        if one.start in names and any(_named(claim, one, part) for part in told.parts):
            continue
        holders = _holders(one, claim, told)
        kept = [part for part in holders if not _of_another_kind(said, one, part)]
        beside = [each for each in claimed if each is not one and each.start not in names]
        rivals = [
            part
            for part in told.parts
            if part not in kept and _rivals(one, part) and not _has_any(beside, one, part)
        ]
        if not kept or of_another(said, kept, rivals):
            there = [other for part in told.parts for other in part.amounts]
            other_unit = any(one.differs_in_unit(other) for other in there)
            kind = ExactKind.UNIT if other_unit and not holders else ExactKind.NUMBER
            yield kind, one.start, one.end, bool(rivals) or bool(holders)


def _named(claim: str, number: Quantity, part: Part) -> bool:
    """Whether the part has "ward 3" where the claim has it."""
    return any(
        name.endswith(f" {claim[number.start : number.end]}") and name in part.stems
        for name in clause_at(claim, number.start).stems
    )


def _checked(claim: str) -> list[Quantity]:
    listed = _LISTED.match(claim)
    first = listed.end() if listed else 0
    taken = {at for clock in times(claim) for at in range(clock.start, clock.end)}
    taken |= {at for date in dates(claim) for at in range(date.start, date.end)}
    return [
        one
        for one in quantities(claim)
        if one.certain and one.start not in taken and one.start >= first
    ][:_MOST]


def _of_another_kind(said: frozenset[str], claimed: Quantity, part: Part) -> bool:
    """Whether the part has the number only in a clause or column that the claim does not mean."""
    held = [(one.start, one.end) for one in part.amounts if claimed.equals(one)]
    return in_another_place(said, part, held, _rivals(claimed, part))


def _holders(claimed: Quantity, claim: str, told: Told) -> list[Part]:
    """The sentences that have the amount: with its unit, or in a sentence about its matter."""
    if claimed.unit:
        with_unit = [part for part in told.parts if any(map(claimed.equals, _measures(part)))]
        there = (one for part in told.parts for one in _measures(part))
        if with_unit or any(map(claimed.differs_in_unit, there)):
            return with_unit
    near = told.about(claim, claimed.start, claimed.end)
    return [
        part
        for part in (told.parts if _is_year(claimed) else near)
        if any(claimed.equals(one) for one in part.amounts if not (claimed.unit and one.unit))
    ]


def _measures(part: Part) -> list[Quantity]:
    """The amounts of a sentence that have a unit."""
    return [one for one in part.amounts if one.unit]


def _rivals(claimed: Quantity, part: Part) -> list[tuple[int, int]]:
    """Where the sentence has another number of the same measure; of a year, another year."""
    measure = claimed.unit.measure if claimed.unit else None
    return [
        (one.start, one.end)
        for one in part.amounts
        if one.certain
        and one.start not in part.labels
        and _measured(one, measure, part)
        and _is_year(one) == _is_year(claimed)
        and not claimed.equals(one)
    ]


def _measured(one: Quantity, measure: str | None, part: Part) -> bool:
    """Whether it is a number of the measure; in a table, a bare one may be of any."""
    mine = one.unit.measure if one.unit else None
    return mine == measure or (bool(part.row) and None in {mine, measure})


def _has_any(claimed: Sequence[Quantity], but: Quantity, part: Part) -> bool:
    """Whether the sentence has what else the claim says of the same measure: it is meant, too."""
    others = [one for one in claimed if one.unit == but.unit]
    return any(one.equals(other) for one in others for other in part.amounts)


def _is_year(one: Quantity) -> bool:
    return one.unit is None and int(one.value) == one.value and int(one.value) in _YEARS


def wrong_ways(claim: str, told: Told) -> Iterator[Found]:
    """Values that are told, but not as "at least" or "at most", or with another sign."""
    clock = times(claim)
    amounts = amounts_in(claim, clock)[:_MOST]
    mine: list[Quantity | Time] = sorted([*amounts, *clock[:_MOST]], key=lambda one: one.start)
    spans = [(one.start, one.end) for one in mine]
    names = labels(claim)
    for i, one in enumerate(mine):
        if isinstance(one, Quantity) and (not one.certain or one.start in names):
            continue
        way = valued(claim, spans, i)
        there = _told(one, claim, told)
        if there and not any(_meant(way, each) for each in there):
            yield ExactKind.BOUND, one.start, one.end, True


def _meant(mine: Valued, theirs: Valued) -> bool:
    return mine.negative == theirs.negative and agree(mine.way, theirs.way)


def _told(claimed: Quantity | Time, claim: str, told: Told) -> list[Valued]:
    """The same value where it is told: in the sentences that have most of the claim's words."""
    said = clause_at(claim, claimed.start).stems
    found = [(len(said & part.stems), way) for part in told.parts for way in _ways(claimed, part)]
    most = max((share for share, _ in found), default=0)
    return [way for share, way in found if share == most]


def _ways(claimed: Quantity | Time, part: Part) -> list[Valued]:
    if isinstance(claimed, Time):
        same = {one.start for one in part.times if claimed.minutes & one.minutes}
    else:
        same = {one.start for one in part.amounts if claimed.equals(one)}
    return part.ways(same)
