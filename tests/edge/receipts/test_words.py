"""What a reader should know of an answer before relying on it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from skerry.edge.receipts.receipt import Egress, SplitUsed
from skerry.edge.receipts.words import is_doubtful, is_unfounded, left_out, unverified
from skerry.edge.types import RequestClass, Tier
from skerry.guardrails.answer import QUOTED_NEAREST
from skerry.guardrails.findings import Finding, FindingKind, Place, Where

ORDER = Finding(
    FindingKind.INJECTION, "order", 0, 9, 0.9, Where.CHUNK, place=Place(9, "Notes", "notes.md")
)


def test_a_source_that_reads_as_orders_was_left_out(make_receipt) -> None:
    receipt = replace(make_receipt(), findings=(ORDER,), chunks=())
    assert left_out(receipt)
    assert not left_out(replace(receipt, findings=(replace(ORDER, where=Where.INPUT, place=None),)))
    used = make_receipt().chunks[0]
    there = replace(ORDER, place=Place(used.id, "Notes", "notes.md"))
    assert not left_out(replace(receipt, chunks=(used,), findings=(there,)))


@pytest.mark.parametrize(("sure", "doubtful"), [(0.1, True), (0.9, False), (None, False)])
def test_little_confidence_is_doubtful(make_receipt, sure: float | None, *, doubtful: bool) -> None:
    assert is_doubtful(replace(make_receipt(), answer_confidence=sure)) is doubtful


def test_what_says_that_it_may_not_answer_is_doubtful(make_receipt) -> None:
    hedged = replace(
        make_receipt(), answer_confidence=0.9, verdict_details=(f"no draft; {QUOTED_NEAREST}",)
    )
    assert is_doubtful(hedged)


def test_a_model_without_documents_is_unfounded(make_receipt) -> None:
    receipt = replace(make_receipt(), chunks=(), answered_by=Tier.DEVICE)
    receipt = replace(receipt, route=replace(receipt.route, request_class=RequestClass.QUESTION))
    assert receipt.model is not None
    assert is_unfounded(receipt)
    assert not is_unfounded(replace(receipt, model=None))
    assert is_unfounded(replace(receipt, model=None, answered_by=Tier.CLOUD))
    assert not is_unfounded(replace(receipt, chunks=make_receipt().chunks))
    extract = replace(receipt.route, request_class=RequestClass.EXTRACTION)
    assert not is_unfounded(replace(receipt, route=extract))


def test_an_answer_that_the_device_ended_alone_says_why(make_receipt, sent: Egress) -> None:
    used = SplitUsed("m", 18, 11, 90, 10, alone=45, broke="a.example was silent\x1b[2J")
    told = unverified(make_receipt(egress=(replace(sent, split=used),)))
    assert "a.example was silent" in told
    assert "the last 45 of 63 tokens" in told
    assert told.isprintable()
    assert not unverified(make_receipt(egress=(replace(sent, split=replace(used, alone=0)),)))
