"""What leaves the device for a cloud collection, when, and what is made of what comes back."""

from __future__ import annotations

import base64
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from skerry.cloud.collections.wire import quantised
from skerry.edge import Consent, Runtime, Sensitivity
from skerry.edge.errors import EdgeError
from skerry.edge.making import collections_service
from skerry.edge.policy import parse_policy
from skerry.edge.receipts import from_json, to_json
from skerry.edge.receipts.receipt import CollectionAsked, Receipt
from skerry.edge.receipts.render import render
from skerry.edge.settings import Settings
from skerry.edge.types import RequestClass, Tier
from skerry.guardrails.gate import NOT_FOUND
from tests.edge.asking import QUESTION, Cloud, route_as
from tests.edge.collections.gateways import (
    ASKED,
    INSULIN,
    ORDER,
    WARFARIN,
    FakeGateway,
    found,
)

DAY_S = 86_400.0


def asked_of(receipt: Receipt) -> CollectionAsked:
    (one,) = receipt.collections
    return one


def test_a_collection_answers_what_the_device_does_not_know(
    device: Runtime, formulary: FakeGateway
) -> None:
    reply = device.ask(ASKED)
    assert reply.text == f"{INSULIN[:-1]} [1]."
    (citation,) = reply.citations
    assert citation.chunk.collection == "formulary"
    assert (citation.chunk.source, citation.chunk.version) == ("formulary/insulin.md", "7")
    receipt = reply.receipt
    assert (asked_of(receipt).outcome, asked_of(receipt).passages) == ("found", 1)
    assert receipt.chunks[0].collection == "formulary"
    (egress,) = receipt.egress
    assert (egress.what, egress.approved, egress.attempts) == (("vector",), False, 1)
    assert egress.bytes_sent == len(formulary.bodies[0])
    assert egress.vector is not None
    assert (egress.vector.collection, egress.vector.dimensions) == ("formulary", 384)


def test_nothing_but_the_vector_leaves(device: Runtime, formulary: FakeGateway) -> None:
    session = device.sessions.create().id
    receipt = device.ask(ASKED, session=session).receipt
    assert json.loads(formulary.bodies[0]).keys() == {"encoder", "vector", "passages"}
    headers = formulary.headers[0]
    assert headers["authorization"] == "Bearer sk-skerry-device"
    sent = repr(headers) + repr(formulary.bodies[0])
    for secret in ("insulin", "temperature", session, receipt.id):
        assert secret not in sent.lower()
    expected = quantised(device.parts.encoder.encode([ASKED.rstrip("?")]))[0]
    cosine = np.dot(expected.astype(float), formulary.vector) / np.linalg.norm(
        expected.astype(float)
    )
    assert cosine / np.linalg.norm(formulary.vector.astype(float)) > 0.9


def test_what_the_device_knows_is_not_asked_elsewhere(
    device: Runtime, formulary: FakeGateway
) -> None:
    receipt = device.ask(QUESTION).receipt
    assert receipt.egress == receipt.collections == ()
    assert formulary.bodies == []


def test_to_decide_sends_nothing(device: Runtime, formulary: FakeGateway) -> None:
    device.route(ASKED)
    device.check(ASKED, "It is stored cold.")
    assert formulary.bodies == []


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"offline": True}, "offline"),
        ({"consent": Consent.NEVER}, "consent is never"),
        ({"sensitivity": Sensitivity.CLINICAL}, "clinical stays on this device"),
        ({"consent": Consent.ASK}, "not approved"),
        ({"consent": Consent.ASK, "approve": lambda _: False}, "not approved"),
        ({"sensitivity": Sensitivity.PERSONAL}, "not approved"),
    ],
)
def test_what_keeps_a_question_here_keeps_its_vector(
    device: Runtime, formulary: FakeGateway, options: dict[str, Any], why: str
) -> None:
    receipt = device.ask(ASKED, **options).receipt
    assert formulary.bodies == []
    assert receipt.egress == ()
    assert asked_of(receipt).outcome == "not_sent"
    assert why in asked_of(receipt).why


DENIED = """
[[deny]]
name = "no-cloud"
reason = "Questions stay in this house."
tiers = ["cloud"]
"""


@pytest.mark.parametrize(
    ("policy", "why"),
    [
        ("[cloud]\nallow = false\n", "turns the cloud off"),
        ("[cloud]\nallow_collections = false\n", "keeps vectors on this device"),
        (DENIED, "stay in this house"),
    ],
)
def test_policy_keeps_vectors_here(
    make_runtime: Any, formulary: FakeGateway, policy: str, why: str
) -> None:
    parts = {**route_as(RequestClass.LOOKUP), "policy": parse_policy(policy, "ward.toml")}
    runtime = make_runtime(
        parts, collections="formulary", collections_url=formulary.url, consent="granted"
    )
    reply = runtime.ask(ASKED, approve=lambda _: True)
    assert formulary.bodies == []
    assert why in asked_of(reply.receipt).why
    assert reply.text == NOT_FOUND, "there are documents, only not here"


def test_a_person_approves_exactly_what_leaves(device: Runtime, formulary: FakeGateway) -> None:
    seen: list[Any] = []
    options = {"consent": Consent.ASK, "approve": lambda one: not seen.append(one)}
    receipt = device.ask(ASKED, **options).receipt
    (preview,) = seen
    assert preview.body == formulary.bodies[0]
    assert "insulin glargine" in preview.messages[0].text
    assert "may be guessed" in preview.messages[0].text
    assert (preview.model, preview.seed) == ("formulary", None)
    assert receipt.egress[0].approved
    again: list[Any] = []
    device.ask(ASKED, consent=Consent.ASK, approve=lambda one: not again.append(one))
    assert again[0].digest == preview.digest, "what was approved can be sent again"


def test_who_is_asked_may_end_the_answer_and_that_is_kept(
    device: Runtime, formulary: FakeGateway
) -> None:
    def ends(_: object) -> bool:
        raise EdgeError("a person looks at it")

    with pytest.raises(EdgeError, match="a person looks"):
        device.ask(ASKED, consent=Consent.ASK, approve=ends)
    assert formulary.bodies == []
    assert device.parts.receipts.get("last").error == "a person looks at it"


def test_identifiers_are_replaced_before_the_vector_is_made(
    device: Runtime, formulary: FakeGateway
) -> None:
    question = "At what temperature is the insulin glargine of ada@ward.example stored?"
    held = device.ask(question).receipt
    assert formulary.bodies == []
    assert "not approved" in asked_of(held).why
    seen: list[Any] = []
    receipt = device.ask(question, approve=lambda one: not seen.append(one)).receipt
    (egress,) = receipt.egress
    assert (egress.redactions, egress.replaced) == (1, {"email": 1})
    shown = seen[0].text
    assert "ada@ward.example" not in shown
    encode = device.parts.encoder.encode
    assert np.array_equal(formulary.vector, quantised(encode([shown]))[0])
    whole = quantised(encode([question]))[0]
    assert not np.array_equal(formulary.vector, whole)


def test_names_are_looked_for_although_the_question_is_answered_here(
    device: Runtime, formulary: FakeGateway
) -> None:
    question = "Has Ada Lovelace asked at what temperature insulin glargine is stored?"
    receipt = device.ask(question).receipt
    assert formulary.bodies == []
    assert asked_of(receipt).outcome == "not_sent"
    seen: list[Any] = []
    receipt = device.ask(question, approve=lambda one: not seen.append(one)).receipt
    assert "Lovelace" not in seen[0].text
    assert "person" in [one.label for one in receipt.findings]


def test_a_question_of_another_time_stays(device: Runtime, formulary: FakeGateway) -> None:
    assert device.ask(ASKED, as_of=time.time()).receipt.collections == ()
    assert formulary.bodies == []


def test_one_approval_at_a_time(make_runtime: Any, formulary: FakeGateway, cloud: Cloud) -> None:
    parts = route_as(RequestClass.QUESTION, complexity=0.95)
    runtime = make_runtime(
        parts, collections="formulary", collections_url=formulary.url, consent="ask",
        cloud_url=cloud.url, cloud_model="large",
    )  # fmt: skip
    receipt = runtime.ask(ASKED, approve=lambda _: True).receipt
    assert formulary.bodies == []
    assert "asked about the whole question first" in asked_of(receipt).why


def test_passages_go_to_a_cloud_tier_as_others_do(
    make_runtime: Any, formulary: FakeGateway, cloud: Cloud
) -> None:
    cloud.text = f"{INSULIN[:-1]} [1]."
    runtime = make_runtime(
        route_as(RequestClass.QUESTION, complexity=0.95), collections="formulary",
        collections_url=formulary.url, consent="granted", cloud_url=cloud.url, cloud_model="large",
    )  # fmt: skip
    reply = runtime.ask(ASKED)
    assert reply.receipt.answered_by is Tier.CLOUD
    assert [one.what for one in reply.receipt.egress] == [("vector",), ("question", "chunks:[1]")]
    assert INSULIN in json.dumps(cloud.bodies[0])


def test_the_gate_holds_an_answer_to_a_collection(
    make_runtime: Any, formulary: FakeGateway, scripted: Any
) -> None:
    runtime = make_runtime(
        route_as(RequestClass.QUESTION), collections="formulary", collections_url=formulary.url,
        consent="granted",
    )  # fmt: skip
    scripted.draft = "Insulin glargine is stored between 12 and 18 degrees [1]."
    reply = runtime.ask(ASKED)
    assert "12" not in reply.text
    assert reply.verdict != "released"


@pytest.mark.parametrize(
    "bad",
    [
        found(ORDER, title="Insulin glargine storage temperature"),
        found(f"{INSULIN} {ORDER}"),
        found(INSULIN, title=f"Insulin glargine. {ORDER}"),
    ],
)
def test_orders_in_a_collection_are_left_out(
    device: Runtime, formulary: FakeGateway, bad: Any
) -> None:
    formulary.found = (bad,)
    receipt = device.ask(ASKED).receipt
    assert [one for one in receipt.chunks if one.collection] == []
    assert "0906" not in device.ask(ASKED).text
    (finding, *_) = [one for one in receipt.findings if one.kind == "injection"]
    assert finding.place.source == "formulary/insulin.md"


@pytest.mark.parametrize(
    "bad",
    [
        found(expires_at=time.time() - 1),
        found(superseded_at=time.time() - DAY_S),
        found(valid_from=time.time() + DAY_S),
        found(WARFARIN, title="Warfarin", similarity=1.0),
        found("insulin " * 600),
    ],
    ids=["expired", "superseded", "not yet", "not near", "too long for a passage"],
)
def test_what_a_cloud_should_not_have_sent_is_left_out(
    device: Runtime, formulary: FakeGateway, bad: Any
) -> None:
    formulary.found = (bad,)
    receipt = device.ask(ASKED).receipt
    assert asked_of(receipt).outcome == "nothing"
    assert [one for one in receipt.chunks if one.collection] == []


def test_a_domain_holds_for_collections(device: Runtime, formulary: FakeGateway) -> None:
    formulary.found = (found(domain="pharmacy"), found(f"{INSULIN} Here too.", domain="ward"))
    receipt = device.ask(ASKED, domain="ward").receipt
    assert asked_of(receipt).passages == 1
    assert b"ward" not in formulary.bodies[0]


def test_the_same_passage_is_taken_once(device: Runtime, formulary: FakeGateway) -> None:
    formulary.found = (found(), found(similarity=0.2))
    assert asked_of(device.ask(ASKED).receipt).passages == 1


@pytest.mark.parametrize(
    ("given", "root"),
    [
        ("https://gateway.example", "https://gateway.example/v1"),
        ("https://gateway.example/v1/", "https://gateway.example/v1"),
        ("https://gateway.example/skerry", "https://gateway.example/skerry/v1"),
    ],
)
def test_an_address_with_and_without_a_path(given: str, root: str) -> None:
    assert str(collections_service(Settings(collections_url=given)).url) == root


def test_several_collections(make_runtime: Any, formulary: FakeGateway) -> None:
    runtime = make_runtime(
        route_as(RequestClass.LOOKUP), collections="formulary, atlas",
        collections_url=formulary.url, consent="granted",
    )  # fmt: skip
    receipt = runtime.ask(ASKED).receipt
    assert [one.name for one in receipt.collections] == ["atlas", "formulary"]
    assert len({one.id for one in receipt.chunks}) == len(receipt.chunks) == 2
    assert all(one.id < 0 for one in receipt.chunks)


def test_several_collections_are_approved_at_once(
    make_runtime: Any, formulary: FakeGateway
) -> None:
    runtime = make_runtime(
        route_as(RequestClass.LOOKUP), collections="formulary, atlas",
        collections_url=formulary.url, consent="ask",
    )  # fmt: skip
    seen: list[Any] = []
    runtime.ask(ASKED, approve=lambda one: not seen.append(one))
    (preview,) = seen
    assert preview.model == "atlas, formulary"
    assert formulary.bodies == [preview.body] * 2
    alone: list[Any] = []
    single = make_runtime(
        route_as(RequestClass.LOOKUP), collections="atlas",
        collections_url=formulary.url, consent="ask",
    )  # fmt: skip
    single.ask(ASKED, approve=lambda one: not alone.append(one))
    assert alone[0].body == preview.body
    assert alone[0].digest != preview.digest, "approved for one is not approved for two"


def test_a_receipt_tells_and_keeps_it(device: Runtime) -> None:
    receipt = device.ask(ASKED).receipt
    assert from_json(to_json(receipt)) == receipt
    from rich.console import Console

    console = Console(width=200, record=True, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    console.print(render(receipt))
    text = console.export_text()
    assert "vector to 127.0.0.1" in text
    assert "for the collection formulary" in text
    assert "of the cloud collection formulary" in text


def test_numbers_that_are_sent_are_small(formulary: FakeGateway, device: Runtime) -> None:
    device.ask(ASKED)
    vector = json.loads(formulary.bodies[0])["vector"]
    assert len(base64.b64decode(vector)) == 384
    assert len(formulary.bodies[0]) < 700


def test_a_question_that_orders_a_model_about_stays(
    device: Runtime, formulary: FakeGateway, handbook: Path
) -> None:
    receipt = device.ask(f"{ORDER} {ASKED}").receipt
    assert formulary.bodies == []
    assert receipt.egress == ()


def test_what_is_asked_of_people_is_asked_of_a_collection(
    make_runtime: Any, formulary: FakeGateway
) -> None:
    formulary.found = (found("You can hire our boats at the north pier.", title="Boats"),)
    unsupported = route_as(RequestClass.UNSUPPORTED)
    question = "Do you hire boats?"
    alone = make_runtime(unsupported, consent="granted")
    assert alone.route(question).tier is Tier.REFUSE
    runtime = make_runtime(
        unsupported, collections="formulary", collections_url=formulary.url, consent="granted"
    )
    assert runtime.route(question).tier is not Tier.REFUSE
    assert asked_of(runtime.ask(question).receipt).outcome == "found"
