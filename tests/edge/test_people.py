"""Who is there, by a table that has names and what each does."""

from __future__ import annotations

import pytest

from skerry.edge.people import days_in, is_of_people, people_wanted, present
from skerry.guardrails.answer import Evidence

TEAM = Evidence(
    1,
    "| Name | Position | Days |\n|---|---|---|\n| Ada Byron | Head | Monday to Friday |\n"
    "| Ben Cole | Guide | Saturday, Sunday |\n| Cy Dun | Guard | every day except Sunday |",
    context="Museum\nWho we are",
)
ROOMS = Evidence(2, "| Room | Seats |\n|---|---|\n| Blue | 4 |", context="Museum\nRooms")


@pytest.mark.parametrize(
    ("question", "day"),
    [
        ("List the staff", ""),
        ("Who works here?", ""),
        ("Who is on the team?", ""),
        ("Who is there on Saturday?", "saturday"),
        ("who works on Sundays", "sunday"),
    ],
)
def test_people_are_wanted(question: str, day: str) -> None:
    found = people_wanted(question)
    assert found is not None
    assert found.day == day


@pytest.mark.parametrize(
    "question",
    [
        "Who works on the lead wall?",
        "Who is the head of the staff?",
        "How many staff are there?",
        "Who is there to help me with a claim?",
        "List the rooms",
    ],
)
def test_something_else_is_wanted(question: str) -> None:
    assert people_wanted(question) is None


@pytest.mark.parametrize(
    ("question", "rows"),
    [
        ("List the staff", (0, 1, 2)),
        ("Who is there on Saturday?", (1, 2)),
        ("Who is in on Sunday?", (1,)),
    ],
)
def test_the_rows_of_those_who_are_there(question: str, rows: tuple[int, ...]) -> None:
    want = people_wanted(question)
    assert want is not None
    found = present(want, [ROOMS, TEAM])
    assert found is not None
    assert (found.rows, found.sure) == (rows, True)


def test_one_whose_days_are_not_told_makes_it_unsure() -> None:
    more = Evidence(1, f"{TEAM.text}\n| Di Eve | Owner | by appointment |", context=TEAM.context)
    want = people_wanted("Who is there on Saturday?")
    assert want is not None
    found = present(want, [more])
    assert found is not None
    assert not found.sure


def test_two_tables_of_people_tell_nothing() -> None:
    want = people_wanted("List the staff")
    assert want is not None
    assert present(want, [TEAM, Evidence(3, TEAM.text, context="Friends")]) is None


@pytest.mark.parametrize(
    ("cell", "days"),
    [
        ("Friday to Monday", "friday saturday sunday monday"),
        ("Tuesday–Thursday", "tuesday wednesday thursday"),
        ("every day except Tuesday", "monday wednesday thursday friday saturday sunday"),
        ("by appointment", ""),
    ],
)
def test_days_of_a_cell(cell: str, days: str) -> None:
    assert days_in(cell) == frozenset(days.split())


def test_a_role_alone_makes_no_table_of_people() -> None:
    assert not is_of_people(("Role", "Telephone"))
    assert not is_of_people(("Name", "Price"))
    assert is_of_people(("Employee", "Job title"))
