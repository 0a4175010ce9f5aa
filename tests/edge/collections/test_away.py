"""Clouds with collections that are away, slow, or answer with what they should not."""

from __future__ import annotations

import socket
import threading
from typing import Any

import pytest

from skerry.cloud.collections.wire import MOST_ANSWER_BYTES
from skerry.edge import Runtime
from skerry.edge.receipts.receipt import CollectionAsked
from skerry.edge.types import RequestClass
from tests.edge.asking import QUESTION, route_as
from tests.edge.collections.gateways import ASKED, FakeGateway, found


def asked_of(runtime: Runtime, **options: Any) -> CollectionAsked:
    """Of a question that only a collection could answer; the answer is the device's own."""
    reply = runtime.ask(ASKED, **options)
    assert not any(one.chunk.collection for one in reply.citations)
    (one,) = reply.receipt.collections
    for egress in reply.receipt.egress:
        assert egress.bytes_sent > 0, "what left is told even when nothing came back"
    return one


def test_a_gateway_that_is_away(make_runtime: Any, handbook: Any) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    runtime = make_runtime(
        route_as(RequestClass.LOOKUP), collections="formulary", consent="granted",
        collections_url=f"http://127.0.0.1:{port}",
    )  # fmt: skip
    runtime.index.add([handbook])
    noted = asked_of(runtime)
    assert noted.outcome == "failed"
    assert "no connection" in noted.why
    assert runtime.ask(ASKED).receipt.egress == (), "nothing was handed to the network"
    assert runtime.ask(QUESTION).text.startswith("The emergency trolley is checked every day")
    asked_of(runtime)
    assert "failed too often" in asked_of(runtime).why


@pytest.mark.parametrize("drips", [False, True], ids=["hangs", "drips"])
def test_a_gateway_that_is_slow(make_runtime: Any, formulary: FakeGateway, drips: bool) -> None:
    formulary.hangs_s, formulary.drips = (0, True) if drips else (60, False)
    runtime = make_runtime(
        route_as(RequestClass.LOOKUP), collections="formulary", consent="granted",
        collections_url=formulary.url, collections_s=0.3,
    )  # fmt: skip
    noted = asked_of(runtime)
    assert (noted.outcome, "within" in noted.why) == ("failed", True)


def test_a_question_that_is_cancelled(device: Runtime, formulary: FakeGateway) -> None:
    formulary.hangs_s = 60
    cancel = threading.Event()
    threading.Timer(0.3, cancel.set).start()
    assert asked_of(device, cancel=cancel).outcome == "failed"


GARBAGE = {
    "nothing": b"",
    "no JSON": b"<html>Sign in to the Wi-Fi</html>",
    "another shape": b'{"data": []}',
    "not text": b"\xff\xfe",
    "deep": b"[" * 100_000,
    "not a number": b'{"collection":"formulary","encoder":"x","digest":"' + b"a" * 64
    + b'","found":[{"document":{"title":"t","source":"s","version":"","valid_from":NaN},'
    b'"passage":{"text":"x"},"similarity":1.0}]}',
    "too long": b"[" + b" " * MOST_ANSWER_BYTES + b"]",
}  # fmt: skip


@pytest.mark.parametrize("body", GARBAGE.values(), ids=GARBAGE.keys())
def test_answers_that_are_none(device: Runtime, formulary: FakeGateway, body: bytes) -> None:
    formulary.body = body
    noted = asked_of(device)
    assert noted.outcome == "failed"
    assert "did not answer like a Skerry gateway" in noted.why


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"encoder": "another@1"}, "another collection or encoder"),
        ({"collection": "atlas"}, "another collection or encoder"),
        ({"found": [found(f"Passage {number}") for number in range(9)]}, "9 passages came for 4"),
        ({"found": [found(f"Passage {number}") for number in range(21)]}, "cannot be read"),
        ({"found": [found("x" * 16_001)]}, "cannot be read"),
        ({"status": 500, "body": b"no"}, "answered 500: no"),
        ({"status": 302, "body": b""}, "answered 302"),
        ({"status": 429, "body": b"{}"}, "answered 429"),
        (
            {"status": 409, "body": b'{"error": {"message": "another encoder, sk-skerry-device"}}'},
            "answered 409: another encoder, ****",
        ),
    ],
)
def test_answers_that_say_no(
    device: Runtime, formulary: FakeGateway, changes: dict[str, Any], why: str
) -> None:
    for name, value in changes.items():
        setattr(formulary, name, value)
    noted = asked_of(device)
    assert noted.outcome == "failed"
    assert why in noted.why
    assert "sk-skerry-device" not in noted.why


def test_offline_makes_no_socket(make_runtime: Any, formulary: FakeGateway) -> None:
    runtime = make_runtime(
        route_as(RequestClass.LOOKUP), collections="formulary", consent="granted",
        collections_url=formulary.url, offline=True,
    )  # fmt: skip
    assert asked_of(runtime).outcome == "not_sent"
    assert formulary.bodies == []


def test_closing_ends_a_search(device: Runtime, formulary: FakeGateway) -> None:
    formulary.hangs_s = 60
    threading.Timer(0.5, device.parts.collections.close).start()
    assert asked_of(device).outcome == "failed"
