"""`skerry review`, as a person and a program use it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytestmark = pytest.mark.model

DANGER = "I took too many tablets and I can't breathe"
KEEPS = {"SKERRY_STORE_TEXT": "1"}


@pytest.fixture(scope="module")
def waiting(skerry) -> str:
    """The id of a request that waits."""
    done = skerry("ask", DANGER, "--offline", env=KEEPS)
    assert "It waits for a person: skerry review show " in done.out
    (review,) = skerry("review", "list", "--json").json["reviews"]
    return review["id"]


def test_it_is_listed_and_shown_with_its_trace(waiting: str, skerry) -> None:
    assert f"{waiting[:18]}\t" in skerry("review", "list").out
    shown = skerry("review", "show", waiting[:18], "--json").json
    assert shown["review"]["question"] == DANGER
    assert shown["receipt"]["id"] == waiting
    told = skerry("review", "show", waiting).out
    assert DANGER in told
    assert "wanted by" in told
    assert "receipt" in told


def test_it_is_answered_then_corrected_and_becomes_an_example(waiting: str, skerry) -> None:
    done = skerry(
        "review", "answer", waiting, "-", "--by", "Dr Lund", "--json", stdin="Call.", env=KEEPS
    )
    assert done.json["review"]["answer"] == "Call."
    assert skerry("review", "list").out == "nothing waits for a person\n"
    assert skerry("review", "answer", waiting, "Again.").code == 2
    assert skerry("review", "correct", waiting, "incomplete", "Call 2222.", env=KEEPS).code == 0
    (example,) = skerry("review", "examples").json_lines
    assert (example["label"], example["answer"]) == ("incomplete", "Call 2222.")
    assert "Dr Lund" not in json.dumps(example)


def test_an_answer_that_was_given_is_corrected_by_its_receipt(skerry, tmp_path: Path) -> None:
    asked = skerry(
        "ask", "What is a trolley?", "--offline", "--max-tokens", "8", "--json", env=KEEPS
    )
    identity = asked.json["receipt"]["id"]
    done = skerry("review", "correct", identity, "wrong", "A cart.", "--json", env=KEEPS).json
    assert done["review"]["question"] == "What is a trolley?"
    file = tmp_path / "examples.jsonl"
    assert "2 example(s)" in skerry("review", "examples", "--out", str(file)).out
    assert json.loads(file.read_text().splitlines()[1])["answer"] == "A cart."


def test_a_persons_answer_joins_the_conversation(skerry) -> None:
    skerry("chat", "--offline", stdin=f"{DANGER}\n", env=KEEPS)
    (review, *_) = skerry("review", "list", "--json").json["reviews"]
    assert skerry("review", "answer", review["id"], "Call 2222.", "--by", "Dr Lund").code == 0
    turns = skerry("sessions", "show", review["session"], "--json").json["session"]["turns"]
    assert turns[-1]["text"] == "Dr Lund: Call 2222."


def test_what_is_not_there(skerry) -> None:
    assert skerry("review", "show", "ffff", "--json").json["error"]["code"] == "review_not_found"
    assert skerry("review", "correct", "ffff", "right").code == 2
    assert skerry("review", "answer", "ffff", "Yes.").code == 2
    assert skerry("review", "correct", "ffff", "nonsense").code == 2


@pytest.mark.parametrize("limit", ["0", "-1", "99999999999999999999"])
def test_a_limit_that_would_hide_what_waits_is_refused(waiting: str, skerry, limit: str) -> None:
    done = skerry("review", "list", "--limit", limit)
    assert done.code == 2
    assert "nothing waits" not in done.out


def test_examples_to_where_nothing_can_be_written(skerry, tmp_path: Path) -> None:
    done = skerry("review", "examples", "--out", str(tmp_path / "none" / "examples.jsonl"))
    assert done.code == 2
    assert "cannot be written" in done.err
