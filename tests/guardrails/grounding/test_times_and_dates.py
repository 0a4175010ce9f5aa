"""Times of day and dates in their notations."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.guardrails.grounding.exact.dates import dates, same_date
from skerry.guardrails.grounding.exact.times import times
from skerry.guardrails.weekdays import days_told


@dataclass(frozen=True)
class Clock:
    text: str
    minutes: tuple[frozenset[int], ...]


EIGHT, EVENING = 8 * 60, 20 * 60
CLOCKS = [
    Clock("08:00", (frozenset({EIGHT}),)),
    Clock("8 am", (frozenset({EIGHT}),)),
    Clock("8 a.m.", (frozenset({EIGHT}),)),
    Clock("8pm", (frozenset({EVENING}),)),
    Clock("8.30 p.m.", (frozenset({EVENING + 30}),)),
    Clock("8 o'clock", (frozenset({EIGHT, EVENING}),)),
    Clock("8 o’clock", (frozenset({EIGHT, EVENING}),)),
    Clock("20:00 hrs", (frozenset({EVENING}),)),
    Clock("12 am", (frozenset({0}),)),
    Clock("noon", (frozenset({720}),)),
    Clock("from 08:00 to 20:00", (frozenset({EIGHT}), frozenset({EVENING}))),
    Clock("8 hours", ()),
    Clock("0.9 a", ()),
    Clock("12:30:45", ()),
    Clock("a ratio of 3:1", ()),
    Clock("31:00", ()),
]


@pytest.mark.parametrize("case", CLOCKS, ids=lambda case: case.text)
def test_times(case: Clock) -> None:
    assert tuple(one.minutes for one in times(case.text)) == case.minutes


MARCH = (2024, 3, 12)
NOTATIONS = [
    "12 March 2024",
    "12th of March, 2024",
    "March 12th, 2024",
    "2024-03-12",
    "12 Mar 2024",
]


@pytest.mark.parametrize("text", NOTATIONS)
def test_one_date_in_many_notations(text: str) -> None:
    (found,) = dates(text)
    assert found.readings == {MARCH}
    assert text[found.start : found.end] == text


@dataclass(frozen=True)
class Told:
    claimed: str
    told: str
    same: bool


TOLD = [
    Told("12 March", "12 March 2024", same=True),
    Told("March 2024", "12 March 2024", same=True),
    Told("12/03/2024", "12 March 2024", same=True),
    Told("30 September 2024", "30 September", same=True),
    Told("13 March 2024", "12 March 2024", same=False),
    Told("12 April 2024", "12 March 2024", same=False),
    Told("12 March 2023", "12 March 2024", same=False),
    Told("12 March 2024", "March 2024", same=False),
]


@pytest.mark.parametrize("case", TOLD, ids=lambda case: f"{case.claimed} of {case.told}")
def test_a_date_is_told(case: Told) -> None:
    (claimed,), (told,) = dates(case.claimed), dates(case.told)
    assert same_date(claimed, told) == case.same


@pytest.mark.parametrize(
    "text", ["it may 5 times", "they march 10 miles", "32 March", "13.13.2024"]
)
def test_no_date(text: str) -> None:
    assert not dates(text)


def test_days_of_a_range_are_told() -> None:
    assert "wednesday" in days_told("Monday to Friday, 09:00 to 17:00")
    assert "sunday" not in days_told("Monday to Friday")
    assert {"saturday", "sunday", "monday"} == days_told("Saturday to Monday")
    assert "sunday" in days_told("It is checked every day.")


@given(st.text(alphabet="0123456789:./- apmM,o'clockMarchJune", max_size=80))
def test_any_text_is_read(text: str) -> None:
    for one in (*times(text), *dates(text)):
        assert 0 <= one.start < one.end <= len(text)
