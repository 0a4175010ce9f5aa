"""The exact checks together: what a claim says that its passage does not have, by kind.

They only ever speak against a claim. What they do not understand they leave to the classifier.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from skerry.guardrails.grounding.exact.dates import dates, days, days_told, months, same_date
from skerry.guardrails.grounding.exact.exchange import exchanged
from skerry.guardrails.grounding.exact.frequency import frequencies
from skerry.guardrails.grounding.exact.kinds import ExactKind, Found
from skerry.guardrails.grounding.exact.names import drugs_in, is_named, names_in
from skerry.guardrails.grounding.exact.parts import Beside, Part
from skerry.guardrails.grounding.exact.quantities import Quantity, quantities
from skerry.guardrails.grounding.exact.times import times
from skerry.guardrails.grounding.exact.units import UNITS
from skerry.guardrails.normal import Normal, normalise
from skerry.guardrails.sentences import LONGEST, sentences
from skerry.guardrails.words import content_stems, denies

_WORD = re.compile(r"[^\W\d_]+")
_LISTED = re.compile(r"\s*\d{1,3}[.)]\s")
_YEARS = range(1500, 2101)  # they go with a sentence, not with a word beside them
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
    return tuple(sorted({_placed(one, normal) for one in found}, key=lambda one: one.start))


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
        """The sentences that have a third of the words around `claim[start:end]`, or half of all.

        So a number is not held by a sentence about something else altogether.
        """
        near = _around(claim, start, end)
        return [
            one for one in self.parts if len(near & one.stems) * 3 >= len(near) or one in self.alike
        ]


def _others(elsewhere: Sequence[str]) -> list[Part]:
    texts = (normalise(text[:_MOST_CHARACTERS]).text for text in elsewhere)
    told = (text[start:end] for text in texts for start, end in sentences(text))
    return [Part.of(one, content_stems(one), frozenset()) for one in told]


def _around(claim: str, start: int, end: int) -> frozenset[str]:
    """The stems of the content words near a place, units left out."""
    before = _WORD.findall(claim[max(0, start - _REACH) : start])[-_NEAR:]
    after = _WORD.findall(claim[end : end + _REACH])[:_NEAR]
    return content_stems(" ".join(word for word in (*before, *after) if word.lower() not in UNITS))


def _placed(found: Found, normal: Normal) -> Exact:
    kind, start, end, contradicts = found
    first, last = normal.original(start, end) if end > start else (start, end)
    return Exact(kind, first, last, contradicts)


def _times(claim: str, told: _Told) -> Iterator[Found]:
    for time in times(claim):
        near = [one for part in told.about(claim, time.start, time.end) for one in part.times]
        if not any(time.minutes & one.minutes for one in near):
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

    One with a unit may be anywhere in the passage; a bare one must be in a sentence about its
    matter, with one of the words beside it. The number of a list's item is none.
    """
    listed = _LISTED.match(claim)
    first = listed.end() if listed else 0
    taken = {at for clock in times(claim) for at in range(clock.start, clock.end)}
    taken |= {at for date in dates(claim) for at in range(date.start, date.end)}
    for one in quantities(claim):
        if not one.certain or one.start in taken or one.start < first:
            continue
        there = [other for part in told.parts for other in part.amounts]
        if not _is_held(one, claim, told):
            other_unit = any(one.differs_in_unit(other) for other in there)
            kind = ExactKind.UNIT if other_unit else ExactKind.NUMBER
            yield kind, one.start, one.end, _has_rival(one, there)


def _is_held(claimed: Quantity, claim: str, told: _Told) -> bool:
    measured = [one for part in told.parts for one in part.amounts if one.unit]
    if claimed.unit and any(claimed.equals(one) for one in measured):
        return True
    if claimed.unit and any(claimed.differs_in_unit(one) for one in measured):
        return False
    beside = Beside.of(claim, claimed)
    year = claimed.unit is None and claimed.value in _YEARS
    return any(
        claimed.equals(other) and (year or beside.fits(words, loose=part.is_row))
        for part in told.about(claim, claimed.start, claimed.end)
        for other, words in zip(part.amounts, part.beside, strict=True)
        if not (claimed.unit and other.unit)
    )


def _has_rival(claimed: Quantity, there: Sequence[Quantity]) -> bool:
    """Whether the passage has a number of the same measure."""
    measure = claimed.unit and claimed.unit.measure
    return any((one.unit and one.unit.measure) == measure for one in there if one.certain)


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
