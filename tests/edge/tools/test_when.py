"""Days and times in plain English."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.edge.tools.when import NoSuchTime, When, find_when, in_words

NOW = datetime(2026, 11, 27, 20, 0)  # a Friday


@dataclass(frozen=True)
class Case:
    text: str
    day: date | None = None
    at: time | None = None
    start: time | None = None
    end: time | None = None


CASES = [
    Case("on Monday at 10", date(2026, 11, 30), time(10)),
    Case("today", date(2026, 11, 27)),
    Case("on Friday at 21:30", date(2026, 11, 27), time(21, 30)),
    Case("next Friday", date(2026, 12, 4)),
    Case("tomorrow after 2 pm", date(2026, 11, 28), start=time(14)),
    Case("the day after tomorrow in the morning", date(2026, 11, 29), end=time(12)),
    Case("next Tuesday at half past nine", date(2026, 12, 1), time(9, 30)),
    Case("Wed at quarter to three", date(2026, 12, 2), time(14, 45)),
    Case("30 November at 10:30", date(2026, 11, 30), time(10, 30)),
    Case("December the 3rd at 11", date(2026, 12, 3), time(11)),
    Case("the 3rd of January", date(2027, 1, 3)),
    Case("29 February", date(2028, 2, 29)),
    Case("7 January 1900 at 10", date(1900, 1, 7), time(10)),
    Case("2026-12-01 at 09:00", date(2026, 12, 1), time(9)),
    Case("in 3 days at ten o'clock", date(2026, 11, 30), time(10)),
    Case("between 9 and 11 on Thursday", date(2026, 12, 3), start=time(9), end=time(11)),
    Case("before noon on Thursday", date(2026, 12, 3), end=time(12)),
    Case("Sunday 10 a.m.", date(2026, 11, 29), time(10)),
    Case("at 3", at=time(15)),
    Case("at 03:00", at=time(3)),
    Case("12 am on 1 December", date(2026, 12, 1), time(0)),
    Case("nothing of the kind"),
    Case("room 12, bed 4"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.text)
def test_what_is_meant(case: Case) -> None:
    days = () if case.day is None else (case.day,)
    assert find_when(case.text, NOW) == When(days, case.at, case.start, case.end)


def test_a_week_is_its_days() -> None:
    assert find_when("this week", NOW).days == tuple(date(2026, 11, day) for day in (27, 28, 29))
    assert len(find_when("next week", NOW).days) == 7
    assert find_when("Monday or Tuesday", NOW).day is None


@pytest.mark.parametrize(
    "text", ["31 November", "7 January 99999", "at 27", "at 10:75", "2026-02-30"]
)
def test_what_there_is_none_of(text: str) -> None:
    with pytest.raises(NoSuchTime):
        find_when(text, NOW)


@given(st.text("0123456789:. adfghjmnoprtuwyMTWF", max_size=60))
def test_any_text_is_read_or_said_to_be_none(text: str) -> None:
    with suppress(NoSuchTime):
        found = find_when(text, NOW)
        assert all(isinstance(day, date) for day in found.days)


def test_a_day_in_words() -> None:
    assert in_words(date(2026, 11, 30)) == "Monday 30 November 2026"
