"""A question that leans on the last one is searched for with it."""

from __future__ import annotations

import pytest

from skerry.edge.followup import Asked, leans, standalone
from skerry.edge.session import Turn

TURNS = (
    Turn("user", "How much is a loan bicycle?"),
    Turn("assistant", "It is 12 EUR a day [1]."),
)


@pytest.mark.parametrize(
    "question",
    [
        "And the deposit?",
        "What about helmets?",
        "Where do I return it?",
        "Why?",
        "Is there one for children?",
    ],
)
def test_it_leans(question: str) -> None:
    assert leans(question)
    asked = standalone(question, lambda: TURNS)
    assert asked == Asked(question, before="How much is a loan bicycle?")
    assert asked.text == f"How much is a loan bicycle?\n{question}"


@pytest.mark.parametrize(
    "question",
    [
        "How often is the emergency trolley checked?",
        "What does a visitor pay for parking?",
        "Who may give a patient on warfarin this painkiller without the duty doctor's signature?",
    ],
)
def test_it_stands_alone(question: str) -> None:
    assert not leans(question)
    assert standalone(question, pytest.fail) == Asked(question)


@pytest.mark.parametrize(
    ("question", "enough"),
    [
        ("And in a kayak?", False),
        ("Why?", False),
        ("And what do I do when somebody drinks bleach?", True),
    ],
)
def test_what_says_enough_is_routed_by_itself(question: str, *, enough: bool) -> None:
    assert Asked(question, before="May dogs come along?").says_enough is enough


def test_without_an_earlier_question_it_is_taken_as_it_is() -> None:
    assert standalone("And the deposit?", lambda: ()).text == "And the deposit?"
    assert standalone("And the deposit?", lambda: TURNS[1:]).text == "And the deposit?"
