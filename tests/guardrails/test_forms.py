"""Which values of a form are in a source."""

from __future__ import annotations

import json

import pytest

from skerry.edge.engines.grammar import json_schema_to_gbnf
from skerry.guardrails.answer import Evidence
from skerry.guardrails.forms import Grounds, spelled_out

PRICES = Evidence(
    1,
    "| Boat | Price |\n|---|---|\n| Motor boat | €15.00 |\n| Canoe | 9.50 |\n\n"
    "There are two canoes. It was -5 degrees at 09:00. Room B is shut.",
    context="Prices",
)
GRAMMAR = json_schema_to_gbnf(
    {
        "type": "object",
        "properties": {
            "n": {"type": "number"},
            "colour": {"enum": ["red", "light blue", 3]},
            "open": {"type": "boolean"},
        },
        "required": ["n", "colour", "open"],
    }
)
GROUNDS = Grounds([PRICES], ["What does a motor boat cost for 4 hours?"], GRAMMAR)


@pytest.mark.parametrize(
    "value", [15, 15.0, 9.5, "9.50", -5, 2, 4, "Motor boat", "canoes", "Prices: canoe", "room B",
              "red", "light blue", 3, True, None, "", [], {}],
)  # fmt: skip
def test_in_a_source_or_given(value: object) -> None:
    assert not GROUNDS.invented(json.dumps({"x": value}))


@pytest.mark.parametrize(
    "value", [1.5, 1, 0, 9, -15, 150, "1 hour", "Motor canoe", "room C", "blue", "colour", "€16",
              float("inf")],
)  # fmt: skip
def test_in_no_source(value: object) -> None:
    (found,) = GROUNDS.invented(json.dumps({"x": [{"a b": value}]}))
    assert (found.path, found.value) == ('$.x[0]["a b"]', value)


def test_what_is_no_json_is_one_text() -> None:
    assert not Grounds([], [], 'root ::= "yes" | "no"').invented("yes")
    assert not GROUNDS.invented("There are two canoes [1].")
    assert [one.path for one in GROUNDS.invented("There are three canoes and a ship.")] == ["$"]


def test_the_sources_of_values_are_cited() -> None:
    other = Evidence(2, "The jetty is 30 metres long.")
    both = Grounds([PRICES, other], ["How long?"])
    assert both.marks('{"long":30,"boat":"canoe"}') == (2, 1)


def test_a_deep_form_is_read() -> None:
    assert not GROUNDS.invented("[" * 100_000)[1:]


def test_names_of_fields_and_truth_are_no_values_of_the_grammar() -> None:
    known = set(spelled_out(GRAMMAR))
    assert {"red", "light blue", 3} <= known
    assert not known & {"n", "colour", 1, 0}


FEES = Evidence(
    1,
    "| Model | Adult fee | Child fee | Weight |\n|---|---|---|---|\n"
    "| Tern | 20 euros | 12 euros | 16 kg |\n| Kite | 12 euros | 20 euros | 11 kg |\n\n"
    "A lock costs 3 euros.",
)


@pytest.mark.parametrize(
    ("form", "wrong"),
    [
        ({"model": "Tern", "adult": 20, "child": 12}, []),
        ({"model": "Tern", "adult": 12, "child": 20}, ["$.adult", "$.child"]),
        ({"model": "Kite", "adult": 12, "child": 20}, []),
        ({"models": [{"name": "Tern", "adult_fee": "20 euros", "weight": "16 kg"}]}, []),
        ({"a": [{"model": "Tern", "adult": 20}, {"model": "Kite", "adult": 20}]}, ["$.a[1].adult"]),
        ({"model": "Tern", "weight": 20}, ["$.weight"]),
        ({"model": "Tern", "price": 12}, []),
        ({"adult": 3}, []),
        ({"adult": 16}, ["$.adult"]),
    ],
)
def test_a_value_is_of_the_column_that_its_field_is_named_after(
    form: dict[str, object], wrong: list[str]
) -> None:
    grounds = Grounds([FEES], ["What do you know of it?"])
    assert [one.path for one in grounds.invented(json.dumps(form))] == wrong
