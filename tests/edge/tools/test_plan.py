"""Which tool a request is for: by rules first; a model proposes only as far as rules allow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, time

import pytest

from skerry.edge.engines.base import Generation
from skerry.edge.tools import Context, Outcome, ToolInvalid, tool
from skerry.edge.tools.answering import NOTHING_DONE, look_up, run
from skerry.edge.tools.asking import is_order
from skerry.edge.tools.documents import look_up as look_up_tool
from skerry.edge.tools.plan import by_rules, not_said
from skerry.guardrails.answer import Evidence
from tests.edge.tools.conftest import NOW


@tool
def page_someone(who: str, minutes: int = 5) -> str:
    """Page somebody."""
    return f"{who} is paged for {minutes} minutes"


@tool
def open_door() -> str:
    """Open the door."""
    return "The door is open."


def answer(box, question: str, scripted, near: float = 0.9) -> str | None:
    @contextmanager
    def lease() -> Iterator[object]:
        yield scripted

    def nearness(text: str, others: list[str]) -> list[float]:
        return [near] * len(others)

    made = run(box, question, Generation(messages=()), nearness, lease)
    return None if made is None else "".join(event.text for event in made)


def test_a_model_fills_in_what_was_said(make_box, scripted) -> None:
    scripted.draft = '{"who": "Dr Lund", "minutes": 10}'
    box = make_box(page_someone)
    said = answer(box, "Page dr. Lund for 10 minutes", scripted)
    assert said == "Dr Lund is paged for 10 minutes"
    (request,) = scripted.seen
    assert '\\"who\\"' in request.grammar
    assert request.messages[-1]["content"] == "Page dr. Lund for 10 minutes"


@pytest.mark.parametrize(
    "draft", ['{"who": "Dr Smith"}', '{"who": "Dr Lund", "minutes": 90}', '{"who": "Dr"}x']
)
def test_what_a_model_makes_up_is_not_done(make_box, scripted, draft: str) -> None:
    scripted.draft = draft
    box = make_box(page_someone)
    said = answer(box, "Page Dr Lund", scripted)
    assert said is not None
    assert "paged" not in said
    assert box.results[0].outcome in (Outcome.NOT_SAID, Outcome.INVALID)


def test_a_tool_without_arguments_needs_no_model(make_box, scripted) -> None:
    assert answer(make_box(open_door), "Open the door", scripted) == "The door is open."
    assert not scripted.seen


def test_a_tool_that_is_not_near_is_not_proposed(make_box, scripted) -> None:
    said = answer(make_box(page_someone), "Transfer 250 euros", scripted, near=0.1)
    assert said is not None
    assert said.startswith(NOTHING_DONE)
    assert "page somebody" in said
    assert not scripted.seen


def test_a_question_is_no_order(make_box, scripted) -> None:
    assert answer(make_box(page_someone), "Who is on call?", scripted, near=0.1) is None


def test_the_documents_are_a_tool(make_box) -> None:
    box = make_box(look_up_tool, search=lambda query: [Evidence(1, "Every day.")])
    assert look_up(box, "How often?") is None
    assert [(one.tool, one.outcome) for one in box.results] == [("look_up", Outcome.OK)]
    barred = make_box(look_up_tool, role="nobody")
    told = look_up(barred, "How often?")
    assert told is not None
    assert "not for the role" in "".join(event.text for event in told)


def test_rules_that_fail_are_told_by_name(make_box) -> None:
    def broken(question: str, now: object) -> None:
        raise KeyError("day")

    @tool(understand=broken)
    def tell(context: Context) -> str:
        """Tell."""
        return ""

    with pytest.raises(ToolInvalid, match="'tell' cannot read"):
        by_rules(make_box(tell), "x")


@tool
def move(day: date, at: time, people: list[str], note: str = "", sure: bool = False) -> str:
    """Move a meeting."""
    return ""


@pytest.mark.parametrize(
    ("arguments", "missing"),
    [
        ({"day": "2026-11-30", "at": "10:00:00", "people": ["Ada"], "sure": True}, ""),
        ({"day": "2026-12-01", "at": "10:00:00", "people": ["Ada"]}, "day"),
        ({"day": "2026-11-30", "at": "11:00:00", "people": ["Ada"]}, "at"),
        ({"day": "2026-11-30", "at": "10:00:00", "people": ["Ada", "Bob"]}, "people"),
        ({"day": "2026-11-30", "at": "10:00:00", "people": ["Ad"]}, "people"),
        ({"note": ""}, ""),
    ],
)
def test_every_value_was_said(arguments: dict[str, object], missing: str) -> None:
    question = "Move the meeting with Ada to Monday at 10"
    assert not_said(move, arguments, question, NOW) == missing


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("Transfer 250 euros to my landlord.", True),
        ("Could you please order a taxi?", True),
        ("please, turn off the lights", True),
        ("How do I order a taxi?", False),
        ("Can I order a taxi?", False),
        ("Find the extension of the pharmacist", False),
        ("please", True),
        ("", False),
        ("Until when can I cancel a boat free of charge?", False),
        ("I am Ann Lee, 020 7946 0958, until when can I cancel a boat?", False),
        ("And camper vans?", False),
        ("Write down the phone number of Hanneke Bos", False),
        ("Pull out the phone number of the office", False),
        ("Write down that I took my tablet", True),
        ("Could you book me a boat?", True),
        ("Book a slot for the day when Dr Lund is in", True),
        ("Get me a taxi", True),
        ("i am moving 80 km away, do i get my fee back", False),
    ],
)
def test_orders(text: str, order: bool) -> None:
    assert is_order(text) is order
