"""The days, months and dates of a claim: named in the passage, as a range where it has one, and
of the same thing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from skerry.guardrails.grounding.exact.clauses import Clause, claims, clauses, spoken_of
from skerry.guardrails.grounding.exact.dates import dates, month_ranges, months, same_date
from skerry.guardrails.grounding.exact.frequency import frequencies
from skerry.guardrails.grounding.exact.kinds import ExactKind, Found
from skerry.guardrails.grounding.exact.parts import Part
from skerry.guardrails.weekdays import day_ranges, days, days_told

_MONTHS = (
    "january february march april may june july august september october november december".split()
)
Named = tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class _Kind:
    """Days or months: how they are found, alone and as ranges, and how many there are."""

    named: Callable[[str], list[Named]]
    ranges: Callable[[str], list[tuple[int, int, int, int]]]
    size: int


_WEEK, _YEAR = _Kind(days, day_ranges, 7), _Kind(months, month_ranges, 12)
_TWO = 2
_NEAR = 0.6
"""The share of the claim's words, days left out, that a sentence has with which it is compared."""


def wrong_calendar(claim: str, told: str, parts: Sequence[Part]) -> Iterator[Found]:
    """Dates, days, months and periods that the passage does not have, or has otherwise."""
    known = dates(told)
    for date in dates(claim):
        if not any(same_date(date, one) for one in known):
            yield ExactKind.DATE, date.start, date.end, bool(known)
    yield from _unnamed(days(claim), days_told(told))
    yield from _unnamed(months(claim), frozenset(_months_told(told)))
    yield from _frequencies(claim, told)
    yield from _ranges(claim, parts)
    yield from _days_of_another(claim, parts)


def _months_told(told: str) -> Iterator[str]:
    for name, _, _ in months(told):
        yield name
    for first, last, _, _ in month_ranges(told):
        yield from (_MONTHS[i % 12] for i in range(first, _end(first, last, 12) + 1))
    for date in dates(told):
        yield from (_MONTHS[month - 1] for _, month, _ in date.readings)


def _end(first: int, last: int, size: int) -> int:
    return last if last >= first else last + size


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


def _ranges(claim: str, parts: Sequence[Part]) -> Iterator[Found]:
    """A range where the sentences on the matter have single days or months, and the reverse:
    "Monday to Friday" for "Monday and Friday"."""
    for kind in (_WEEK, _YEAR):
        names = kind.named(claim)
        near = _on_the_matter(claim, names, kind, parts) if names else []
        if not near:
            continue
        mine = kind.ranges(claim)
        for first, last, start, end in mine:
            size = _end(first, last, kind.size) - first + 1
            if size > _TWO and all(_has_fewer(text, size, kind) for text in near):
                yield ExactKind.DATE, start, end, True
        ends = {name for name, _, _ in names}
        if not mine and len(ends) == _TWO and all(_has_range(text, ends, kind) for text in near):
            yield ExactKind.DATE, names[0][1], names[-1][2], True


def _on_the_matter(
    claim: str, names: Sequence[Named], kind: _Kind, parts: Sequence[Part]
) -> list[str]:
    said = spoken_of(claim) - spoken_of(" ".join(claim[start:end] for _, start, end in names))
    near = [one.text for one in parts if len(said & one.own) >= _NEAR * max(len(said), 1)]
    return [text for text in near if kind.named(text)]


def _has_fewer(text: str, size: int, kind: _Kind) -> bool:
    """Whether a text has no range, and names fewer than a range would have."""
    return not kind.ranges(text) and len({name for name, _, _ in kind.named(text)}) < size


def _has_range(text: str, ends: set[str], kind: _Kind) -> bool:
    """Whether a text has a longer range with these ends."""
    return any(
        last - first not in {0, 1} and {name for name, _, _ in kind.named(text[start:end])} == ends
        for first, last, start, end in kind.ranges(text)
    )


def _days_of_another(claim: str, parts: Sequence[Part]) -> Iterator[Found]:
    """Days that are told of something else in the same sentence: "French on Tuesdays" where it has
    "English on Tuesdays, French on Thursdays"."""
    for piece in claims(claim):
        for name, start, end in days(piece.text):
            told = [(part, clauses(part.text)) for part in parts if name in days_told(part.text)]
            if told and all(_is_of_another(piece, name, cut) for _, cut in told):
                yield ExactKind.DATE, piece.start + start, piece.start + end, True


def _is_of_another(piece: Clause, name: str, cut: Sequence[Clause]) -> bool:
    """Whether each clause with the day has something that the claim has not, and lacks what
    another clause, of other days, has."""
    calendar = spoken_of(" ".join(day for one in cut for day, _, _ in days(one.text)))
    said = piece.stems - calendar - spoken_of(name)
    here = [one for one in cut if name in days_told(one.text)]
    others = [one for one in cut if one not in here and days(one.text)]
    return bool(here and others) and all(
        bool(one.stems - said - calendar)
        and any(said & other.stems - one.stems for other in others)
        for one in here
    )
