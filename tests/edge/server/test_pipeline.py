"""The whole pipeline behind the server: citations, receipts, the page's API, approval."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest

from skerry.edge.index.types import Metadata
from skerry.edge.runtime import Runtime
from tests.edge.server.conftest import MODEL, Server, running

pytestmark = pytest.mark.model

QUESTION = "How often is the emergency trolley checked?"
TROLLEY = (
    "# Emergency trolley\n\nThe emergency trolley is checked every {when} by the charge nurse.\n"
)
POLICY = """
schema = "skerry.policy/1"
extends = "defaults"
version = "test"
[classes.lookup]
escalate = ["cloud"]
escalate_at = 0.0
[classes.retrieval_question]
escalate = ["cloud"]
escalate_at = 0.0
[classes.extraction]
escalate = ["cloud"]
escalate_at = 0.0
"""
"""Whatever the class of the question, the cloud is to be asked first."""


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server over a few documents, one of which is superseded and one expired."""
    folder = tmp_path_factory.mktemp("clinic")
    fill(folder)
    limits = ("--context-tokens", "1024", "--threads", "1", "--max-tokens", "24")
    with running(folder, *limits) as server:
        yield server


def fill(folder: Path) -> None:
    for number, when in ((1, "Monday"), (2, "morning")):
        (folder / f"trolley-{number}.md").write_text(TROLLEY.format(when=when))
    (folder / "rota.txt").write_text("The rota of last week: Ada on Monday.")
    with Runtime(index=folder / "index.sqlite", state=folder / "state.sqlite") as runtime:
        for number in (1, 2):
            wanted = Metadata(title="Emergency trolley", version=str(number), valid_from=number)
            runtime.index.add([folder / f"trolley-{number}.md"], metadata=wanted)
        runtime.index.add([folder / "rota.txt"], metadata=Metadata(expires_at=1000.0))


def events(server: Server, **body: Any) -> list[dict[str, Any]]:
    """The events of POST /api/ask."""
    with server.http() as http:
        answer = http.post("/api/ask", json={"question": QUESTION, **body})
    assert answer.status_code == 200, answer.text
    frames = answer.text.split("\n\n")
    return [json.loads(frame.partition("data: ")[2]) for frame in frames if frame]


def test_an_answer_with_citations(clinic: Server) -> None:
    with clinic.client() as client:
        answer: Any = client.chat.completions.create(
            model="skerry", messages=[{"role": "user", "content": QUESTION}]
        )
    assert "every morning" in answer.choices[0].message.content
    extra = answer.skerry
    assert extra["citations"][0]["version"] == "2"
    assert extra["verdict"] in {"released", "repaired"}
    assert extra["answered_by"] in {"rules", "device"}
    assert extra["unfounded"] is False
    with clinic.http() as http:
        receipt = http.get(f"/api/receipts/{extra['receipt']}").json()
    assert receipt["id"] == extra["receipt"]
    assert receipt["egress"] == []


def test_a_stream_with_citations(clinic: Server) -> None:
    with clinic.client() as client:
        chunks: list[Any] = list(
            client.chat.completions.create(
                model="skerry", messages=[{"role": "user", "content": QUESTION}], stream=True
            )
        )
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert "every morning" in text
    assert chunks[-1].skerry["citations"]


def test_a_quotation_is_counted(clinic: Server) -> None:
    with clinic.client() as client:
        answer: Any = client.chat.completions.create(
            model="skerry", messages=[{"role": "user", "content": QUESTION}]
        )
    assert answer.usage.prompt_tokens > 5
    assert answer.usage.completion_tokens > 5


def test_an_answer_without_a_model_took_no_tokens(clinic: Server) -> None:
    with clinic.client() as client:
        answer: Any = client.chat.completions.create(
            model="skerry", messages=[{"role": "user", "content": "Who won the regatta in Oslo?"}]
        )
    assert answer.skerry["citations"] == []
    assert answer.usage.total_tokens == 0


def test_the_responses_api_has_them_too(clinic: Server) -> None:
    with clinic.client() as client:
        first: Any = client.responses.create(model="skerry", input=QUESTION)
        assert first.skerry["citations"]
        assert client.responses.create(
            model="skerry", input="Who checks the trolley?", previous_response_id=first.id
        ).output_text


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"logprobs": True}, "logprobs"),
        ({"tools": [{"type": "function", "function": {"name": "f"}}]}, "tools"),
        ({"messages": [{"role": "assistant", "content": "x"}]}, "messages"),
        ({"messages": [{"role": "user", "content": "a\x00b"}]}, None),
        ({"messages": [{"role": "user", "content": "  "}]}, None),
        ({"extra_body": {"skerry": {"consent": "always"}}}, "skerry.consent"),
    ],
    ids=["logprobs", "tools", "no question", "NUL", "empty", "consent"],
)
def test_bad_request(clinic: Server, fields: dict[str, Any], param: str | None) -> None:
    body: Any = {"model": "skerry", "messages": [{"role": "user", "content": QUESTION}]}
    with clinic.client() as client, pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(**(body | fields))
    assert caught.value.param == param


def test_metrics_count_what_was_decided(clinic: Server) -> None:
    events(clinic)
    with clinic.http() as http:
        text = http.get("/metrics").text
    for name in ("skerry_request_classes_total{", "skerry_tiers_total{", "skerry_gate_verdicts_t"):
        assert name in text
    assert "skerry_egress_bytes_total 0.0" in text
    assert "trolley" not in text


def test_the_events_of_an_answer(clinic: Server) -> None:
    told = events(clinic)
    kinds = [event["event"] for event in told]
    assert kinds[:2] == ["route", "sources"]
    assert kinds[-1] == "finished"
    assert all(event["schema"] == "skerry.event/1" for event in told)
    text = "".join(event["text"] for event in told if event["event"] == "text")
    assert text.strip() == told[-1]["answer"]
    assert told[-1]["receipt"]["schema"] == "skerry.receipt/1"


def test_a_conversation(clinic: Server) -> None:
    first, *_ = events(clinic, session="new")
    assert first["event"] == "session"
    told = events(clinic, question="Who checks the trolley?", session=first["session"])
    assert told[-1]["receipt"]["session"] == first["session"]
    with clinic.http() as http:
        gone = http.post("/api/ask", json={"question": "?", "session": "no-such"})
    assert gone.status_code == 404


def test_documents(clinic: Server) -> None:
    with clinic.http() as http:
        documents = http.get("/api/documents").json()["documents"]
        states = {(one["title"], one["version"]): one["state"] for one in documents}
        assert states["Emergency trolley", "1"] == "superseded"
        assert states["Emergency trolley", "2"] == "in_force"
        assert "expired" in states.values()
        current = next(one for one in documents if one["state"] == "in_force")
        text = http.get(f"/api/documents/{current['id']}/text").json()
        assert "every morning" in text["text"]
        assert text["length"] == len(text["text"])
        part = http.get(f"/api/documents/{current['id']}/text?start=2&end=9").json()
        assert part["text"] == text["text"][2:9]
        assert http.get("/api/documents/999/text").status_code == 404
        assert http.get("/api/documents/1/text?start=-1").status_code == 400


def test_state(clinic: Server) -> None:
    with clinic.http() as http:
        state = http.get("/api/state").json()
    assert state["offline"] is True
    assert state["documents"] == 3
    assert MODEL in state["models"]
    assert state["cloud"] == {"configured": False, "model": None}


@pytest.fixture(scope="module")
def connected(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose cloud is another server, and whose policy wants to ask it."""
    folder = tmp_path_factory.mktemp("connected")
    fill(folder)
    (folder / "policy.toml").write_text(POLICY)
    cloud = {
        "SKERRY_OFFLINE": "0",
        "SKERRY_CLOUD_URL": f"{server.url}/v1",
        "SKERRY_CLOUD_MODEL": MODEL,
        "SKERRY_CLOUD_API_KEY": server.key,
        "SKERRY_POLICY": str(folder / "policy.toml"),
        "SKERRY_MAX_TOKENS": "24",
    }
    with running(folder, "--context-tokens", "1024", "--threads", "1", **cloud) as connected:
        yield connected


def kinds_of(told: list[dict[str, Any]]) -> list[str]:
    return [event["event"] for event in told if event["event"] != "text"]


def test_nothing_leaves_unless_approved(connected: Server) -> None:
    told = events(connected)
    asked = next(event for event in told if event["event"] == "approval_needed")
    assert QUESTION in asked["preview"]["messages"][-1]["text"]
    assert kinds_of(told) == ["route", "sources", "approval_needed", "tier_failed", "finished"]
    assert told[-1]["receipt"]["egress"] == []
    other = events(connected, approved_preview="0" * 64)
    assert other[-1]["receipt"]["egress"] == []


def test_what_was_approved_leaves_and_nothing_else(connected: Server) -> None:
    session = events(connected, session="new", hold=True)
    assert kinds_of(session) == ["session", "route", "sources", "approval_needed"]
    digest = session[-1]["digest"]
    told = events(connected, session=session[0]["session"], hold=True, approved_preview=digest)
    assert kinds_of(told) == ["route", "sources", "finished"]
    receipt = told[-1]["receipt"]
    assert receipt["answered_by"] == "cloud"
    (egress,) = receipt["egress"]
    assert egress["approved"] is True
    assert egress["bytes_sent"] > 100
    other = f"{QUESTION} Please explain."
    again = events(connected, question=other, hold=True, approved_preview=digest)
    assert kinds_of(again)[-1] == "approval_needed"


def test_offline_is_a_switch_of_the_request(connected: Server) -> None:
    told = events(connected, offline=True)
    assert kinds_of(told) == ["route", "sources", "finished"]
    assert told[-1]["receipt"]["egress"] == []
