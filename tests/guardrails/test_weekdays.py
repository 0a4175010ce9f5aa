"""Days of the week: those asked about, and those a text says something of."""

from __future__ import annotations

from datetime import date

import pytest

from skerry.guardrails.weekdays import days_asked, days_covered

SATURDAY = date(2026, 11, 28)


@pytest.mark.parametrize(
    ("question", "asked"),
    [
        ("Are you open on Mondays?", "monday"),
        ("Tuesday or Thursday, which is it?", "tuesday thursday"),
        ("From Monday to Wednesday?", "monday tuesday wednesday"),
        ("At the weekend?", "saturday sunday"),
        ("Are you open today?", "saturday"),
        ("And tomorrow?", "sunday"),
        ("The day after tomorrow?", "monday"),
        ("Is it ready within five working days?", ""),
        ("What is the daily dose?", ""),
        ("How much is entry?", ""),
    ],
)
def test_the_days_that_are_asked_about(question: str, asked: str) -> None:
    assert days_asked(question, SATURDAY) == frozenset(asked.split())


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Open daily except Mondays.", 7),
        ("Dogs may come in, but not on Saturdays.", 7),
        ("From Thursday to Saturday.", 3),
        ("Repairs take three working days.", 0),
        ("On weekdays from 9:00.", 5),
    ],
)
def test_the_days_that_a_text_says_something_of(text: str, count: int) -> None:
    assert len(days_covered(text)) == count
