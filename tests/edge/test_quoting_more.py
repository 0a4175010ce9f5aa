"""What is quoted with the next sentence, with an amount, or as the sentence that counts."""

from __future__ import annotations

import pytest

from skerry.edge.encoder import OnnxEncoder
from skerry.edge.followup import Asked
from skerry.edge.quoting import Reading
from skerry.guardrails.answer import Evidence

CLUB = Evidence(
    1,
    "There are three kinds of membership:\n\n- **Full**: 50 euros a year.\n"
    "- **Junior**: 20 euros a year, for people under 18.\n- **Family**: 90 euros a year.\n\n"
    "If you leave early we do not refund the fee of a membership.\n\n"
    "Helpers who gave 30 hours in a year get the next year's membership free.",
    context="Sailing club\nMembership",
)
RULES = Evidence(
    2,
    "1. Wear a life jacket on the jetty and in every boat. They hang behind the office door.\n"
    "2. Dogs stay on a lead.\n\n"
    "A trip can be cancelled free of charge up to seven days before it starts. Later than that "
    "half of the price is due. Somebody else may go instead.",
    context="Sailing club\nRules",
)
LOANS = Evidence(
    3,
    "At most two paddles can be borrowed at a time.\n\n"
    "| Thing | Longest loan | Deposit |\n|---|---|---|\n| Paddles | 3 days | 10 euros |\n"
    "| Charts | 7 days | 5 euros |",
    context="Sailing club\nLoans",
)
COURSES = Evidence(
    4,
    "| Course | Price | Teacher |\n|---|---|---|\n| Knot tying | 15 euros | Ida Berg |\n"
    "| Night sailing | 80 euros | Tom Ek |",
    context="Sailing club\nCourses",
)


@pytest.fixture(scope="module")
def quote(encoder: OnnxEncoder):
    def quoted(question: str):
        asked = Asked(question)
        vector = encoder.encode([asked.text])[0]
        return Reading(asked, vector, (CLUB, RULES, LOANS, COURSES), encoder).quote()

    return quoted


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("how much is membership?", ("50 euros", "20 euros", "90 euros")),
        ("What are your membership fees?", ("50 euros", "20 euros", "90 euros")),
        ("How much is a course?", ("15 euros", "80 euros")),
        ("What does a family membership cost?", ("90 euros",)),
        ("where are the life jackets", ("hang behind the office door", "life jacket")),
        ("can i cancel a trip the day before", ("free of charge", "half of the price is due.")),
        ("How many paddles may I borrow at once?", ("At most two paddles",)),
        ("who teaches night sailing", ("Tom Ek",)),
        ("dogs", ("Dogs stay on a lead",)),
    ],
)
def test_what_answers_is_quoted(quote, question: str, told: tuple[str, ...]) -> None:
    quoted = quote(question)
    assert all(one in quoted.text for one in told)
    assert quoted.fits


def test_no_more_than_the_next_sentence_goes_with_a_rule(quote) -> None:
    assert "Somebody else" not in quote("can i cancel a trip the day before").text


def test_the_next_sentence_goes_with_what_may_not_answer_as_well(encoder) -> None:
    rule = "A trip may be cancelled up to a week before it starts. Otherwise the price is due."
    asked = Asked("Can I cancel a trip to the island because of illness?")
    source = Evidence(1, rule, context="Rules")
    quoted = Reading(asked, encoder.encode([asked.text])[0], (source,), encoder).quote()
    assert quoted.text == rule


def test_the_price_of_one_kind_is_no_list(quote) -> None:
    assert "Family" not in quote("What does membership cost for a junior?").text


def test_what_is_for_others_who_use_the_thing_does_not_fit(encoder) -> None:
    stands = "There are eight repair stands. One of them is kept for wheelchair users."
    asked = Asked("Do you repair wheelchairs?")
    source = Evidence(1, stands, context="Workshop")
    quoted = Reading(asked, encoder.encode([asked.text])[0], (source,), encoder).quote()
    assert quoted is None or not quoted.fits
