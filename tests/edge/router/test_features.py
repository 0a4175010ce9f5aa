"""The form of a request: each feature on a case that has it and one that has not."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.edge.router.features import NAMES, text_features

CASES = {
    "asks_why": ("why was I charged", "I was charged"),
    "asks_explanation": ("Summarise the policy", "Cancel the policy"),
    "asks_to_extract": ("extract the doses", "the doses were given"),
    "names_shape": ("the dates as JSON", "the dates of Jason"),
    "points_at_text": ("in the text below", "in the corridor"),
    "names_rules": ("what does the policy say", "what does she say"),
    "names_code": ("write a function in Rust", "write to the director"),
    "names_maths": ("calculate the dose", "give the dose"),
    "speaks_of_self": ("I’m numb", "the arm is numb"),
    "speaks_of_another": ("she fainted", "it rained"),
    "speaks_of_death": ("I want to die", "I want a dime"),
    "speaks_of_now": ("it started ten minutes ago", "once upon a time"),
    "starts_with_fact": ("Hi, what is the phone number", "book a room and say what it costs"),
    "starts_with_how": ("how do i book a room", "how many rooms are there"),
    "starts_with_amount": ("How many beds are free?", "How do I book a bed?"),
    "starts_with_yes_no": ("is the lab open", "the lab is open"),
    "starts_with_wish": ("can you call a cab", "a cab is called"),
    "starts_with_order": ("please cancel my card", "my card was cancelled"),
    "operators": ("17*23", "well-known"),
    "several_choices": ("Which is it? A. gout B. lupus", "Which is it?"),
    "ends_with_question": ("ready? ", "ready?!"),
}
MEASURED = ("log_", "longest_")


@pytest.mark.parametrize("name", CASES)
def test_a_feature_sees_its_form_and_no_other(name: str) -> None:
    has, has_not = CASES[name]
    assert _value(name, has) == 1
    assert _value(name, has_not) == 0


def test_every_feature_has_a_case() -> None:
    assert {name for name in NAMES if not name.startswith(MEASURED)} == set(CASES)


def test_measures_grow_with_what_they_measure() -> None:
    small, large = "a 1\nb.", "word " * 40 + "1 2 3 4\n\n\n.,;:! xkcdfgh"
    for name in (name for name in NAMES if name.startswith(MEASURED)):
        assert _value(name, large) > _value(name, small), name


@given(st.text(max_size=2000))
def test_any_text_has_finite_features(text: str) -> None:
    features = text_features(text)
    assert features.shape == (len(NAMES),)
    assert features.dtype == np.float32
    assert np.isfinite(features).all()


@pytest.mark.parametrize("unit", ["a", "a) b) ", " ", "hi ", "ok, so ", "1 + ", "\n", "q-"])
def test_a_huge_text_takes_no_time(unit: str) -> None:
    text = unit * (10_000_000 // len(unit))
    start = time.perf_counter()
    text_features(text)
    assert time.perf_counter() - start < 0.5


def _value(name: str, text: str) -> float:
    return float(text_features(text)[NAMES.index(name)])
