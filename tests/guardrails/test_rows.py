"""Which rows of a table a question is about; nothing is concluded that the table does not say."""

from __future__ import annotations

import pytest

from skerry.guardrails.answer import Evidence
from skerry.guardrails.rows import choose
from skerry.guardrails.tables import amounts, has_thing, tables
from skerry.guardrails.wanted import wanted

ROOMS = """| Room | Price per day | Price per hour | Seats | Projector |
| Heron | 120 pounds | 20 pounds | 40 | yes |
| Kingfisher | 85 pounds | 22 pounds | 12 | no |
| Lapwing | 95 pounds | 15 pounds | 20 | yes |
| Wren | 60 pounds | 12 pounds | 6 | no |"""
TENTS = """| Tent | Material | Weight | Sleeps |
|---|---|---|---|
| Dune | cotton | 12 kg | 4 |
| Ridge | nylon | 3 kg | 2 |
| Cove | nylon | 3 kg | 3 |
| Cliff | canvas | about 9 kg | 5 |"""
BOATS = """| Boat | Persons | 1 hour | Half day | Full day |
| Rowing boat | 4 | €15 | €40 | €64 |
| Pedal boat | 4 | €18 | €46 | €70 |
| Kayak, single | 1 | €12 | €30 | €45 |
| Kayak, double | 2 | €17 | €44 | €66 |
| Electric boat | 6 | €35 | €98 | €160 |
| Keelboat | 6 | €48 | €140 | €225 |"""
FLEET = """| Name | Type | Built | Length (m) | Motor |
| Avocet | Keelboat | 2009 | 6.4 | yes |
| Curlew | Sailing dinghy | 2018 | 4.2 | no |
| Eider | Electric boat | 2021 | 5.1 | yes |
| Gannet | Rowing boat | 1998 | 4.0 | no |"""
COURSES = """| Course | Days | Price |
| Youth dinghy | 5 | €265 |
| Motor boat licence | 2 | €185 |"""
SIZES = """| Size | Chest |
| S | 90 |
| M | 98 |
| L | n/a |"""


def rows(question: str, text: str, title: str = "Heron House") -> tuple[list[str], bool] | None:
    """The first cells of the rows chosen, and whether they are surely all of the answer."""
    want = wanted(question)
    assert want is not None
    (table,) = tables([Evidence(1, text, context=title)])
    chosen = choose(question, want, table)
    return chosen and ([table.body[at][0] for at in chosen.rows], chosen.sure)


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("Which room is the cheapest per day?", ["Wren"]),
        ("What is the most expensive room per hour?", ["Kingfisher"]),
        ("Which room is the cheapest?", ["Wren"]),
        ("Which room with a projector is the cheapest?", ["Lapwing"]),
        ("Which room without a projector is the cheapest?", ["Wren"]),
        ("Which room has the most seats?", ["Heron"]),
        ("Which room has the fewest seats?", ["Wren"]),
        ("What is the smallest room?", ["Wren"]),
        ("How many rooms are there?", ["Heron", "Kingfisher", "Lapwing", "Wren"]),
        ("How many rooms have a projector?", ["Heron", "Lapwing"]),
        ("Which rooms have no projector?", ["Kingfisher", "Wren"]),
        ("List all rooms", ["Heron", "Kingfisher", "Lapwing", "Wren"]),
        ("Compare Heron and Lapwing", ["Heron", "Lapwing"]),
        ("Is the Wren cheaper than the Kingfisher?", ["Kingfisher", "Wren"]),
    ],
)
def test_the_rows_that_answer(question: str, names: list[str]) -> None:
    assert rows(question, ROOMS) == (names, True)


def test_all_that_share_the_end_are_told_and_a_word_of_some_rows_leaves_out_the_others() -> None:
    assert rows("Which nylon tent is the lightest?", TENTS, "Tents") == (["Ridge", "Cove"], True)
    assert rows("Which tents are of cotton?", TENTS, "Tents") == (["Dune"], True)


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("Which room is the most expensive?", ROOMS),  # per day or per hour
        ("Which room with a balcony is the cheapest?", ROOMS),
        ("Which room is the second cheapest?", ROOMS),
        ("What are the two cheapest rooms?", ROOMS),
        ("Which room is the oldest?", ROOMS),
        ("Which rooms have more than 10 seats?", ROOMS),
        ("Which tent is the heaviest?", TENTS),  # "about 9 kg"
        ("Which size has the largest chest?", SIZES),  # "n/a"
    ],
)
def test_what_cannot_be_told_is_not(question: str, text: str) -> None:
    if (want := wanted(question)) and want.kind == "comparison":
        assert rows(question, text) is None
    else:
        assert not rows(question, text)[1]


def test_a_question_for_a_cell_is_none_for_rows() -> None:
    assert rows("How many seats does the Heron have?", ROOMS) is None
    assert rows("Compare Heron and the lake", ROOMS) is None


def test_a_name_within_another_is_not_named() -> None:
    boats = "| Boat | Seats |\n| Kayak | 1 |\n| Double kayak | 2 |\n| Canoe | 3 |"
    found = rows("What are the differences between the double kayak and the canoe?", boats)
    assert found == (["Double kayak", "Canoe"], True)


def test_the_parts_of_a_table_in_one_document_are_one() -> None:
    head, *body = ROOMS.splitlines()
    first = Evidence(2, "\n".join([head, *body[:2]]), context="Rooms", document="a.md")
    second = Evidence(1, "\n".join([head, *body[2:]]), context="Rooms", document="a.md")
    other = Evidence(3, "\n".join([head, *body[2:]]), context="Rooms", document="b.md")
    assert [len(one.rows) for one in tables([first, second, other])] == [4, 2]


@pytest.mark.parametrize(
    ("column", "found"),
    [
        (["1", "2.5", "1,000"], [1, 2.5, 1000]),
        (["3 kg", "-4 kg"], [3, -4]),
        (["3 kg", "4 g"], None),
        (["3 to 4", "5"], None),
        (["3", ""], None),
        ([], None),
    ],
)
def test_a_column_of_numbers_has_one_of_one_unit_in_each_cell(column, found) -> None:
    assert amounts(column) == found


def test_a_column_of_yes_and_no() -> None:
    assert has_thing(["yes", "No", "✓", ""]) == [True, False, True, False]
    assert has_thing(["yes", "on request"]) is None


@pytest.mark.parametrize(
    ("question", "text", "names"),
    [
        ("Which is more expensive, the keelboat or the electric boat?", BOATS, "Keelboat Electric"),
        ("Is a rowing boat or a pedal boat cheaper for a full day?", BOATS, "Rowing Pedal"),
        ("Which is cheaper, a kayak or a pedal boat?", BOATS, "Kayak, Kayak, Pedal"),
        ("Which is longer, a keelboat or a sailing dinghy?", FLEET, "Avocet Curlew"),
        ("Which is older, the Eider or the Gannet?", FLEET, "Gannet Eider"),
        ("Which boat is the cheapest for an hour?", BOATS, "Kayak,"),
        ("Which boat is most expensive for a whole day?", BOATS, "Keelboat"),
        ("Whats the cheapest course?", COURSES, "Motor"),
        ("Which boat is the oldest?", FLEET, "Gannet"),
        ("What is the newest boat?", FLEET, "Eider"),
        ("Which boat is the longest?", FLEET, "Avocet"),
        ("Which boats have a motor?", FLEET, "Avocet Eider"),
    ],
)
def test_a_choice_tells_all_and_an_end_is_of_its_column(question, text, names) -> None:
    found, sure = rows(question, text, "Harbour")
    assert sure
    assert [name.split()[0] for name in found] == names.split()


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("Which is faster, the keelboat or the electric boat?", BOATS),
        ("Which boat is the cheapest for a week?", BOATS),
        ("Which boat is the cheapest for half an hour?", BOATS),
        ("Which boat is the cheapest?", COURSES),  # a licence is no boat
        ("How many boats do you have?", FLEET),  # is a dinghy one?
    ],
)
def test_an_end_or_a_kind_that_the_table_does_not_name_is_not_sure(question, text) -> None:
    assert not rows(question, text, "Harbour")[1]
