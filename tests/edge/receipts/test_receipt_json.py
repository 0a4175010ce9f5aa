"""Receipts as JSON: there and back, by the written schema, and what is no receipt."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from skerry.edge.errors import ReceiptInvalid
from skerry.edge.policy import PolicyInput
from skerry.edge.receipts import (
    Egress,
    Question,
    Receipt,
    StepTiming,
    digest,
    from_json,
    to_json,
)
from skerry.edge.receipts.codec import MAX_BYTES
from skerry.edge.receipts.schema import json_schema, schema_text
from skerry.edge.types import Classification, DeviceState, RequestClass, Route, Tier
from skerry.guardrails.findings import Finding, Place

SCHEMA_FILE = Path(__file__).parents[3] / "docs" / "schemas" / "receipt.schema.json"
VALIDATOR = Draft202012Validator(json_schema())

finite = st.floats(allow_nan=False, allow_infinity=False)
measured = st.none() | finite
places = st.none() | st.builds(Place)
findings = st.lists(st.builds(Finding, score=finite, place=places), max_size=2).map(tuple)
inputs = st.builds(
    PolicyInput,
    classification=st.builds(
        Classification,
        confidence=finite,
        complexity=finite,
        reasoning=finite,
        in_scope=finite,
        scores=st.dictionaries(st.sampled_from(RequestClass), finite, max_size=3),
    ),
    device=st.builds(DeviceState, battery_percent=measured),
    available=st.frozensets(st.sampled_from(Tier)),
    findings=findings,
    labels=st.frozensets(st.text(max_size=3), max_size=2),
)
receipts = st.builds(
    Receipt,
    schema=st.just("skerry.receipt/1"),
    created_at=finite,
    input=inputs,
    route=st.builds(Route, confidence=finite),
    findings=findings,
    steps=st.lists(st.builds(StepTiming, ms=finite), max_size=2).map(tuple),
    egress=st.lists(st.builds(Egress), max_size=2).map(tuple),
    ttft_ms=measured,
    total_ms=finite,
    answer_confidence=measured,
)


@given(receipts)
def test_a_receipt_goes_there_and_back(receipt: Receipt) -> None:
    text = to_json(receipt)
    assert from_json(text) == receipt
    assert from_json(text.encode()) == receipt
    assert to_json(from_json(text)) == text
    assert "\n" not in text


@settings(max_examples=100)
@given(receipts)
def test_what_is_written_is_by_the_schema(receipt: Receipt) -> None:
    VALIDATOR.validate(json.loads(to_json(receipt)))


def test_the_schema_file_is_the_code_s() -> None:
    assert SCHEMA_FILE.read_text() == schema_text(), (
        "run: python -m skerry.edge.receipts.schema > docs/schemas/receipt.schema.json"
    )
    Draft202012Validator.check_schema(json.loads(SCHEMA_FILE.read_text()))


def test_scales_are_written_by_name(make_receipt: Callable[..., Receipt]) -> None:
    content = json.loads(to_json(make_receipt()))
    assert content["schema"] == "skerry.receipt/1"
    assert content["input"]["sensitivity"] == "public"
    assert content["input"]["device"]["thermal"] == "nominal"
    assert content["input"]["available"] == ["cloud", "device", "rules"]


def test_keys_of_a_later_version_are_ignored(make_receipt: Callable[..., Receipt]) -> None:
    receipt = make_receipt()
    content = json.loads(to_json(receipt))
    content["mood"] = "good"
    content["route"]["colour"] = {"a": 1}
    assert from_json(json.dumps(content)) == receipt


def test_a_receipt_of_an_earlier_version_is_read(make_receipt: Callable[..., Receipt]) -> None:
    receipt = make_receipt()
    content = json.loads(to_json(receipt))
    del content["input"]["labels"]
    for finding in (*content["findings"], *content["input"]["findings"]):
        del finding["place"]
    assert from_json(json.dumps(content)) == receipt


def test_lone_surrogates_cannot_break_it(make_receipt: Callable[..., Receipt]) -> None:
    text = to_json(make_receipt(question=Question.of("a\ud800b\x00c")))
    assert from_json(text).question == Question(digest("a\ud800b\x00c"), "a?b\x00c")


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_a_number_that_is_none_is_refused(
    make_receipt: Callable[..., Receipt], number: float
) -> None:
    with pytest.raises(ReceiptInvalid, match="not finite"):
        to_json(make_receipt(total_ms=number))


NOT_RECEIPTS = {
    "nothing": "",
    "not JSON": "{",
    "a list": "[]",
    "empty": "{}",
    "text that is no text": '{"id": "\ud800"}',
    "bytes that are no text": b'{"id": "\xff"}',
    "deep": "[" * 100_000,
    "huge": " " * (MAX_BYTES + 1),
}


@pytest.mark.parametrize("text", NOT_RECEIPTS.values(), ids=NOT_RECEIPTS)
def test_what_is_no_receipt(text: str | bytes) -> None:
    with pytest.raises(ReceiptInvalid) as caught:
        from_json(text)
    assert caught.value.hint


WRONG_FIELDS = {
    "schema": "skerry.receipt/2",
    "answered_by": "moon",
    "total_ms": "12",
    "chunks": [{}],
    "steps": None,
}


@pytest.mark.parametrize("field", WRONG_FIELDS)
def test_a_wrong_field_is_named(make_receipt: Callable[..., Receipt], field: str) -> None:
    content = json.loads(to_json(make_receipt())) | {field: WRONG_FIELDS[field]}
    with pytest.raises(ReceiptInvalid, match=field):
        from_json(json.dumps(content))


def test_a_digest_is_of_the_text() -> None:
    assert digest("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert Question.of("a") != Question.of("b")


def test_a_receipt_never_changes(make_receipt: Callable[..., Receipt]) -> None:
    receipt = make_receipt()
    with pytest.raises(AttributeError):
        receipt.error = "x"  # type: ignore[misc]
    assert replace(receipt, error="x") != receipt
