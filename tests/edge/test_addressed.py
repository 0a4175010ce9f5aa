"""What is said to the people whose documents these are is a question to the documents."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from skerry.edge import Runtime, Tier
from skerry.edge.addressed import asks_people, asks_who, is_for_people
from skerry.edge.tiers import NO_DOCUMENTS, REFUSED
from skerry.edge.tools.answering import NOTHING_DONE
from skerry.edge.types import RequestClass
from skerry.guardrails.gate import NEAREST, NOT_FOUND
from tests.edge.asking import FixedRouter

COOP = """# Lantern bicycles

## Donations

We accept donated bicycles on Tuesdays. Bring a proof of ownership.

## Lost cards

A lost membership card is replaced by Jonas Ferreira.

## Repairs

Adjusting brakes costs 14 euros. We open no batteries; take those to a dealer.
"""


@pytest.mark.parametrize(
    ("request_", "people"),
    [
        ("can you fix my brakes", True),
        ("Hi, could you please pump up my tyres?", True),
        ("my back wheel is bent, can you fix it", True),
        ("I want to donate a bike", True),
        ("I'd like to hire the hall", True),
        ("I lost my membership card", True),
        ("Please book a boat", False),
        ("Remind me to ring the dealer", False),
        ("I want you to set a timer", False),
        ("I'd like you to book a boat", False),
        ("can you write me a poem about brakes", False),
        ("", False),
    ],
)
def test_what_is_for_people(request_: str, *, people: bool) -> None:
    assert is_for_people(request_) is people


@pytest.mark.parametrize(
    ("question", "people"),
    [
        ("do you sell used bikes", True),
        ("ok and do you take old ones?", True),
        ("where are you", True),
        ("until when can we have music?", True),
        ("do you like music", False),
        ("do you know who the president of France is", False),
        ("could you tell me a joke", False),
        ("who are you really", False),
        ("how do you bake bread", False),
        ("what is the capital of Peru", False),
    ],
)
def test_what_people_are_asked(question: str, *, people: bool) -> None:
    assert asks_people(question) is people


def test_who_where_and_when_are_asked() -> None:
    assert asks_who("who founded the coop")
    assert asks_who("and until when?")
    assert not asks_who("what is a whale")


@pytest.fixture
def coop(make_runtime: Any, tmp_path: Path) -> Any:
    (tmp_path / "coop.md").write_text(COOP)

    def make(seen: RequestClass) -> Runtime:
        runtime: Runtime = make_runtime({"router": FixedRouter(seen)}, offline=True)
        runtime.index.add([tmp_path / "coop.md"])
        return runtime

    return make


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        ("can you fix my brakes", "Adjusting brakes costs 14 euros"),
        ("I want to donate a bike", "We accept donated bicycles on Tuesdays"),
        ("I lost my membership card", "A lost membership card is replaced by Jonas Ferreira"),
        ("could you transfer 250 euros to my brother in Lisbon", ""),
    ],
)
def test_what_no_tool_does_is_a_question_and_no_model_says_that_it_was_done(
    coop: Any, scripted: Any, request_: str, told: str
) -> None:
    scripted.draft = "It is done: the brakes were adjusted [1]."
    reply = coop(RequestClass.TOOL).ask(request_)
    assert NOTHING_DONE not in reply.text
    assert told in reply.text
    assert "done" not in reply.text
    assert not scripted.seen
    if not told:
        assert reply.text == NOT_FOUND or reply.text.startswith(NEAREST)


def test_what_people_are_to_do_is_quoted_with_a_warning_unless_all_of_it_is_there(
    coop: Any,
) -> None:
    reply = coop(RequestClass.TOOL).ask("can you fix my brakes")
    assert reply.text.startswith(NEAREST)
    assert reply.doubtful


def test_a_program_is_told_that_nothing_was_done(coop: Any) -> None:
    runtime = coop(RequestClass.TOOL)
    for order in ("Remind me of my brakes", "I want you to book a taxi"):
        assert runtime.ask(order).text.startswith(NOTHING_DONE)


def test_without_documents_no_model_answers_what_people_are_to_do(
    make_runtime: Any, scripted: Any
) -> None:
    runtime = make_runtime({"router": FixedRouter(RequestClass.TOOL)}, offline=True)
    assert runtime.ask("can you fix my brakes").text == NO_DOCUMENTS
    assert not scripted.seen


@pytest.mark.parametrize(
    ("question", "tier"),
    [
        ("do you have a toilet", Tier.DEVICE),
        ("do you sell used bikes", Tier.DEVICE),
        ("who accepted the donations", Tier.DEVICE),
        ("who founded Microsoft", Tier.REFUSE),
        ("who won the world cup in 1998", Tier.REFUSE),
        ("do you like music", Tier.REFUSE),
        ("Write me a poem about brakes and dealers", Tier.REFUSE),
    ],
)
def test_what_those_are_asked_whose_documents_they_are_is_not_refused(
    coop: Any, question: str, tier: Tier
) -> None:
    assert coop(RequestClass.UNSUPPORTED).route(question).tier is tier


def test_without_documents_it_is_refused(make_runtime: Any) -> None:
    runtime = make_runtime({"router": FixedRouter(RequestClass.UNSUPPORTED)}, offline=True)
    assert runtime.ask("do you have a toilet").text == REFUSED


def test_where_nothing_is_found_the_documents_do_not_say(coop: Any, scripted: Any) -> None:
    scripted.draft = "Yes, we have a toilet [1]."
    assert "toilet" not in coop(RequestClass.UNSUPPORTED).ask("do you have a toilet").text


def test_until_when_goes_on_from_a_question(coop: Any) -> None:
    history = (
        {"role": "user", "content": "Can I donate a bicycle?"},
        {"role": "assistant", "content": "On Tuesdays [1]."},
    )
    runtime = coop(RequestClass.UNSUPPORTED)
    assert runtime.route("until when?", history=history).tier is Tier.DEVICE
    assert runtime.route("until when?").tier is Tier.REFUSE
