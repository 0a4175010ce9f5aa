"""The conversations that the device keeps, as the page reads them back."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from skerry.edge.encoder import OnnxEncoder
from skerry.edge.index.types import Metadata
from tests.edge.page.stage import Line, Stage, stage

QUESTION = "How often is the emergency trolley checked?"
TEXT = "# Emergency trolley\n\nThe emergency trolley is checked every {when} by the charge nurse.\n"
ANSWER = "The emergency trolley is checked every morning by the charge nurse."

Open = Callable[..., Stage]


@pytest.fixture(scope="module")
def encoder() -> OnnxEncoder:
    return OnnxEncoder.load()


@pytest.fixture
def document(tmp_path: Path) -> Path:
    path = tmp_path / "trolley.md"
    path.write_text(TEXT.format(when="morning"))
    return path


@pytest.fixture
def house(tmp_path: Path, encoder: OnnxEncoder, document: Path) -> Iterator[Stage]:
    with stage(tmp_path / "house", [document], encoder) as running:
        running.script.lines[QUESTION] = Line((ANSWER,))
        yield running


def http(running: Stage) -> httpx2.Client:
    key = {"authorization": f"Bearer {running.key}"}
    return httpx2.Client(base_url=running.url, headers=key, timeout=30)


def ask(running: Stage, session: str = "new", question: str = QUESTION) -> str:
    """Asks, and gives the conversation's id."""
    with http(running) as client:
        answer = client.post("/api/ask", json={"question": question, "session": session})
    told = [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: ")]
    assert told[-1]["event"] == "finished", told[-1]
    return str(told[-1]["receipt"]["session"])


def get(running: Stage, path: str, status: int = 200) -> Any:
    with http(running) as client:
        answer = client.get(path)
    assert answer.status_code == status, answer.text
    return answer.json()


def test_a_conversation_comes_back_with_citations_and_receipts(house: Stage) -> None:
    session = ask(house)
    ask(house, session)
    found = get(house, f"/api/sessions/{session}")
    assert (found["id"], found["turns"], found["stored"]) == (session, 4, True)
    assert [one["role"] for one in found["said"]] == ["user", "assistant"] * 2
    question, answer = found["said"][:2]
    assert (question["text"], question["receipt"], question["citations"]) == (QUESTION, None, [])
    assert answer["text"].startswith(ANSWER.removesuffix("."))
    assert answer["receipt"]["schema"] == "skerry.receipt/1"
    (cited,) = answer["citations"]
    text = get(house, f"/api/documents/{cited['document']}/text")["text"]
    assert text[cited["start"] : cited["end"]] == cited["text"]
    assert cited["state"] == "in_force"
    assert get(house, f"/api/sessions/{session}?last=1")["said"] == found["said"][3:]


def test_a_source_says_what_became_of_it(house: Stage, document: Path) -> None:
    session = ask(house)
    states = []
    for when in ("evening", None):
        if when is None:
            house.runtime.index.remove(str(document))
        else:
            document.write_text(TEXT.format(when=when))
            house.runtime.index.add([document], metadata=Metadata(version="2"))
        (cited,) = get(house, f"/api/sessions/{session}")["said"][1]["citations"]
        states.append(cited["state"])
    assert states == ["superseded", "gone"]
    assert cited["document"] is None
    assert cited["title"] == "Emergency trolley"


def test_another_index_gives_no_source_of_the_same_number(
    tmp_path: Path, encoder: OnnxEncoder, house: Stage
) -> None:
    session = ask(house)
    other = tmp_path / "other.md"
    other.write_text("# Fridge\n\nThe fridge is kept at 5 degrees.\n")
    state = tmp_path / "house" / "state.sqlite"
    with stage(tmp_path / "second", [other], encoder, state=state) as second:
        (cited,) = get(second, f"/api/sessions/{session}")["said"][1]["citations"]
    assert cited["state"] == "gone"


@pytest.mark.parametrize("damage", ["DELETE FROM receipts", "lost"])
def test_a_receipt_that_is_not_there_any_more(tmp_path: Path, house: Stage, damage: str) -> None:
    session = ask(house)
    with sqlite3.connect(tmp_path / "house" / "state.sqlite") as file:
        if damage == "lost":
            file.execute("DROP TRIGGER receipts_never_change")
            damage = "UPDATE receipts SET body = '{'"
        file.execute(damage)
    answer = get(house, f"/api/sessions/{session}")["said"][1]
    assert (answer["receipt"], answer["citations"]) == (None, [])
    assert answer["text"].startswith("The emergency trolley")


def test_the_list_and_the_end_of_one(house: Stage) -> None:
    assert get(house, "/api/sessions") == {"stored": True, "sessions": []}
    first, second = ask(house), ask(house)
    house.runtime.parts.sessions.create()
    listed = get(house, "/api/sessions")["sessions"]
    assert [(one["id"], one["opening"], one["turns"]) for one in listed] == [
        (second, QUESTION, 2),
        (first, QUESTION, 2),
    ]
    assert len(get(house, "/api/sessions?limit=1")["sessions"]) == 1
    with http(house) as client:
        assert client.delete(f"/api/sessions/{first}").json() == {"deleted": first}
        assert client.delete(f"/api/sessions/{first}").status_code == 404
        for wrong in ("limit=0", "limit=9999", "limit=x"):
            assert client.get(f"/api/sessions?{wrong}").status_code == 400
    get(house, f"/api/sessions/{first}", 404)
    assert [one["id"] for one in get(house, "/api/sessions")["sessions"]] == [second]


@pytest.mark.parametrize("key", ["no-such", "%00", "%2e%2e", "a" * 300, "%ff", "'--"])
def test_what_was_never_an_id(house: Stage, key: str) -> None:
    assert get(house, f"/api/sessions/{key}", 404)["error"]["code"] in {
        "session_not_found", "http_error"
    }  # fmt: skip


def test_nothing_without_the_key(house: Stage) -> None:
    session = ask(house)
    for method, path in (("GET", ""), ("GET", f"/{session}"), ("DELETE", f"/{session}")):
        answer = httpx2.request(method, f"{house.url}/api/sessions{path}")
        assert answer.status_code == 401
    assert get(house, f"/api/sessions/{session}")["turns"] == 2


def test_conversations_that_are_not_stored(
    tmp_path: Path, encoder: OnnxEncoder, document: Path
) -> None:
    """They are there while the server runs; nothing of them is in the file."""
    options = {"store_conversations": False, "store_text": False}
    with stage(tmp_path / "house", [document], encoder, **options) as running:
        running.script.lines[QUESTION] = Line((ANSWER,))
        session = ask(running)
        assert get(running, f"/api/sessions/{session}")["stored"] is False
        assert get(running, "/api/sessions")["stored"] is False
    for file in (tmp_path / "house").glob("state.sqlite*"):
        assert b"emergency trolley is checked" not in file.read_bytes()
    with stage(tmp_path / "house", [], encoder, **options) as running:
        get(running, f"/api/sessions/{session}", 404)


def test_two_servers_on_one_file(tmp_path: Path, encoder: OnnxEncoder, house: Stage) -> None:
    """A conversation that began in one goes on in the other."""
    with stage(tmp_path / "house", [], encoder) as second:
        second.script.lines[QUESTION] = Line((ANSWER,))
        session = ask(house)
        assert ask(second, session) == session
        assert ask(house, session) == session
        assert get(second, f"/api/sessions/{session}")["turns"] == 6
        with http(second) as client:
            client.delete(f"/api/sessions/{session}")
        get(house, f"/api/sessions/{session}", 404)
