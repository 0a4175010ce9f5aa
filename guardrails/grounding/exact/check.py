"""The exact checks together: what a claim says that its passage does not have, by kind.

They only ever speak against a claim. What they do not understand they leave to the classifier.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from skerry.guardrails.grounding.exact.copies import copied
from skerry.guardrails.grounding.exact.dates import dates, days, days_told, months, same_date
from skerry.guardrails.grounding.exact.exchange import exchanged
from skerry.guardrails.grounding.exact.frequency import frequencies
from skerry.guardrails.grounding.exact.kinds import ExactKind, Found
from skerry.guardrails.grounding.exact.names import drugs_in, is_named, names_in
from skerry.guardrails.grounding.exact.owners import of_another
from skerry.guardrails.grounding.exact.parts import Part
from skerry.guardrails.grounding.exact.quantities import Quantity, quantities
from skerry.guardrails.grounding.exact.times import times
from skerry.guardrails.grounding.exact.units import UNITS
from skerry.guardrails.normal import Normal, normalise
from skerry.guardrails.sentences import LONGEST, sentences
from skerry.guardrails.words import content_stems, denies

_WORD = re.compile(r"[^\W\d_]+")
_LISTED = re.compile(r"\s*\d{1,3}[.)]\s")
_YEARS = range(1500, 2101)
_CLAUSE = re.compile(r"[;:]|,? (?:and|but|while|whereas) (?![\d ])")
_IMPLIES_NOT = re.compile(
    r"\b(?:avoid|withh[eo]ld|contraindicat|forbid|prohibit|banned|refus|unless|except|only|instead|"
    r"rather|without|(?:more|less|fewer) than|at most|at least|fail|lack|absen|stop|free of|"
    r"unable|empty|closed|prevent|den(?:y|ie)|rule[sd]? out)",
    re.IGNORECASE,
)
"""Wordings that deny without "not": where there is one, the two sentences are not compared."""
_MOST_CHARACTERS = 6_000  # of a passage, as of its headings; windows are far shorter
_NEAR = 4  # words on either side of a number that say what it is about
_REACH = 80  # characters in which they are looked for
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


@dataclass(frozen=True, slots=True)
class Passage:
    """Evidence for the exact checks: `text`, and the headings above it."""

    text: str
    context: str = ""

    @property
    def all(self) -> str:
        return f"{self.context}\n{self.text}"


def exact_findings(
    claim: str, passage: Passage, elsewhere: Sequence[str] = ()
) -> tuple[Exact, ...]:
    """What is in the claim and not in the passage, in order of its place. Empty: nothing found.

    `elsewhere` are other passages: they support nothing here, but may say of another drug what the
    claim says of this one.
    """
    normal = normalise(claim[:LONGEST])
    told = _Told.of(passage, normal.text)
    found = [*_times(normal.text, told), *_numbers(normal.text, told)]
    found += _calendar(normal.text, told.all)
    found += [*_drugs(normal.text, told.all), *_names(normal.text, told.all)]
    found += _negation(normal.text, told)
    found += exchanged(normal.text, [*told.parts, *_others(elsewhere)])
    found += copied(normal.text, [part.text for part in told.parts])
    return _apart({_placed(one, normal) for one in found})


def _apart(found: set[Exact]) -> tuple[Exact, ...]:
    """In order of their place; of those of one kind that overlap the first and longest."""
    kept: list[Exact] = []
    for one in sorted(found, key=lambda each: (each.start, -each.end, not each.contradicts)):
        if not any(one.kind is other.kind and one.start < other.end for other in kept):
            kept.append(one)
    return tuple(kept)


@dataclass(frozen=True, slots=True)
class _Told:
    """The passage made plain. The headings are a part of their own."""

    all: str
    parts: tuple[Part, ...]
    alike: frozenset[Part]
    """The parts that have half of the claim's words."""

    @classmethod
    def of(cls, passage: Passage, claim: str) -> _Told:
        text = normalise(passage.text[:_MOST_CHARACTERS]).text
        context = normalise(passage.context[:_MOST_CHARACTERS]).text
        above = content_stems(context)
        told = [text[start:end] for start, end in sentences(text)]
        parts = [Part.of(one, content_stems(one), above) for one in told]
        if context:
            parts.append(Part.of(context, frozenset(), above | content_stems(text)))
        said = content_stems(claim)
        alike = frozenset(one for one in parts if len(said & one.stems) * 2 >= len(said))
        return cls(f"{context}\n{text}", tuple(parts), alike)

    def about(self, claim: str, start: int, end: int) -> list[Part]:
        """The sentences that have one of the words around `claim[start:end]`, or half of all.

        So a number is not held by a sentence about something else altogether.
        """
        near = _around(claim, start, end)
        return [one for one in self.parts if not near or near & one.stems or one in self.alike]


def _others(elsewhere: Sequence[str]) -> list[Part]:
    texts = (normalise(text[:_MOST_CHARACTERS]).text for text in elsewhere)
    told = (text[start:end] for text in texts for start, end in sentences(text))
    return [Part.of(one, content_stems(one), frozenset()) for one in told]


def _around(claim: str, start: int, end: int) -> frozenset[str]:
    """The stems of the content words near a place, units left out."""
    before = _WORD.findall(claim[max(0, start - _REACH) : start])[-_NEAR:]
    after = _WORD.findall(claim[end : end + _REACH])[:_NEAR]
    return content_stems(" ".join(word for word in (*before, *after) if word.lower() not in UNITS))


def _clause(claim: str, at: int) -> frozenset[str]:
    """The stems of the part of the claim that a place is in."""
    bounds = [match.end() for match in _CLAUSE.finditer(claim)]
    first = max((end for end in bounds if end <= at), default=0)
    last = min((end for end in bounds if end > at), default=len(claim))
    return content_stems(claim[first:last])


def _placed(found: Found, normal: Normal) -> Exact:
    kind, start, end, contradicts = found
    first, last = normal.original(start, end) if end > start else (start, end)
    return Exact(kind, first, last, contradicts)


def _times(claim: str, told: _Told) -> Iterator[Found]:
    for time in times(claim):
        near = [part for part in told.about(claim, time.start, time.end) if part.times]
        holders = [one for one in near if any(time.minutes & at.minutes for at in one.times)]
        rivals = [one for one in near if one not in holders]
        said = _clause(claim, time.start)
        if not holders or of_another(said, holders, rivals):
            yield ExactKind.TIME, time.start, time.end, bool(near)


def _calendar(claim: str, told: str) -> Iterator[Found]:
    known = dates(told)
    for date in dates(claim):
        if not any(same_date(date, one) for one in known):
            yield ExactKind.DATE, date.start, date.end, bool(known)
    yield from _unnamed(days(claim), days_told(told))
    yield from _unnamed(months(claim), frozenset(name for name, _, _ in _all_months(told)))
    yield from _frequencies(claim, told)


def _all_months(told: str) -> Iterator[tuple[str, int, int]]:
    yield from months(told)
    names = "january february march april may june july august september october november december"
    for date in dates(told):
        for _, month, _ in date.readings:
            yield names.split()[month - 1], date.start, date.end


def _unnamed(claimed: Sequence[tuple[str, int, int]], told: frozenset[str]) -> Iterator[Found]:
    for name, start, end in claimed:
        if name not in told:
            yield ExactKind.DATE, start, end, bool(told)


def _frequencies(claim: str, told: str) -> Iterator[Found]:
    """A period is only compared with others: "every day" may be said in many ways."""
    there = [names for names, _, _ in frequencies(told)]
    for names, start, end in frequencies(claim):
        if there and not any(names & one for one in there):
            yield ExactKind.FREQUENCY, start, end, True


def _numbers(claim: str, told: _Told) -> Iterator[Found]:
    """Numbers that are no times or dates; those of the passage's dates count, as years do.

    One with a unit may be anywhere in the passage, a bare one in a sentence about its matter; both
    not where it is said of something else. The number of a list's item is none.
    """
    listed = _LISTED.match(claim)
    first = listed.end() if listed else 0
    taken = {at for clock in times(claim) for at in range(clock.start, clock.end)}
    taken |= {at for date in dates(claim) for at in range(date.start, date.end)}
    claimed = quantities(claim)
    for one in claimed:
        if not one.certain or one.start in taken or one.start < first:
            continue
        holders = _holders(one, claim, told)
        rivals = [
            part
            for part in told.parts
            if part not in holders and _has_rival(one, part) and not _has_any(claimed, one, part)
        ]
        if not holders or of_another(_clause(claim, one.start), holders, rivals):
            there = [other for part in told.parts for other in part.amounts]
            other_unit = any(one.differs_in_unit(other) for other in there)
            kind = ExactKind.UNIT if other_unit and not holders else ExactKind.NUMBER
            yield kind, one.start, one.end, bool(rivals)


def _holders(claimed: Quantity, claim: str, told: _Told) -> list[Part]:
    """The sentences that have the amount: with its unit, or in a sentence about its matter."""
    if claimed.unit:
        measured = [(part, one) for part in told.parts for one in part.amounts if one.unit]
        with_unit = [part for part, one in measured if claimed.equals(one)]
        if with_unit or any(claimed.differs_in_unit(one) for _, one in measured):
            return with_unit
    near = told.about(claim, claimed.start, claimed.end)
    return [
        part
        for part in (told.parts if _is_year(claimed) else near)
        if any(claimed.equals(one) for one in part.amounts if not (claimed.unit and one.unit))
    ]


def _has_rival(claimed: Quantity, part: Part) -> bool:
    """Whether the sentence has a number of the same measure; of a year, another year."""
    measure = claimed.unit and claimed.unit.measure
    return any(
        (one.unit and one.unit.measure) == measure and _is_year(one) == _is_year(claimed)
        for one in part.amounts
        if one.certain
    )


def _has_any(claimed: Sequence[Quantity], but: Quantity, part: Part) -> bool:
    """Whether the sentence has what else the claim says of the same measure: it is meant, too."""
    others = [one for one in claimed if one is not but and one.unit == but.unit and one.certain]
    return any(one.equals(other) for one in others for other in part.amounts)


def _is_year(one: Quantity) -> bool:
    return one.unit is None and one.value in _YEARS


def _drugs(claim: str, told: str) -> Iterator[Found]:
    there = {name for name, _, _ in drugs_in(told)}
    for name, start, end in drugs_in(claim):
        if name not in there and not is_named(name, told):
            yield ExactKind.DRUG, start, end, False


def _names(claim: str, told: str) -> Iterator[Found]:
    drugs = {start for _, start, _ in drugs_in(claim)}
    for name, start, end in names_in(claim):
        if start not in drugs and not is_named(name, told):
            yield ExactKind.NAME, start, end, False


def _negation(claim: str, told: _Told) -> Iterator[Found]:
    """Where sentences on the same matter all deny and the claim does not, or the other way."""
    said = content_stems(claim)
    wanted = _SAME_MATTER * max(len(said), 1)
    near = [one.text for one in told.parts if len(said & one.own) >= wanted]
    if _IMPLIES_NOT.search(claim) or any(_IMPLIES_NOT.search(one) for one in near):
        return
    if near and said and all(denies(one) != denies(claim) for one in near):
        yield ExactKind.NEGATION, 0, len(claim), True
