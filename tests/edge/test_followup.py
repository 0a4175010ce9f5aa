"""A question that leans on the last one is searched for with it."""

from __future__ import annotations

import pytest

from skerry.edge.again import Again, again
from skerry.edge.followup import Asked, standalone
from skerry.edge.leaning import leans
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
        "Since when?",
        "until when?",
        "Who do I ask?",
        "Is there one for children?",
        "what papers do I need?",
        "what do i have to bring?",
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
        "How many courses are there?",
        "Is there a Tuesday evening social?",
        "How much is it to hire shoes?",
        "Who is there on Saturday?",
        "Can children bring their bicycles?",
        "When was the hall founded and how many members did it have then?",
        "Why is the lead wall closed in May?",
        "At what temperature are instruments sterilised?",
        "What papers do I need for a bicycle?",
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


def said(*questions: str) -> list[Turn]:
    return [
        turn for text in questions for turn in (Turn("user", text), Turn("assistant", "So [1]."))
    ]


@pytest.mark.parametrize(
    ("earlier", "question", "whole"),
    [
        (["When do you open on Saturday?"], "and sunday?", "When do you open on sunday?"),
        (["How much is a day pass?"], "And for children?", "How much is a day pass for children?"),
        (["What is it for a dog?"], "And for cats?", "What is it for cats?"),
        (
            ["When do you open on Saturday?", "thanks", "and sunday?", "Are you sure?"],
            "and friday?",
            "When do you open on friday?",
        ),
        (
            ["How much is a pass?", "And the deposit?"],
            "And a key?",
            "How much is a pass?\nAnd a key?",
        ),
        (
            ["How much is the kayak?", "And the canoe?"],
            "Does it leak?",
            "How much is the kayak?\nAnd the canoe?\nDoes it leak?",
        ),
    ],
)
def test_two_questions_are_made_one(earlier: list[str], question: str, whole: str) -> None:
    assert standalone(question, lambda: said(*earlier)).text == whole


def test_what_is_replaced_no_longer_counts() -> None:
    assert Asked("And for cats?", "How much is it for a dog?").kept == "How much is it"


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("Are you sure?", Again.SOURCE),
        ("Why?", Again.SOURCE),
        ("Where does it say that?", Again.SOURCE),
        ("can you repeat that?", Again.REPEAT),
        ("say it shorter", Again.SHORTER),
        ("In short, please", Again.SHORTER),
        ("Are you sure that the pool is open?", None),
        ("Why is the pool shut?", None),
        ("Say it again in other words", None),
        ("thanks", None),
        ("are you sure " * 10_000, None),
    ],
)
def test_what_is_wanted_of_the_last_answer(question: str, wanted: Again | None) -> None:
    assert again(question) is wanted


def test_the_last_question_is_asked_again_whatever_was_said_since() -> None:
    turns = said("How much is a day pass?", "Why?", "ok thanks", "can you repeat that?")
    asked = standalone("Are you sure?", lambda: turns)
    assert asked == Asked("How much is a day pass?", again=Again.SOURCE)
    assert standalone("Are you sure?", lambda: ()) == Asked("Are you sure?")


@pytest.mark.parametrize(
    ("question", "wanting"),
    [
        ("Can I cancel it?", "Can I cancel it?"),
        ("And with a bed?", "Which rooms are there with a bed?"),
    ],
)
def test_yes_or_no_wants_no_list_though_one_was_wanted_before(question: str, wanting: str) -> None:
    assert Asked(question, "Which rooms are there?").wanting == wanting
