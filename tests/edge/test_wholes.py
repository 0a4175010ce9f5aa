"""Steps and rows are quoted whole, and no model tells a part of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from skerry.edge import Runtime, Tier
from skerry.edge.encoder import OnnxEncoder
from skerry.edge.followup import Asked
from skerry.edge.index import Event
from skerry.edge.quoting import Reading
from skerry.edge.types import RequestClass
from skerry.edge.wholes import COMPARISONS
from skerry.guardrails import Verdict
from skerry.guardrails.answer import Evidence
from skerry.guardrails.gate import NEAREST
from skerry.guardrails.passages import passages
from tests.edge.asking import route_as

HOUSE = """# Heron House

## Rooms

| Room | Price per day | Seats | Projector |
|---|---|---|---|
| Heron | 120 pounds | 40 | yes |
| Kingfisher | 85 pounds | 12 | no |
| Lapwing | 95 pounds | 20 | yes |
| Wren | 60 pounds | 6 | no |

## Changing a lamp

The caretaker has the lamps of the projector. To change one:

1. Switch the projector off and pull the plug.
2. Wait for ten minutes. The lamp is hot.
3. Do not touch the glass.
4. Put the new lamp in.

## Booking

Book a room at the office. Bring with you:

- indoor shoes
- a name badge

The office is reached on extension 12.
"""
STEPS = (
    "To change one:\n1. Switch the projector off and pull the plug.\n"
    "2. Wait for ten minutes. The lamp is hot.\n3. Do not touch the glass.\n"
    "4. Put the new lamp in. [1]"
)


@pytest.fixture
def house(make_runtime, tmp_path: Path) -> Runtime:
    (tmp_path / "house.md").write_text(HOUSE)
    runtime = make_runtime(route_as(RequestClass.QUESTION), offline=True)
    runtime.index.add([tmp_path / "house.md"])
    return runtime


@pytest.mark.parametrize(
    "question", ["How do I change a lamp?", "What are the steps for changing the projector lamp?"]
)
def test_all_steps_are_told_in_their_order(house: Runtime, scripted, question: str) -> None:
    reply = house.ask(question)
    assert reply.text.replace("[2]", "[1]") == STEPS
    assert reply.verdict is Verdict.RELEASED
    assert (reply.receipt.model, scripted.seen) == (None, [])


def test_what_a_sentence_answers_needs_no_list(house: Runtime, scripted) -> None:
    scripted.draft = "The office is reached on extension 12 [1]."
    assert house.ask("How can I reach the office?").text.startswith("The office is reached")


def test_an_introduction_is_quoted_with_what_it_introduces(house: Runtime) -> None:
    text = house.ask("What should I bring?").text
    assert text.startswith("Bring with you:\n- indoor shoes\n- a name badge [")


@pytest.mark.parametrize(
    "question", ["Tell me about booking", "booking", "Booking?", "What do you know about booking?"]
)
def test_all_on_a_topic_is_the_section_under_its_heading(house: Runtime, question: str) -> None:
    reply = house.ask(question)
    assert reply.text.startswith("Book a room at the office. Bring with you:\n\n- indoor shoes\n")
    assert "extension 12." in reply.text
    assert reply.verdict is Verdict.RELEASED


def test_rows_of_a_topic_have_the_names_of_their_columns(house: Runtime) -> None:
    text = house.ask("Tell me about the rooms").text
    assert text.count("- Room: ") == 4
    assert "|" not in text


def test_what_is_asked_of_a_topic_is_no_topic(house: Runtime) -> None:
    text = house.ask("Tell me about booking by telephone").text
    assert "indoor shoes\n- a name badge\n\nThe office" not in text


def test_of_a_long_section_the_beginning_is_shown_with_a_warning(
    make_runtime, tmp_path: Path
) -> None:
    lines = "\n\n".join(f"Shelf {n} of the boathouse has paddle {n}." for n in range(30))
    (tmp_path / "paddles.md").write_text(f"# House\n\n## Paddles\n\n{lines}\n")
    runtime = make_runtime(route_as(RequestClass.QUESTION), offline=True)
    runtime.index.add([tmp_path / "paddles.md"])
    reply = runtime.ask("Tell me about paddles")
    assert reply.text.startswith(NEAREST)
    assert "paddle 0." in reply.text
    assert "paddle 29." not in reply.text


def test_the_cheapest_row_is_told_alone(house: Runtime, scripted) -> None:
    scripted.draft = "Room: Kingfisher; Price per day: 85 pounds; Seats: 12; Projector: no [1]."
    text = house.ask("Which room is the cheapest?").text
    assert text.startswith("Room: Wren; Price per day: 60 pounds; Seats: 6; Projector: no.")


def test_an_extreme_that_cannot_be_told_is_not(house: Runtime, scripted) -> None:
    scripted.draft = "Room: Kingfisher; Price per day: 85 pounds; Seats: 12; Projector: no [1]."
    reply = house.ask("Which room is the second cheapest?")
    assert reply.text.startswith(NEAREST)
    assert reply.text.count("- Room: ") == 4
    assert reply.verdict is Verdict.REPAIRED


@pytest.mark.parametrize(
    ("question", "rows"),
    [
        ("Compare Heron and Kingfisher", ["Heron", "Kingfisher"]),
        ("Is the Heron bigger than the Wren?", ["Heron", "Wren"]),
    ],
)
def test_both_of_a_comparison_are_told(
    make_runtime, tmp_path: Path, scripted, question: str, rows: list[str]
) -> None:
    (tmp_path / "house.md").write_text(HOUSE)
    runtime = make_runtime(route_as(RequestClass.UNSUPPORTED), offline=True)
    runtime.index.add([tmp_path / "house.md"])
    reply = runtime.ask(question)
    assert [line.split(";")[0] for line in reply.text.splitlines()] == [
        f"- Room: {row}" for row in rows
    ]
    assert reply.receipt.input.classification.rules_of == COMPARISONS
    assert not scripted.seen


def test_what_is_refused_and_no_comparison_stays_refused(make_runtime) -> None:
    runtime = make_runtime(route_as(RequestClass.UNSUPPORTED), offline=True)
    assert runtime.route("What is the capital of Norway?").tier is Tier.REFUSE


def test_a_table_that_goes_on_elsewhere_tells_no_extreme(make_runtime, tmp_path: Path) -> None:
    rows = "\n".join(
        f"| Tent {at} with a long name of its own and many words | {90 - at} kg | green |"
        for at in range(60)
    )
    table = f"# Tents\n\n| Tent | Weight | Remarks |\n|---|---|---|\n{rows}\n"
    (tmp_path / "tents.md").write_text(table)
    runtime = make_runtime(route_as(RequestClass.QUESTION), offline=True)
    runtime.index.add([tmp_path / "tents.md"])
    assert not runtime.ask("Which tent is the lightest?").text.startswith("Tent:")


def test_long_steps_that_are_not_all_there_are_hedged(encoder: OnnxEncoder) -> None:
    steps = Evidence(1, "3. Boil the tent pegs.\n4. Dry the tent pegs.", context="Tent pegs")
    question = "How do I clean tent pegs?"
    reading = Reading(Asked(question), encoder.encode([question])[0], [steps], encoder)
    assert not reading.quote().fits


def test_steps_that_go_on_beyond_their_source_are_hedged(encoder: OnnxEncoder) -> None:
    steps = Evidence(1, "1. Boil the tent pegs.\n2. Dry the tent pegs.", context="Tent pegs")
    question = "How do I clean tent pegs?"

    def reading(after: str) -> Reading:
        vector = encoder.encode([question])[0]
        return Reading(Asked(question), vector, [steps], encoder, lambda _: ("Pegs", after))

    assert reading("\nNothing more.").quote().fits
    assert not reading("\n3. Count the tent pegs.").quote().fits


def test_only_what_is_quoted_whole_is_near(encoder: OnnxEncoder) -> None:
    table = Evidence(1, "| Tent | Weight |\n| Dune | 12 kg |\n| Ridge | 3 kg |", context="Tents")
    question = "Which tent is the lightest?"
    reading = Reading(Asked(question), encoder.encode([question])[0], [table], encoder)
    assert [reading.near(row, table) for row in passages(table)] == [False, True]


@pytest.mark.parametrize(
    ("question", "row"),
    [
        ("And the heaviest?", "Tent: Dune;"),
        ("And what does the Dune weigh?", "Tent: Dune;"),
        ("And of nylon?", "Tent: Ridge;"),
    ],
)
def test_a_follow_up_wants_what_it_asks_for_or_else_the_same(encoder, question, row) -> None:
    table = "| Tent | Weight | Cloth |\n| Dune | 12 kg | cotton |\n| Ridge | 3 kg | nylon |"
    asked = Asked(question, "Which tent is the lightest?")
    source = [Evidence(1, f"{table}\n| Cove | 2 kg | canvas |", context="Tents")]
    reading = Reading(asked, encoder.encode([asked.text])[0], source, encoder)
    assert reading.quote().text.startswith(row)


def test_an_extreme_needs_a_passage_that_tells_of_one(encoder: OnnxEncoder) -> None:
    question = "Which tent is the lightest?"

    def fits(text: str) -> bool:
        source = [Evidence(1, text, context="Tents")]
        vector = encoder.encode([question])[0]
        return Reading(Asked(question), vector, source, encoder).quote().fits

    assert fits("The Ridge is the lightest tent.")
    assert not fits("The Dune tent is light.")


COURSES = """# Sailing courses

| Course | Days | Price |
|---|---|---|
| Optimist | 5 | 220 euros |
| Coastal skipper | 6 | 690 euros |

## What to bring

For every course please bring:

- a towel
- a change of clothes
"""


def test_the_rows_that_are_listed_go_before_a_list_of_something_else(
    make_runtime, tmp_path: Path
) -> None:
    (tmp_path / "courses.md").write_text(COURSES)
    runtime = make_runtime(route_as(RequestClass.QUESTION), offline=True)
    runtime.index.add([tmp_path / "courses.md"])
    text = runtime.ask("List all courses").text
    assert text.startswith("- Course: Optimist; Days: 5; Price: 220 euros.\n- Course: Coastal")


def test_rows_that_another_table_may_add_to_are_hedged(encoder: OnnxEncoder) -> None:
    question = "List all boats"
    some = Evidence(1, "| Boat | Berth |\n| Eider | A1 |\n| Heron | A2 |", context="Boats")
    more = Evidence(2, "| Boat | Shed |\n| Gannet | B1 |", context="Boats in the shed")

    def fits(*sources: Evidence) -> bool:
        reading = Reading(Asked(question), encoder.encode([question])[0], sources, encoder)
        return reading.quote().fits

    assert fits(some)
    assert not fits(some, more)


def test_an_extreme_is_told_by_the_table_that_has_its_column(encoder: OnnxEncoder) -> None:
    question = "Which boat is the longest?"
    shed = Evidence(1, "| Length of the boat | Shed |\n| up to 5 m | 310 |\n| 5 to 7 m | 430 |")
    fleet = Evidence(
        2, "| Name | Type | Length |\n| Avocet | Keelboat | 6.4 |\n| Eider | Electric boat | 5 |"
    )
    vector = encoder.encode([question])[0]
    quoted = Reading(Asked(question), vector, [shed, fleet], encoder).quote()
    assert quoted.text == "Name: Avocet; Type: Keelboat; Length: 6.4."
    assert quoted.fits


RULES = """# Climbing hall

## What is forbidden

- earphones while belaying
- rings, bracelets and long necklaces

## People

| Role | Name |
|---|---|
| Safety officer | Fenna de Boer |
| Treasurer | Lionel Pratt |

The deputy of the safety officer is Marcus Hale. Old ropes are given to the scouts in Millbrook.
"""


@pytest.fixture
def hall(make_runtime, tmp_path: Path) -> Runtime:
    (tmp_path / "hall.md").write_text(RULES)
    runtime = make_runtime(route_as(RequestClass.LOOKUP), offline=True)
    runtime.index.add([tmp_path / "hall.md"])
    return runtime


def test_a_heading_that_asks_is_answered_by_its_section(hall: Runtime) -> None:
    text = hall.ask("What is forbidden?").text
    assert text.startswith("- earphones while belaying\n- rings, bracelets")


def test_an_item_of_a_list_is_quoted_with_its_heading(hall: Runtime, scripted) -> None:
    scripted.draft = "I do not know."
    text = hall.ask("Can I wear long necklaces and bracelets?").text
    assert "What is forbidden: rings, bracelets and long necklaces" in text


def test_how_often_is_no_word_that_an_answer_has(hall: Runtime, scripted) -> None:
    scripted.draft = "I do not know."
    hall.index.ingest([Event("notes", "1", "The machine is descaled every 14 days.")])
    text = hall.ask("How often is the machine descaled?").text
    assert text.startswith("The machine is descaled every 14 days")
    assert not text.startswith(NEAREST)


def test_who_somebody_is_is_told_by_a_name(hall: Runtime, scripted) -> None:
    scripted.draft = "I do not know."
    assert "Fenna de Boer" in hall.ask("Who is the safety officer?").text


@pytest.mark.parametrize(
    "question", ["Who is the mayor of Millbrook?", "Who was the treasurer in 2019?"]
)
def test_what_lacks_the_point_of_a_question_may_not_answer(
    hall: Runtime, scripted, question: str
) -> None:
    scripted.draft = "I do not know."
    text = hall.ask(question).text
    assert text.startswith(NEAREST) or "do not say" in text


def test_a_heading_gives_the_sections_under_it(encoder: OnnxEncoder) -> None:
    day = Evidence(1, "| Ticket | Peak |\n|---|---|\n| Adult | 14 |", context="Prices\nPrices\nDay")
    cards = Evidence(2, "A card costs 120.", context="Prices\nPrices\nCards")
    asked = Asked("prices")
    quoted = Reading(asked, encoder.encode(["prices"])[0], (day, cards), encoder).quote()
    assert quoted is not None
    assert [one.text for one in (quoted, *quoted.more)] == [
        "Day:\n- Ticket: Adult; Peak: 14.",
        "Cards:\nA card costs 120.",
    ]


def test_the_heading_that_says_least_else_is_meant(encoder: OnnxEncoder) -> None:
    fridge = Evidence(1, "It stays cold.", context="Handbook\nVaccine fridge")
    fees = Evidence(2, "A first course costs 84.", context="Fees\nVaccination")
    asked = Asked("vaccination")
    quoted = Reading(asked, encoder.encode(["vaccination"])[0], (fridge, fees), encoder).quote()
    assert quoted is not None
    assert quoted.text == "A first course costs 84."


def test_steps_of_something_else_are_not_told_for_one_of_them(encoder: OnnxEncoder) -> None:
    joining = Evidence(
        1,
        "1. Make an appointment for a health check.\n2. Fill in the form.\n3. Pay.",
        context="Plan\nJoining",
    )
    asked = Asked("How do I make an appointment?")
    quoted = Reading(asked, encoder.encode([asked.text])[0], (joining,), encoder).quote()
    assert quoted is None or "Fill in" not in quoted.text
