"""One wording for what is said in several; what says something else stays apart."""

from __future__ import annotations

import pytest

from skerry.guardrails import Evidence
from skerry.guardrails.judging import Judge
from skerry.guardrails.passages import Passage
from skerry.guardrails.rewording import reworded_sentence
from skerry.guardrails.rewording.cells import says_a_cell
from skerry.guardrails.rewording.sources import reworded_sources, same_words

SAME = [
    ("It is not given unless the wound is red.", "It is given only if the wound is red."),
    ("Unless it rains, they row.", "They row unless it rains."),
    ("If it is not frozen, the pump is used.", "The pump is used unless it is frozen."),
    ("If riders are not ill, they may row.", "Riders may row unless they are ill."),
    ("Except when it is wet, it is open.", "It is open unless it is wet."),
    ("Smoking is forbidden in all cars.", "You must not smoke in all cars."),
    ("Drinks must not be brought in.", "You must not bring drinks in."),
    ("It is prohibited to work alone.", "You are not allowed to work alone."),
    ("Tablets may be prescribed only by doctors.", "Only doctors may prescribe tablets."),
    ("Nobody but nurses may open it.", "Only nurses may open it."),
    ("Knives are sharpened by Mr Bell.", "Mr Bell sharpens knives."),
    ("Members who are 18 or over may row.", "Members who are at least 18 may row."),
    ("It is open from 9 am to 5:30 pm.", "It is open between 09:00 and 17:30."),
    ("It closes no later than 9 pm.", "It closes by 21:00."),
    ("They are told no later than 2 days after it.", "They are told within 2 days after it."),
    ("A copy costs nothing.", "A copy is free of charge."),
    ("You may borrow up to 10 books.", "You may borrow at most 10 books."),
    ("The room is open on Mondays from 09:00 to 12:00.",
     "The room is open from 09:00 to 12:00 on Mondays."),
]  # fmt: skip
OTHER = [
    ("It is given unless the wound is red.", "It is given only if the wound is red."),
    ("They row if it rains.", "They row unless it rains."),
    ("Only nurses may open it.", "Nurses may only open it."),
    ("When the flag is up, boats may only leave.", "Boats may leave only when the flag is up."),
    ("Ana is paid by Tom.", "Tom is paid by Ana."),
    ("You do not have to pay.", "You must not pay."),
    ("Members over 18 may row.", "Members who are at most 18 may row."),
    ("It may not be used.", "It may be used."),
    ("It may not work.", "It cannot work."),
    ("He is told within 2 days before it.", "He is told at least 2 days before it."),
    ("Dogs are carried from the hall to the car.", "Dogs are carried to the hall from the car."),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_what_says_the_same(one: str, other: str) -> None:
    assert same_words(reworded_sentence(one), reworded_sentence(other))


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_what_says_something_else(one: str, other: str) -> None:
    assert not same_words(reworded_sentence(one), reworded_sentence(other))


@pytest.mark.parametrize(
    "text",
    [
        "| Boat | must not be hired |",
        "",
        "Yes.",
        "x" * 2_000,
        "The room is blue.",
        "42",
        "Unless,",
        "Any reading below 2 °C or above 8 °C counts.",
        "It is done for nothing.",
        "After an hour the guard looks, and after two he rings.",
        "<p>Drinks must not be brought in.</p>",
        "A paper that gives no date holds without a seal.",
        "It is in force from when it was added.",
        "The dose is 1 g up to four times a day.",
        "It costs little (unless it rains, they say).",
    ],
)
def test_what_it_does_not_know_is_left_as_it_is(text: str) -> None:
    assert reworded_sentence(text) == text


def test_contractors_who_do_something_else_besides() -> None:
    told = "Contractors wear a badge and are accompanied by a member of staff."
    assert reworded_sentence(told) == "A member of staff accompanies contractors, who wear a badge."


def test_only_what_is_on_the_matter_is_reworded() -> None:
    text = "Drinks must not be brought in. Knives are sharpened by Mr Bell."
    (source,) = reworded_sources("Mr Bell sharpens the knives.", [Evidence(1, text)])
    assert source.text == "Drinks must not be brought in. Mr Bell sharpens knives."


def test_a_claim_in_other_words_is_released_as_it_was_written() -> None:
    source = Evidence(3, "The cream is used only if the wound is red.")
    claim = "The cream is not used unless the wound is red."
    assert Judge("", [source])(claim).text == "The cream is not used unless the wound is red [3]."
    assert not Judge("", [source])("The cream is not used if the wound is red.").text


ROW = Passage(
    "| Kite | 12 euros | 60 euros | 11 kg |", "", "| Model | Day fee | Week fee | Weight |"
)


@pytest.mark.parametrize(
    ("claim", "told"),
    [
        ("The Kite weighs 11 kg.", True),
        ("The Kite costs 12 euros a day.", True),
        ("The week fee of the Kite is 60 euros.", True),
        ("The Kite costs 60 euros a day.", False),
        ("The Kite costs 12 euros.", False),
        ("The Kite weighs 12 kg.", False),
        ("The Tern weighs 11 kg.", False),
        ("The Kite does not weigh 11 kg.", False),
        ("The Kite weighs 11 kg and is red.", False),
    ],
)
def test_a_cell_of_a_row(claim: str, told: bool) -> None:
    assert says_a_cell(claim, ROW) is told
