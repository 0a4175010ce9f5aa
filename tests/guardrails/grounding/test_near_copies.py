"""Claims with nearly all the words of their sentence: what is changed, and what may be."""

from __future__ import annotations

import pytest

from skerry.guardrails.grounding.exact import ExactKind, Passage, exact_findings

CHANGED = [
    ("Nurses may only open it.", "Only nurses may open it.", ExactKind.EXTENT),
    ("Only nurses may open it.", "Nurses may open it only with a key.", ExactKind.EXTENT),
    ("When the flag is up, boats may only leave.", "Boats may leave only when the flag is up.",
     ExactKind.EXTENT),
    ("Boots and gloves are worn.", "Boots or gloves are worn.", ExactKind.EXTENT),
    ("Staff or guests wear a badge.", "Staff and guests wear a badge.", ExactKind.EXTENT),
    ("It is open from Monday to Thursday.", "It is open on Monday and Thursday.", ExactKind.DATE),
    ("It is open Mon-Thu.", "It is open on Monday, Tuesday and Thursday.", ExactKind.DATE),
    ("It is open on Monday and Friday.", "It is open from Monday to Friday.", ExactKind.DATE),
    ("It is valid in May and July.", "It is valid from May to July.", ExactKind.DATE),
    ("Guides speak French on Tuesdays.",
     "Guides speak English on Tuesdays, French on Thursdays and German at weekends.",
     ExactKind.DATE),
    ("If the bell rings, run to the exit and wait.",
     "If the bell rings, walk to the exit and wait.", ExactKind.ROLE),
    ("If it leaks, stop the valve and open the tap.",
     "If it leaks, turn the valve and open the tap.", ExactKind.ROLE),
    ("If the pump is hot, the nurse is called and the pump continues.",
     "If the pump is hot, the pump is stopped and the nurse is called.", ExactKind.NEGATION),
    ("If it bleeds, rinse the gauze and call us.", "If it bleeds, bite on gauze and call us.",
     ExactKind.ROLE),
    ("The pump is tested every Monday.", "The pump is tested on the first Monday of the month.",
     ExactKind.FREQUENCY),
    ("Cells must not be charged indoors.", "Cells must not be charged indoors overnight.",
     ExactKind.EXTENT),
    ("Pupils eat free.", "Meals cost 3 pounds, but pupils with a card eat free.", ExactKind.EXTENT),
    ("Tyres are mended free.", "Tyres are mended free for members only.", ExactKind.EXTENT),
    ("A booking may be changed.", "A booking may be changed until an hour before it starts.",
     ExactKind.EXTENT),
    ("The room is closed on Sundays.",
     "The room has a lift. It is closed on Sundays unless it rains.", ExactKind.EXTENT),
    ("The room is closed on Sundays, even for staff.",
     "The room has a lift. It is closed on Sundays unless staff need it.", ExactKind.EXTENT),
    ("The cream is used unless the wound is red.", "The cream is used only if the wound is red.",
     ExactKind.EXTENT),
    ("Guests may enter without a badge.", "Guests may not enter without a badge, even if asked.",
     ExactKind.EXTENT),
    ("Nuts are allowed in the kitchen but not in the hall.",
     "Nuts are not allowed in the kitchen or in the hall.", ExactKind.NEGATION),
    ("It is checked 15 minutes before each use.", "It is checked 15 minutes after each use.",
     ExactKind.BOUND),
    ("It is free within 24 hours before it begins.", "It is free until 24 hours before it begins.",
     ExactKind.BOUND),
    ("The Tern is the cheapest model.", "Model: Tern; Fee: 18 euros. Model: Kite; Fee: 12 euros.",
     ExactKind.EXTENT),
]  # fmt: skip
FAIR = [
    ("The vaccine is given only to adults.", "The vaccine is only given to adults."),
    ("Only adults are given the vaccine.", "The vaccine is given only to adults."),
    ("Gloves or boots are worn.", "Boots or gloves are worn."),
    ("Dogs may enter the hall or the yard.", "Dogs may enter the hall and the yard."),
    ("Nuts are not allowed in the hall and the yard.",
     "Nuts are not allowed in the hall or the yard."),
    ("It is open on Tuesday.", "It is open from Monday to Thursday."),
    ("It is open from Tuesday to Thursday.", "It is open on Tuesday, Wednesday and Thursday."),
    ("It is valid in June.", "It is valid from May to July."),
    ("The pump is tested every month.", "The pump is tested on the first Monday of the month."),
    ("If the bell rings, ring the porter.", "If the bell rings, call the porter."),
    ("The clinic is open on Mondays.", "The clinic is open on Mondays from 09:00 to 17:00."),
    ("The key is kept in the office.", "The key of the shed is kept in the office."),
    ("Children may not enter.", "Visitors may stay if they are asked, but children may not enter."),
    ("The Kite is the lightest model.", "Model: Kite; Fee: 12 euros. The Kite is the lightest."),
]  # fmt: skip


@pytest.mark.parametrize(("claim", "told", "kind"), CHANGED)
def test_what_is_changed_is_found(claim: str, told: str, kind: ExactKind) -> None:
    assert kind in {one.kind for one in exact_findings(claim, Passage(told))}


@pytest.mark.parametrize(("claim", "told"), FAIR)
def test_what_is_fair_is_not(claim: str, told: str) -> None:
    assert not exact_findings(claim, Passage(told))


def test_what_the_question_has_already_may_be_left_out() -> None:
    claim, told = "Cells must not be charged.", "Cells must not be charged indoors overnight."
    question = "May cells be charged indoors overnight?"
    assert exact_findings(claim, Passage(told))
    assert not exact_findings(claim, Passage(told), question=question)
