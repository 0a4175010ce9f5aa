"""Words that look like another, and those that are only another form or spelling of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.guardrails.grounding.exact.lookalikes import look_alike


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("ileum", "ilium", True),
        ("hansen", "hanson", True),
        ("kingfisher", "kingsfisher", True),
        ("hr-12", "hr-21", True),
        ("ethylene", "methylene", True),
        ("prescribed", "proscribed", True),
        ("colour", "color", False),
        ("anaemia", "anemia", False),
        ("checked", "checks", False),
        ("given", "gives", False),
        ("immediate", "immediately", False),
        ("12", "21", False),
        ("cat", "car", False),
        ("doctor", "pastor", False),
    ],
)
def test_look_alikes(one: str, other: str, *, alike: bool) -> None:
    assert look_alike(one, other) is alike
    assert look_alike(other, one) is alike


@given(st.text(max_size=30))
def test_no_word_looks_like_itself(word: str) -> None:
    assert not look_alike(word, word)
