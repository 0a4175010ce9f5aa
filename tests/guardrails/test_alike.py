"""Other words for the same."""

from __future__ import annotations

import pytest

from skerry.guardrails.alike import with_other_words


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("Are you open on Christmas?", "25 December"),
        ("open at Christmas and in spring?", "25 December"),
        ("Boxing Day", "26 December"),
        ("When do you close on New Year's Eve?", "31 December"),
        ("new years day", "1 January"),
        ("closed on 25 and 26 December", "Christmas Day, Boxing Day"),
        ("from 24 to 26 December", "Christmas Day, Boxing Day"),
        ("closed on December 25th", "Christmas Day"),
        ("on 24 and 31 December it closes at noon", "New Year's Eve"),
        ("the 1st of January", "New Year's Day"),
        ("What is her phone number?", "telephone"),
    ],
)
def test_it_is_said_otherwise_as_well(text: str, other: str) -> None:
    assert with_other_words(text) == f"{text} ({other})"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "When is the Christmas party?",
        "Is it open on Christmas Eve?",
        "11 January",
        "25 November",
        "Christmas Day is 25 December",
        "25 people in December",
        "9, " * 50_000 + "of December",
        "christmas tree " * 20_000,
    ],
)
def test_it_is_left_alone(text: str) -> None:
    assert with_other_words(text) == text
