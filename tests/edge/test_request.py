"""What is asked: arguments that cannot be used are refused by name."""

from __future__ import annotations

import asyncio
from dataclasses import fields
from typing import Any

import pytest

from skerry.edge import (
    Request,
    Runtime,
)
from skerry.edge.engines.base import Generation
from skerry.edge.errors import ConfigError, InputError
from skerry.edge.types import LatencyBudget
from tests.edge.asking import QUESTION


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("", "empty"),
        (" \n\t ", "empty"),
        ("a\x00b", "NUL"),
        ("a\ud800b", "surrogate"),
        ("x" * 10_000_000, "10,000,000 characters"),
    ],
    ids=["empty", "blank", "NUL", "lone surrogate", "10 MB"],
)
def test_a_question_that_cannot_be_used(asks: Runtime, question: str, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        asks.ask(question)
    assert caught.value.hint


def test_an_unknown_option_is_refused(asks: Runtime) -> None:
    with pytest.raises(InputError, match="temprature"):
        asks.ask(QUESTION, temprature=0.2)


WRONG = {
    "session": 5,
    "history": "x",
    "instructions": None,
    "model": 5,
    "adapter": 5,
    "consent": "yes",
    "sensitivity": 9,
    "labels": "ward",
    "history_labels": [1],
    "domain": 5,
    "offline": "yes",
    "as_of": "x",
    "budget": 5,
    "max_tokens": "x",
    "sampling": {"temperature": 0},
    "stop": "x",
    "grammar": 5,
    "approve": True,
    "cancel": 5,
    "role": 5,
    "confirm": True,
}


@pytest.mark.parametrize(("name", "value"), WRONG.items(), ids=WRONG.keys())
def test_an_argument_that_cannot_be_used_is_named(asks: Runtime, name: str, value: Any) -> None:
    with pytest.raises(InputError, match=f"the argument {name} ") as caught:
        asks.ask(QUESTION, **{name: value})
    assert caught.value.hint


def test_every_argument_is_checked() -> None:
    assert set(WRONG) == {one.name for one in fields(Request)} - {"question"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"history": [5]},
        {"history": [{"role": "user"}]},
        {"as_of": float("nan")},
        {"as_of": True},
        {"max_tokens": -1},
        {"max_tokens": True},
        {"budget": LatencyBudget(0, 5)},
        {"budget": LatencyBudget(1, "x")},  # type: ignore[arg-type]
        {"stop": [5]},
    ],
    ids=str,
)
def test_nor_can_this(asks: Runtime, wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=f"the argument {next(iter(wrong))}"):
        asks.route(QUESTION, **wrong)


@pytest.mark.parametrize("question", [None, 123, b"x", ["x"]], ids=repr)
def test_a_question_that_is_no_text(asks: Runtime, question: Any) -> None:
    for ask in (asks.ask, asks.route, lambda one: list(asks.stream(one))):
        with pytest.raises(InputError, match="the argument question"):
            ask(question)
    with pytest.raises(InputError, match="the argument question"):
        asyncio.run(asks.aask(question))


def test_a_completion_of_nothing(asks: Runtime) -> None:
    with pytest.raises(InputError, match="generation"):
        next(asks.complete("Hello"))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="model"):
        next(asks.complete(Generation(prompt="Hello"), model=5))  # type: ignore[arg-type]


def test_a_misspelt_argument_is_told_the_right_one(asks: Runtime) -> None:
    with pytest.raises(InputError) as caught:
        asks.route(QUESTION, max_token=5)
    assert "max_tokens" in caught.value.hint


def test_a_runtime_takes_settings_that_there_are() -> None:
    with pytest.raises(ConfigError, match="modle"):
        Runtime(modle="x")
    with pytest.raises(ConfigError, match="on_step"):
        Runtime(on_step=5)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="settings"):
        Runtime({"offline": True})  # type: ignore[arg-type]


def test_blanks_in_a_row_are_no_more_work() -> None:
    """No clock is read: patterns that look past blanks would take hours over these."""
    for blank in (" ", "\n", "\u00a0"):
        assert len(Request(f"How often?{blank * 90_000}Or not?").question) < 100
    kept = "name   age\n\n    Ada    36"
    assert Request(kept).question == kept
