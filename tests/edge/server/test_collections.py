"""`skerry serve` with a cloud collection: the page's approval, conversations, plain clients."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.edge.collections.gateways import ASKED, FakeGateway
from tests.edge.server.conftest import Server, running


@pytest.fixture(scope="module")
def formulary() -> Iterator[FakeGateway]:
    gateway = FakeGateway()
    yield gateway
    gateway.close()


@pytest.fixture(scope="module")
def served(formulary: FakeGateway, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    collections = {
        "SKERRY_OFFLINE": "0",
        "SKERRY_COLLECTIONS": "atlas,formulary",
        "SKERRY_COLLECTIONS_URL": formulary.url,
    }
    with running(tmp_path_factory.mktemp("served"), **collections) as one:
        yield one


def events(server: Server, **body: Any) -> list[dict[str, Any]]:
    with server.http() as http:
        answer = http.post("/api/ask", json={"question": ASKED, **body})
    assert answer.status_code == 200, answer.text
    frames = answer.text.split("\n\n")
    return [json.loads(frame.partition("data: ")[2]) for frame in frames if frame]


def test_the_page_asks_once_and_sends_what_was_approved(
    served: Server, formulary: FakeGateway
) -> None:
    first = events(served, session="new", hold=True)
    assert [one["event"] for one in first] == ["session", "approval_needed"]
    assert formulary.bodies == []
    assert "may be guessed" in first[1]["preview"]["messages"][0]["text"]
    session, digest = first[0]["session"], first[1]["digest"]
    told = events(served, session=session, hold=True, approved_preview=digest)
    assert told[-1]["event"] == "finished"
    (citation, *_) = told[-1]["citations"]
    assert (citation["collection"], citation["document"]) == ("atlas", None)
    assert [one["approved"] for one in told[-1]["receipt"]["egress"]] == [True, True]
    assert len(formulary.bodies) == 2
    with served.http() as http:
        turns = http.get(f"/api/sessions/{session}").json()["said"]
    (kept, *_) = turns[-1]["citations"]
    assert (kept["collection"], kept["document"], "state" in kept) == ("atlas", None, False)


def test_a_client_that_cannot_approve_sends_nothing(served: Server, formulary: FakeGateway) -> None:
    before = len(formulary.bodies)
    with served.client() as client:
        answer: Any = client.chat.completions.create(
            model="skerry", messages=[{"role": "user", "content": ASKED}]
        )
    assert answer.choices[0].message.content == "The documents do not say."
    assert len(formulary.bodies) == before
