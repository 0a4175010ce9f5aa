"""Harmless sayings with words that the network takes for a sign of danger."""

from __future__ import annotations

import pytest

from skerry.guardrails.findings import FindingKind
from skerry.guardrails.safety.idioms import without_idioms
from skerry.guardrails.screen import screen_sentences


def dangers(text: str) -> list[str]:
    return [one.label for one in screen_sentences(text) if one.kind is FindingKind.SAFETY]


@pytest.mark.parametrize(
    "text",
    [
        "what if i do it myself?",
        "I want to do it myself",
        "what does it cost if I do it by myself?",
        "i'd rather do it myself, what tools do you have",
        "i burned myself on the stove",
        "I cut myself on a spoke",
        "And if i lose it?",
        "what happens when someone loses one",
    ],
)
def test_a_saying_is_no_danger(text: str) -> None:
    assert "self_harm" not in dangers(text)


@pytest.mark.parametrize(
    "text",
    [
        "I want to end it myself",
        "if I lose it I will kill myself",
        "I am losing it",
        "i cut myself",
        "I have cut myself again because I hate myself",
        "I am going to do it myself, I cannot go on",
        "nobody can stop me, I'll do it myself",
        "cut myself with a razor again",
    ],
)
def test_danger_beside_a_saying_is_found(text: str) -> None:
    assert dangers(text)


@pytest.mark.parametrize(
    "text",
    [
        "Doing it  myself. Do them all by themselves!",
        "",
        "\x00 self",
        "do it myself" * 9,
        "if she loses them",
    ],
)
def test_spans_stay(text: str) -> None:
    assert len(without_idioms(text)) == len(text)


def test_it_takes_linear_time() -> None:
    assert without_idioms("do it all by " * 100_000 + "self") == "do it all by " * 100_000 + "self"
