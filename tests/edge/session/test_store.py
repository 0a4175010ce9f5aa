from __future__ import annotations

import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skerry.edge.errors import InputError, SessionNotFound
from skerry.edge.session import SessionLimits, SessionStore
from skerry.edge.session.schema import SESSIONS
from skerry.edge.state import Schema, StateFile


class Clock:
    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.sqlite"


@pytest.fixture
def store(path: Path) -> Iterator[SessionStore]:
    with SessionStore.open(path, clock=Clock()) as opened:
        yield opened


def texts(store: SessionStore, session_id: str) -> list[str]:
    return [turn.text for turn in store.get(session_id).turns]


def test_a_conversation_is_there_tomorrow(path: Path) -> None:
    with SessionStore.open(path) as store:
        session = store.create()
        store.append(session.id, "user", "How often?")
        turn = store.append(session.id, "assistant", "Daily.", receipt_id="r-1")
    with SessionStore.open(path) as store:
        kept = store.get(session.id)
    assert kept.turns[1] == turn
    assert [(turn.role, turn.text, turn.receipt_id) for turn in kept.turns] == [
        ("user", "How often?", None),
        ("assistant", "Daily.", "r-1"),
    ]
    assert (kept.info.turns, kept.info.size_bytes) == (2, 16)
    assert kept.info.updated_at == turn.at >= kept.info.created_at


@pytest.mark.parametrize("labels", [None, frozenset(), frozenset({"ward", "staff, senior"})])
def test_labels_come_back_as_they_were(path: Path, labels: frozenset[str] | None) -> None:
    with SessionStore.open(path) as store:
        session = store.create()
        turn = store.append(session.id, "assistant", "Daily.", labels=labels)
    with SessionStore.open(path) as store:
        assert store.get(session.id).turns == (turn,)
    assert turn.labels == labels


def test_a_conversation_from_before_labels_has_none_that_are_known(path: Path) -> None:
    before = Schema(SESSIONS.name, SESSIONS.migrations[:1])
    state = StateFile.open(path, before)
    with state.write() as connection:
        connection.execute("INSERT INTO session_heads VALUES ('one', 1, 1, 1, 3)")
        turn = ("one", 1, "user", b"Hi!", 1.0, None)
        connection.execute("INSERT INTO session_turns VALUES (?, ?, ?, ?, ?, ?)", turn)
    state.close()
    with SessionStore.open(path) as store:
        (kept,) = store.get("one").turns
        assert store.append("one", "assistant", "Hello.").labels is None
    assert (kept.text, kept.labels) == ("Hi!", None)


def test_the_last_few(store: SessionStore) -> None:
    session = store.create()
    for n in range(5):
        store.append(session.id, "user", str(n))
    assert [turn.text for turn in store.get(session.id, last=2).turns] == ["3", "4"]
    assert store.get(session.id, last=0).turns == ()
    assert store.get(session.id, last=0).info.turns == 5


def test_ids_cannot_be_guessed(store: SessionStore) -> None:
    ids = {store.create().id for _ in range(50)}
    assert len(ids) == 50
    assert all(re.fullmatch(r"[\w-]{24}", one) for one in ids)


def test_list_shows_the_last_used_first(store: SessionStore) -> None:
    first, second, third = (store.create().id for _ in range(3))
    store.append(first, "user", "again")
    assert [info.id for info in store.list()] == [first, third, second]
    assert [info.id for info in store.list(limit=1)] == [first]
    assert store.list(limit=-1) == ()


UNKNOWN = ["", "nobody", "' OR 1=1 --", "%", "a\0b", "\ud800", "x" * 10_000]


@pytest.mark.parametrize("session_id", UNKNOWN)
def test_unknown_ids(store: SessionStore, session_id: str) -> None:
    kept = store.create()
    for use in (
        lambda: store.get(session_id),
        lambda: store.append(session_id, "user", "x"),
        lambda: store.delete(session_id),
    ):
        with pytest.raises(SessionNotFound) as caught:
            use()
        assert caught.value.hint
    assert store.list() == (kept,)


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.text(st.characters(), max_size=50))  # every code point: NULs and lone surrogates too
def test_text_comes_back_as_it_was(store: SessionStore, text: str) -> None:
    session = store.create()
    store.append(session.id, "user", text)
    assert texts(store, session.id) == [text]


@pytest.mark.parametrize("text", ["", "a\0b", "\ud800", "\udfff\ud800", "😀", "\ufeff"])
def test_odd_text_survives_reopening(path: Path, text: str) -> None:
    with SessionStore.open(path) as store:
        session = store.create()
        store.append(session.id, "tool", text)
    with SessionStore.open(path) as store:
        assert texts(store, session.id) == [text]


def test_a_turn_of_ten_megabytes_is_refused(store: SessionStore) -> None:
    session = store.create()
    store.append(session.id, "user", "before")
    with pytest.raises(InputError, match=r"10,485,760 bytes; at most 1,048,576") as caught:
        store.append(session.id, "user", "x" * (10 << 20))
    assert "index" in caught.value.hint
    assert texts(store, session.id) == ["before"]


def test_a_turn_of_ten_megabytes_is_kept_where_it_is_allowed(path: Path) -> None:
    text = "é" * (5 << 20)
    with SessionStore.open(path, limits=SessionLimits(turn_bytes=10 << 20)) as store:
        session = store.create()
        store.append(session.id, "user", text)
        assert store.get(session.id).info.size_bytes == 10 << 20
        assert texts(store, session.id) == [text]


FULL = {
    "turns": SessionLimits(session_turns=2),
    "bytes": SessionLimits(session_bytes=9),
}


@pytest.mark.parametrize("limits", FULL.values(), ids=FULL.keys())
def test_a_full_conversation_stays_as_it_is(path: Path, limits: SessionLimits) -> None:
    with SessionStore.open(path, limits=limits) as store:
        session, other = store.create(), store.create()
        store.append(session.id, "user", "four")
        store.append(session.id, "assistant", "five.")
        with pytest.raises(InputError, match="full") as caught:
            store.append(session.id, "user", "x")
        assert "new one" in caught.value.hint
        assert texts(store, session.id) == ["four", "five."]
        store.append(other.id, "user", "x")


def test_no_such_role(store: SessionStore) -> None:
    session = store.create()
    with pytest.raises(InputError, match="'robot' is no role"):
        store.append(session.id, "robot", "x")


def on_disk(path: Path, text: str) -> bool:
    return any(text.encode() in one.read_bytes() for one in path.parent.iterdir())


def test_deleted_text_is_gone_from_the_disk(path: Path) -> None:
    with SessionStore.open(path) as store:
        kept, deleted = store.create(), store.create()
        store.append(kept.id, "user", "stays here")
        for _ in range(20):
            store.append(deleted.id, "user", "PRIVATE-9913 " * 400)
        assert on_disk(path, "PRIVATE-9913")
        store.delete(deleted.id)
        assert not on_disk(path, "PRIVATE-9913")
        assert texts(store, kept.id) == ["stays here"]
        with pytest.raises(SessionNotFound):
            store.delete(deleted.id)


def test_purge_deletes_what_is_old(path: Path) -> None:
    clock = Clock()
    with SessionStore.open(path, clock=clock) as store:
        old, used = store.create(), store.create()
        store.append(old.id, "user", "PRIVATE-9913")
        clock.now += 1000
        store.append(used.id, "user", "hello")
        assert store.purge(older_than_s=500) == 1
        assert store.purge(older_than_s=500) == 0
        assert [info.id for info in store.list()] == [used.id]
        assert not on_disk(path, "PRIVATE-9913")


@pytest.mark.parametrize("age_s", [-1.0, -1e9, float("nan"), float("inf"), float("-inf")])
def test_no_age_purges_nothing(store: SessionStore, age_s: float) -> None:
    kept = store.create()
    with pytest.raises(InputError, match="seconds") as caught:
        store.purge(older_than_s=age_s)
    assert caught.value.hint
    assert store.list() == (kept,)


def test_without_text_on_disk(path: Path) -> None:
    with SessionStore.open(path, store_text=False) as store:
        session = store.create()
        store.append(session.id, "user", "PRIVATE-9913")
        assert texts(store, session.id) == ["PRIVATE-9913"]
        assert list(path.parent.iterdir()) == []
    with SessionStore.open(path, store_text=False) as store, pytest.raises(SessionNotFound):
        store.get(session.id)


def test_threads_append_to_one_conversation(store: SessionStore) -> None:
    session = store.create()

    def talk(name: str) -> None:
        for n in range(15):
            store.append(session.id, "user", f"{name}{n}")

    threads = [threading.Thread(target=talk, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    check_all_arrived_in_order(texts(store, session.id), names="abcd", rounds=15)


def check_all_arrived_in_order(said: list[str], *, names: str, rounds: int) -> None:
    for name in names:
        assert [text for text in said if text[0] == name] == [f"{name}{n}" for n in range(rounds)]
    assert len(said) == len(names) * rounds


TALK = """
import sys
from pathlib import Path
from skerry.edge.session import SessionStore
path, session_id, name, rounds = sys.argv[1:]
with SessionStore.open(Path(path)) as store:
    for n in range(int(rounds)):
        store.append(session_id, "user", f"{name}{n}")
        print(n, flush=True)
"""


def start_talking(path: Path, session_id: str, name: str, rounds: int) -> subprocess.Popen[str]:
    arguments = [sys.executable, "-c", TALK, str(path), session_id, name, str(rounds)]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)


def test_processes_append_to_one_conversation(path: Path) -> None:
    with SessionStore.open(path) as store:
        session = store.create()
        processes = [start_talking(path, session.id, name, 30) for name in "ab"]
        for process in processes:
            process.communicate(timeout=60)
            assert process.returncode == 0
        check_all_arrived_in_order(texts(store, session.id), names="ab", rounds=30)


@pytest.mark.parametrize("delay_s", [0.0, 0.02, 0.05])
def test_killed_while_appending(path: Path, delay_s: float) -> None:
    """Whatever was acknowledged is there, in order, and nothing is there by half."""
    with SessionStore.open(path) as store:
        session = store.create()
    process = start_talking(path, session.id, "a", 1_000_000)
    assert process.stdout is not None
    acknowledged = int(process.stdout.readline())
    time.sleep(delay_s)
    process.kill()
    for line in process.stdout:
        acknowledged = int(line) if line.endswith("\n") else acknowledged
    process.wait(10)
    with SessionStore.open(path) as store:
        kept = store.get(session.id)
        assert len(kept.turns) >= acknowledged + 1
        assert [turn.text for turn in kept.turns] == [f"a{n}" for n in range(len(kept.turns))]
        assert kept.info.turns == len(kept.turns)
        assert kept.info.size_bytes == sum(len(turn.text) for turn in kept.turns)
        store.append(session.id, "user", "and on it goes")


def test_a_question_and_its_answer_are_stored_together_or_not_at_all(tmp_path: Path) -> None:
    limits = SessionLimits(session_turns=3)
    with SessionStore.open(tmp_path / "state", limits=limits) as store:
        session = store.create().id
        store.append_exchange(session, "How often?", "Daily.", "01", frozenset({"ward"}))
        with pytest.raises(InputError, match="full"):
            store.append_exchange(session, "Why?", "It is the rule.", "02")
        turns = store.get(session).turns
    assert [(turn.role, turn.text, turn.receipt_id) for turn in turns] == [
        ("user", "How often?", None),
        ("assistant", "Daily.", "01"),
    ]
    assert {turn.labels for turn in turns} == {frozenset({"ward"})}


def test_no_id_looks_like_an_option(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = iter(["-a", "--help", "b-c"])
    monkeypatch.setattr("secrets.token_urlsafe", lambda _: next(drawn))
    with SessionStore(StateFile.in_memory(SESSIONS), SessionLimits()) as store:
        assert store.create().id == "b-c"


def test_a_path_may_be_a_text(path: Path) -> None:
    with SessionStore.open(str(path)) as opened:
        made = opened.create()
    with SessionStore.open(path) as opened:
        assert opened.get(made.id).info.id == made.id
