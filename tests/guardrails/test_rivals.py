"""A passage about another thing of the same kind is no answer; one about the same thing may be."""

from __future__ import annotations

import pytest

from skerry.guardrails.rivals import Subject

RIVALS = [
    ("What is the dose of insulin glargine?", "Insulin lispro is given before a meal.", "Insulin"),
    ("How much warfarin is given?", "Heparin is given under the skin.", "Anticoagulants"),
    ("How is the left knee bandaged?", "The right knee is bandaged from below.", "Bandages"),
    ("What is the adult dose?", "Children take 5 ml twice a day.", "Cough syrup"),
    ("Is the pool open in winter?", "The pool is open in summer from 8.", "Pool"),
    ("How is sodium chlorate stored?", "Sodium chloride is stored dry.", "Store"),
    ("How much vitamin C is given?", "Vitamin K is given once, 2 mg.", "Vitamins"),
    ("Where is room 5?", "Room 4 is on the first floor.", "Rooms"),
    ("What does a motor boat cost?", "A rowing boat costs 12 pounds.", "Prices"),
    ("What does a double kayak cost?", "Boat: Kayak; Price: 9.", "Prices"),
    ("Who calls the night porter?", "The day porter is called by the desk.", "Porters"),
    ("What is the dose for a child of 40 kg?", "A child of 30 kg gets 15 ml.", "Doses"),
]
SAME = [
    ("When is insulin glargine given?", "It is given at night.", "Insulin glargine"),
    ("When is insulin glargine given?", "Insulin lispro before a meal, glargine at night.", ""),
    ("How is the left knee bandaged?", "The left and the right knee are bandaged alike.", ""),
    ("What is the adult dose?", "Adults take 10 ml, children 5 ml.", "Cough syrup"),
    ("How much vitamin K is given?", "Vitamin K is given once, 2 mg.", "Vitamins"),
    ("How often is the trolley checked?", "The emergency trolley is checked daily.", "Trolley"),
    ("What does a kayak cost?", "Boat: Double kayak; Price: 14.", "Prices"),
    ("Can I cancel 30 hours before?", "It may be cancelled up to 24 hours before.", "Booking"),
    ("May I bring 3 bags of 20 kg?", "Bags of more than 15 kg are not taken.", "Bags"),
    ("How long is the clean pump kept?", "Keep the area clear. The pump is kept a year.", ""),
    ("When is the opening ceremony of the new east wing of the old town hall?",
     "The closing ceremony of the town hall was in May.", ""),
]  # fmt: skip


@pytest.mark.parametrize(("question", "text", "context"), RIVALS)
def test_another_thing_in_its_place_is_a_rival(question: str, text: str, context: str) -> None:
    assert Subject(question).has_rival(text, context)


@pytest.mark.parametrize(("question", "text", "context"), SAME)
def test_the_same_thing_is_none(question: str, text: str, context: str) -> None:
    assert not Subject(question).has_rival(text, context)


def test_a_name_that_the_passage_lacks_is_missed_in_a_short_question() -> None:
    hours = "The house is open daily and closed on public holidays."
    assert Subject("Is the house open on Christmas Day?").lacks_name(hours, "House")
    assert not Subject("Is the house open on Christmas Day?").lacks_name(hours, "Christmas Day")
    assert not Subject("Is the house open daily?").lacks_name(hours, "House")
    long = "Which of the many houses that the trust in Kent owns is open daily and has a garden?"
    assert not Subject(long).lacks_name(hours, "House")


@pytest.mark.parametrize(
    ("question", "lacks"),
    [
        ("Which is dearer, the keelboat or the electric boat?", True),
        ("Is the electric boat or the canoe cheaper?", True),
        ("Is it cheaper to hire the electric boat or an electric boat?", False),
        ("Do I pay more on Saturday or Sunday?", False),
    ],
)
def test_a_choice_is_not_answered_by_one_of_it_alone(question: str, lacks: bool) -> None:
    row = "Boat: Electric boat; 1 hour: 35 euros."
    assert Subject(question).lacks_name(row, "Boat hire") is lacks


@pytest.mark.parametrize(
    ("question", "months", "another"),
    [
        ("When are you open on Sunday in July?", "November to March", True),
        ("When are you open on Sunday in July?", "June to August", False),
        ("When are you open in January?", "November to March", False),
        ("Is the office open on 3 May?", "June–August", True),
        ("May I come on Sunday?", "November to March", False),
        ("When are you open in July?", "24 November to March", False),
    ],
)
def test_a_row_of_other_months_is_no_answer(question: str, months: str, another: bool) -> None:
    row = f"Months: {months}; Sunday: 10:00-16:00."
    assert Subject(question).has_rival(row, "Opening hours") is another
