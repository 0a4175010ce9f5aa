"""What is quoted for a question: the passage that answers it, not one that shares its subject."""

from __future__ import annotations

import subprocess
import sys

import pytest

from skerry.edge.again import Again
from skerry.edge.encoder import OnnxEncoder
from skerry.edge.followup import Asked
from skerry.edge.quoting import Reading
from skerry.guardrails.answer import Evidence
from skerry.guardrails.passages import Passage, passages

BOATS = Evidence(
    1,
    "The boathouse is open from April to October, Tuesday to Sunday from 10:00 to 18:00.\n"
    "On Mondays it stays shut, and in winter as well.",
    context="Boat hire\nOpening times",
)
LAKE = Evidence(
    2,
    "Fishing needs a day ticket. It costs 6 pounds and is sold at the ticket office.\n"
    "Drones may not be flown over the reserve. The fine is 200 pounds.\n"
    "Before a course starts, no meal for two hours. Drinking water is fine at any time.\n\n"
    "- Coals go into the iron bins.\n- Nets are hung up to dry.",
    context="Rules of the lake",
)
PRICES = Evidence(
    3,
    "| Boat | Price per hour | Price per day |\n|---|---|---|\n"
    "| Rowing boat | 12 | 60 |\n| Kayak | 9 | 45 |\n| Pedal boat | 15 | 75 |",
    context="Prices",
)
SOURCES = (BOATS, LAKE, PRICES)


@pytest.fixture(scope="module")
def read(encoder: OnnxEncoder):
    def reading(question: str, before: str = "", sources: tuple[Evidence, ...] = SOURCES):
        asked = Asked(question, before)
        return Reading(asked, encoder.encode([asked.text])[0], sources, encoder)

    return reading


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("Is the boathouse open on Monday?", "On Mondays it stays shut"),
        ("What does a fishing ticket cost?", "6 pounds"),
        ("What is the fine for flying a drone?", "200 pounds"),
        ("May I drink water before a course?", "Drinking water is fine"),
    ],
)
def test_what_the_next_sentence_says_is_quoted_with_the_one_before(read, question, told) -> None:
    quoted = read(question).quote()
    assert quoted.fits
    assert told in quoted.text


NAMED = Evidence(
    1,
    "| Boat | Seats | Price per hour | Motor |\n|---|---|---|---|\n"
    "| Heron | 4 | 25 € | no |\n| Lapwing | 2 | 18 € | no |\n| Wren | 3 | 21 € | no |",
    context="Boats for hire",
)


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("What does the Wren cost?", "Boat: Wren; Seats: 3"),
        ("What is the difference between the Lapwing and the Wren?", "Boat: Lapwing; Seats: 2"),
    ],
)
def test_what_is_named_is_quoted_though_nothing_is_near(read, question: str, told: str) -> None:
    quoted = read(question, sources=(NAMED,)).quote()
    assert told in quoted.text
    assert "Heron" not in quoted.text
    assert read("What does the Swift cost?", sources=(NAMED,)).quote() is None


@pytest.mark.parametrize(
    ("question", "row"),
    [
        ("What does a kayak cost per day?", "Boat: Kayak; Price per hour: 9; Price per day: 45."),
        ("What is the price of a pedal boat?", "Boat: Pedal boat;"),
    ],
)
def test_a_row_is_quoted_with_its_columns(read, question: str, row: str) -> None:
    quoted = read(question).quote()
    assert quoted.fits
    assert quoted.text.startswith(row)


def test_the_words_of_a_follow_up_count_more_than_those_before_it(read) -> None:
    first = "What does a rowing boat cost per hour?"
    assert "Rowing boat" in read(first).quote().text
    assert "Pedal boat" in read("And a pedal boat?", first).quote().text
    assert "Kayak" in read("What about a kayak?", first).quote().text


def test_a_follow_up_about_what_is_not_there_does_not_fit(read) -> None:
    quoted = read("And a submarine?", "What does a rowing boat cost per hour?").quote()
    assert quoted is None or not quoted.fits


@pytest.mark.parametrize(
    "question", ["When are the nets hung up to dry?", "How many nets are there on the lake?"]
)
def test_a_passage_without_what_is_expected_does_not_fit(read, question: str) -> None:
    quoted = read(question).quote()
    assert quoted is None or not quoted.fits


def test_items_of_a_list_are_quoted_alone(read) -> None:
    assert read("Where do coals go?").quote().text == "Coals go into the iron bins."


def test_nothing_is_quoted_where_nothing_is_near_or_there(read) -> None:
    assert read("Who painted the Mona Lisa?").quote() is None
    assert read("Where do coals go?", sources=()).quote() is None


def test_near_is_what_answers_as_the_quotation_does(read) -> None:
    reading = read("What does a fishing ticket cost?")
    price = Passage("It costs 6 pounds and is sold at the ticket office.", LAKE.context)
    drones = Passage("Drones may not be flown over the reserve.", LAKE.context)
    assert reading.near(price, LAKE)
    assert not reading.near(drones, LAKE)


DEPOSIT = "A deposit of 50 euro is taken for every planned operation."


def otherwise(read, flyer: str, document: str = "flyer"):
    rules = Evidence(1, DEPOSIT, context="Deposits", document="rules")
    other = Evidence(2, flyer, context="Planned operations", document=document)
    question = "How much is the deposit for a planned operation?"
    return read(question, sources=(rules, other)).otherwise(DEPOSIT, rules)


def test_another_document_with_another_number_is_told(read) -> None:
    flyer = "Please bring a deposit of 80 euro for every planned operation."
    assert otherwise(read, flyer).text == flyer


@pytest.mark.parametrize(
    ("flyer", "document"),
    [
        ("Please bring a deposit of 50 euro for every planned operation.", "flyer"),
        ("Please bring a deposit of 80 euro for every planned operation.", "rules"),
        ("Please bring a deposit for every planned operation.", "flyer"),
        ("A deposit of 80 euro is taken for every rabbit that stays overnight.", "flyer"),
        ("The operation theatre has 80 lamps.", "flyer"),
        ("A deposit of fifty euro is taken for every planned operation.", "flyer"),
    ],
)
def test_what_agrees_or_is_about_something_else_is_no_disagreement(read, flyer, document) -> None:
    assert otherwise(read, flyer, document) is None


FAQ = Evidence(
    1,
    "Can the children eat on site?\nYes, in the shelter behind the workshop.\n\n"
    "What happens to the key at night?\nIt goes into the grey box by the door.",
    context="Questions that schools ask",
)


def test_a_question_in_a_document_is_answered_by_what_follows_it(read) -> None:
    quoted = read("Can the children eat on site?", sources=(FAQ,)).quote()
    assert "in the shelter behind the workshop" in quoted.text
    quoted = read("What happens to the key at night?", sources=(FAQ,)).quote()
    assert "grey box" in quoted.text
    alone = Evidence(1, "Can the children eat on site?", context="Questions")
    assert read("Can the children eat on site?", sources=(alone,)).quote() is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The cot is cleaned every 24 hours.", "The cot is cleaned once a day."),
        ("The dose of the syrup is 1 g.", "The dose of the syrup is 1000 mg."),
        ("The ward closes at 20:00.", "The ward closes at 8 pm."),
        ("The wait is 2 weeks for a slot.", "The wait is 14 days for a slot."),
    ],
)
def test_the_same_in_another_form_is_no_disagreement(read, one: str, other: str) -> None:
    rules = Evidence(1, one, document="rules")
    flyer = Evidence(2, other, document="flyer")
    reading = read(f"What of this? {one}", sources=(rules, flyer))
    assert reading.otherwise(one, rules) is None


@pytest.mark.parametrize(
    ("question", "rival", "same"),
    [
        (
            "When is insulin glargine given?",
            "Insulin lispro is given just before every meal.",
            "Insulin glargine has its time in the evening.",
        ),
        (
            "How long is the left gate open?",
            "The right gate is open for 6 hours a day.",
            "From 10:00 to 12:00 people pass through the left gate.",
        ),
        (
            "How much vitamin C is given a day?",
            "Vitamin K is given once a day, 2 mg.",
            "Of vitamin C, 80 mg are enough.",
        ),
    ],
)
def test_what_is_about_another_thing_loses_and_never_fits(read, question, rival, same) -> None:
    wrong, right = Evidence(1, rival, context="Rules"), Evidence(2, same, context="Rules")
    alone = read(question, sources=(wrong,)).quote()
    assert alone is None or not alone.fits
    both = read(question, sources=(wrong, right))
    assert (both.quote().text, both.quote().fits) == (same, True)
    assert not both.near(Passage(rival, "Rules"), wrong)


def test_a_day_that_is_not_named_is_hedged(read) -> None:
    quoted = read("Is the boathouse open on Christmas Day?").quote()
    assert quoted is None or not quoted.fits


def test_a_passage_with_every_word_is_near_whatever_its_meaning(read) -> None:
    quoted = read("Is it open in winter?").quote()
    assert quoted.text.endswith("On Mondays it stays shut, and in winter as well.")


def test_the_runtime_starts_without_what_only_a_quotation_needs() -> None:
    code = "import sys, skerry.edge.runtime; print('skerry.guardrails.grounding' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_what_is_half_near_is_quoted_as_what_may_not_answer(read) -> None:
    broken = Evidence(
        1, "You pay for damage up to 500 euros; the rest is paid by our insurance.", context="FAQ"
    )
    quoted = read("How much do I have to pay if I break something?", sources=(broken,)).quote()
    assert quoted is not None
    assert not quoted.fits
    assert read("Who is the prime minister?", sources=(broken,)).quote() is None


VET = Evidence(
    1,
    "Instruments are sterilised at 134 degrees for 18 minutes. Packs may be stored.\n\n"
    "The tallest autoclave is 2 metres high.",
    context="Handbook\nInstruments",
)
PUPPIES = Evidence(
    2,
    "Puppy classes are held on Saturdays. Puppies must be between 10 and 18 weeks old.\n\n"
    "The practice is closed on 25 and 26 December.",
    context="Handbook\nPuppy classes",
)
FEES = Evidence(
    3,
    "| Animal | Booster |\n|---|---|\n| Dog | 58 |\n| Cat | 54 |\n| Rabbit | 61 |",
    context="Handbook\nFees",
)
PLAN = Evidence(
    4, "- blood tests\n- operations", context="Handbook\nWhat the plan does not include"
)
PRACTICE = (VET, PUPPIES, FEES, PLAN)


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("At what temperature are instruments sterilised?", "134 degrees"),
        ("Minimum age for puppy classes", "between 10 and 18 weeks"),
        ("Are you closed on Christmas Day?", "25 and 26 December"),
        ("Are you closed on Boxing Day?", "25 and 26 December"),
    ],
)
def test_what_gives_the_kind_that_is_asked_for_needs_no_other_word(read, question, told) -> None:
    quoted = read(question, sources=PRACTICE).quote()
    assert quoted.fits
    assert told in quoted.text


@pytest.mark.parametrize(
    ("question", "before", "told"),
    [
        ("And for cats?", "How much is a booster for a dog?", "Cat"),
        ("What about rabbits?", "How much is a booster for a dog?", "Rabbit"),
    ],
)
def test_what_goes_on_takes_the_place_of_what_was_asked(read, question, before, told) -> None:
    quoted = read(question, before, sources=PRACTICE).quote()
    assert quoted.text.startswith(f"Animal: {told}")
    assert quoted.fits


def test_a_list_of_what_is_not_answers_no_question_for_what_is(read) -> None:
    quoted = read("What is included in the plan?", sources=PRACTICE).quote()
    assert quoted is None or not quoted.fits
    assert read("What does the plan not include?", sources=PRACTICE).quote().text.startswith("- ")


def test_the_source_is_quoted_at_length_where_it_is_asked_for_again(read, encoder) -> None:
    asked = Asked("How are instruments sterilised?", again=Again.SOURCE)
    reading = Reading(asked, encoder.encode([asked.text])[0], PRACTICE, encoder)
    assert reading.quote().text == VET.text
    shorter = Asked(asked.question, again=Again.SHORTER)
    quoted = Reading(shorter, encoder.encode([asked.text])[0], PRACTICE, encoder).quote()
    assert quoted.is_whole
    assert "2 metres" not in quoted.text


def test_a_sentence_beside_an_answer_goes_on_from_it(read) -> None:
    trolley = Evidence(
        4,
        "The emergency trolley is checked every day before 09:00, and again after each use. "
        "The duty nurse does the check and signs the trolley log. An unsigned day is reported to "
        "the on-call manager on extension 250.",
        context="Emergency trolley checks\nEmergency trolley checks\nHow often",
    )
    reading = read("How often is the emergency trolley checked?", sources=(trolley, *SOURCES))
    answer, nurse = (
        next(one for one in passages(trolley) if one.text.startswith(words))
        for words in ("The emergency", "The duty")
    )
    assert not reading.near(nurse, trolley)
    assert reading.near(answer, trolley)
    assert reading.near(nurse, trolley)
