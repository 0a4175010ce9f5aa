"""What leaves the device, when, and what of it is told: a real server stands for the cloud."""

from __future__ import annotations

import json
import re
import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from skerry.edge import (
    Consent,
    Runtime,
    Sensitivity,
    Tier,
    TierFailed,
)
from skerry.edge.errors import InputError
from skerry.edge.policy import parse_policy
from skerry.edge.tiers import NO_DOCUMENTS
from skerry.edge.types import RequestClass
from tests.edge.asking import QUESTION, Cloud, route_as

_ADDRESS = re.compile(r"contact\d+@example\.\w+")


def test_with_consent_a_hard_question_goes_to_the_cloud(hard: Runtime, cloud: Cloud) -> None:
    reply = hard.ask(QUESTION, consent=Consent.GRANTED)
    assert reply.receipt.answered_by is Tier.CLOUD
    assert reply.text == "The emergency trolley is checked every day [1]."
    (egress,) = reply.receipt.egress
    assert egress.bytes_sent == cloud.received_bytes
    assert "question" in egress.what


def test_names_are_looked_for_where_something_may_leave(hard: Runtime, cloud: Cloud) -> None:
    question = "Has Ada Lovelace asked how often the emergency trolley is checked?"
    stayed = hard.ask(question, offline=True).receipt
    assert "screen_names" not in [step.name for step in stayed.steps]
    held = hard.ask(question, consent=Consent.GRANTED).receipt
    assert "screen_names" in [step.name for step in held.steps]
    assert "person" in [finding.label for finding in held.findings]
    assert (held.route.needs_approval, held.answered_by) == (True, Tier.DEVICE)
    assert not cloud.received_bytes


def test_what_is_sent_was_approved_and_has_no_identifiers(hard: Runtime, cloud: Cloud) -> None:
    seen: list[Any] = []
    question = f"{QUESTION} Tell ada@ward.example."
    reply = hard.ask(question, approve=lambda preview: not seen.append(preview))
    sent = json.dumps(cloud.bodies[0])
    assert "ada@ward.example" not in sent
    assert _ADDRESS.search(sent)
    assert json.loads(seen[0].body) == cloud.bodies[0]
    assert seen[0].redactions == 1
    assert reply.receipt.egress[0].approved
    assert reply.receipt.egress[0].redactions == 1
    assert reply.receipt.egress[0].replaced == {"email": 1}


def test_a_conversation_keeps_its_surrogates(hard: Runtime, cloud: Cloud) -> None:
    sessions = hard.parts.sessions
    session = sessions.create().id
    for _ in range(2):
        hard.ask(f"{QUESTION} Tell ada@ward.example.", approve=lambda _: True, session=session)
    first, second = (_ADDRESS.findall(json.dumps(body)) for body in cloud.bodies)
    assert set(first) == set(second)
    assert len(set(first)) == 1
    assert first[0].encode() in sessions.mapping(session)
    sessions.delete(session)
    assert sessions.mapping(session) is None


def test_without_approval_nothing_leaves(hard: Runtime, cloud: Cloud) -> None:
    events = list(hard.stream(QUESTION, consent=Consent.ASK, approve=lambda preview: False))
    assert cloud.bodies == []
    failed = [event for event in events if isinstance(event, TierFailed)]
    assert [(event.tier, event.next) for event in failed] == [(Tier.CLOUD, Tier.DEVICE)]
    receipt = events[-1].reply.receipt
    assert receipt.answered_by is Tier.DEVICE
    assert "not approved" in receipt.fell_back
    assert receipt.egress == ()


def test_when_the_cloud_fails_the_device_answers_and_says_so(hard: Runtime, cloud: Cloud) -> None:
    cloud.status = 400
    reply = hard.ask(QUESTION, consent=Consent.GRANTED)
    assert reply.receipt.answered_by is Tier.DEVICE
    assert reply.receipt.fell_back
    assert reply.receipt.egress[0].bytes_sent > 0, "what left is told even when nothing came back"


def test_clinical_questions_stay(hard: Runtime, cloud: Cloud) -> None:
    reply = hard.ask(QUESTION, consent=Consent.GRANTED, sensitivity=Sensitivity.CLINICAL)
    assert reply.receipt.answered_by is Tier.DEVICE
    assert cloud.bodies == []


def test_a_source_with_patient_data_stays(hard: Runtime, handbook: Path, cloud: Cloud) -> None:
    (handbook / "letter.md").write_text(
        "# Emergency trolley letter\n\nThe emergency trolley was used for MRN: 00412345.\n"
    )
    hard.index.add([handbook])
    reply = hard.ask(QUESTION, consent=Consent.GRANTED)
    assert reply.receipt.answered_by is Tier.DEVICE
    assert cloud.bodies == []


def test_a_grammar_keeps_a_question_on_the_device(hard: Runtime, cloud: Cloud) -> None:
    reply = hard.ask(QUESTION, consent=Consent.GRANTED, grammar='root ::= "yes" | "no"')
    assert reply.receipt.answered_by is Tier.DEVICE
    assert cloud.bodies == []


def test_offline_makes_no_socket(make_runtime, handbook: Path, cloud: Cloud) -> None:
    attempts: list[tuple[str, object]] = []
    watching = True

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        if watching and event in {"socket.connect", "socket.getaddrinfo"}:
            attempts.append((event, arguments))

    sys.addaudithook(watch)
    parts = route_as(RequestClass.REASONING, complexity=0.95)
    runtime = make_runtime(
        parts, offline=True, cloud_url=cloud.url, cloud_model="large", consent="granted"
    )
    runtime.index.add([handbook])
    reply = runtime.ask(QUESTION)
    with pytest.raises(OSError, match="refused"):  # the watch sees what does connect
        socket.create_connection(("127.0.0.1", 1), timeout=1)
    watching = False
    assert reply.receipt.answered_by is Tier.DEVICE
    assert [event for event, _ in attempts] == ["socket.getaddrinfo", "socket.connect"]


@pytest.mark.parametrize("wrong", [{"consent": "NEVER"}, {"consent": "yes"}, {"sensitivity": 9}])
def test_what_nobody_understands_does_not_open_the_way(
    hard: Runtime, cloud: Cloud, wrong: dict[str, Any]
) -> None:
    with pytest.raises(InputError, match="the argument"):
        hard.ask(QUESTION, **wrong)
    assert not cloud.received_bytes


def test_consent_as_a_text_means_what_it_says(hard: Runtime, cloud: Cloud) -> None:
    receipt = hard.ask(QUESTION, consent="never", approve=lambda _: True).receipt
    assert receipt.answered_by is Tier.DEVICE
    assert not receipt.egress
    assert not cloud.received_bytes


@pytest.mark.parametrize("asked", [None, Consent.ASK, Consent.GRANTED])
def test_the_setting_is_a_ceiling(
    make_runtime, handbook: Path, cloud: Cloud, asked: Consent | None
) -> None:
    parts = route_as(RequestClass.QUESTION, complexity=0.95)
    places = {"cloud_url": cloud.url, "cloud_model": "large"}
    runtime = make_runtime(parts, **places, consent="never")
    runtime.index.add([handbook])
    receipt = runtime.ask(QUESTION, consent=asked, approve=lambda _: True).receipt
    assert receipt.input.consent is Consent.NEVER
    assert not cloud.received_bytes
    asking = make_runtime(parts, **places)
    assert asking.route(QUESTION, consent=asked).needs_approval


def test_where_nothing_is_found_the_cloud_answers_nothing(hard: Runtime, cloud: Cloud) -> None:
    receipt = hard.ask("Who won the regatta in Trondheim?").receipt
    assert receipt.route.tier is Tier.CLOUD
    assert (receipt.answered_by, receipt.egress, receipt.model) == (Tier.DEVICE, (), None)
    assert "nothing was sent" in (receipt.fell_back or "")
    assert not cloud.received_bytes


def test_without_documents_policy_may_keep_questions_about_them_from_the_cloud(
    make_runtime, cloud: Cloud
) -> None:
    places = {"cloud_url": cloud.url, "cloud_model": "large", "consent": "granted"}
    parts = route_as(RequestClass.QUESTION, complexity=0.95)
    assert make_runtime(parts, **places).ask(QUESTION).receipt.answered_by is Tier.CLOUD
    sent = cloud.received_bytes
    assert sent
    strict = parse_policy("[gate]\nwithout_documents = false\n", "strict.toml")
    reply = make_runtime({**parts, "policy": strict}, **places).ask(QUESTION)
    assert (reply.text, reply.receipt.egress) == (NO_DOCUMENTS, ())
    assert cloud.received_bytes == sent


_PATIENT = "My patient Xiaoming Nguyen, MRN: 44718, has HIV. Her mail is ada@ward.example."


def test_whom_an_earlier_turn_is_about_keeps_the_next_one_here(hard: Runtime, cloud: Cloud) -> None:
    """It would leave with the question."""
    session = hard.parts.sessions.create().id
    hard.ask(_PATIENT, session=session, offline=True)
    receipt = hard.ask(QUESTION, session=session, consent=Consent.GRANTED).receipt
    assert receipt.answered_by is Tier.DEVICE
    assert "mrn in what was said before" in " ".join(one.text for one in receipt.route.reasons)
    assert cloud.bodies == []


@pytest.mark.parametrize(
    "given",
    [
        {"history": [{"role": "user", "content": "Card 4111 1111 1111 1111"}]},
        {"instructions": "The customer's card is 4111 1111 1111 1111."},
    ],
    ids=["history", "instructions"],
)
def test_a_secret_said_before_is_held_like_one_in_the_question(
    hard: Runtime, cloud: Cloud, given: dict[str, Any]
) -> None:
    receipt = hard.ask(QUESTION, consent=Consent.GRANTED, **given).receipt
    asked = hard.ask(f"{QUESTION} Card 4111 1111 1111 1111", consent=Consent.GRANTED).receipt
    assert receipt.route.tier is asked.route.tier
    assert receipt.route.needs_approval == asked.route.needs_approval
    assert cloud.bodies == []


def test_the_same_request_is_sent_as_it_was_approved(hard: Runtime, cloud: Cloud) -> None:
    """Without a conversation, too: what a person saw in one request is approved in another."""
    seen: list[Any] = []
    question = f"{QUESTION} Tell ada@ward.example."
    hard.ask(question, approve=lambda preview: bool(seen.append(preview)))
    hard.ask(question, approve=lambda preview: preview.digest == seen[0].digest)
    assert json.loads(seen[0].body) == cloud.bodies[0]
    hard.ask(f"{question} Now.", approve=lambda preview: bool(seen.append(preview)))
    first, second = (_ADDRESS.findall(one.body.decode()) for one in seen)
    assert first != second
