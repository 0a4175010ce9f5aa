"""The state file that sessions and receipts share, and what can be wrong with it."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest

from skerry.edge.errors import StateCorrupt, StateError, StateFull, StateLocked
from skerry.edge.session.schema import SESSIONS
from skerry.edge.state import Schema, StateFile

NOTES = Schema("test.notes", (("0001-notes", ("CREATE TABLE notes (text TEXT)",)),))
MORE = Schema(NOTES.name, (*NOTES.migrations, ("0002-when", ("ALTER TABLE notes ADD at REAL",))))


def open_notes(path: Path, schema: Schema = NOTES) -> StateFile:
    return StateFile.open(path, schema)


def note(state: StateFile, text: str) -> None:
    with state.write() as connection:
        connection.execute("INSERT INTO notes (text) VALUES (?)", (text,))


def test_rooms_share_a_file(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "state.sqlite"
    notes, sessions = StateFile.open(path, NOTES), StateFile.open(path, SESSIONS)
    note(notes, "hello")
    assert sessions.read("SELECT text FROM notes") == [("hello",)]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert {stat.S_IMODE(one.stat().st_mode) for one in path.parent.iterdir()} == {0o600}


def test_migrations_are_applied_once_and_keep_the_rows(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    for schema in (NOTES, NOTES, MORE, MORE):
        state = open_notes(path, schema)
        note(state, schema.name)
        state.close()
    assert len(open_notes(path, MORE).read("SELECT text, at FROM notes")) == 4


def test_a_file_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    open_notes(path, MORE).close()
    with pytest.raises(StateError, match=r"newer Skerry.*0002-when") as caught:
        open_notes(path, NOTES)
    assert "upgrade" in caught.value.hint


def test_a_failed_migration_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    open_notes(path).close()
    broken = Schema(
        NOTES.name, (*NOTES.migrations, ("0002-bad", ("ALTER TABLE notes ADD at REAL", "NONSENSE")))
    )
    with pytest.raises(StateError, match="NONSENSE"):
        open_notes(path, broken)
    assert open_notes(path).read("SELECT * FROM notes") == []


OPEN = """
import sys
from pathlib import Path
from skerry.edge.session import SessionStore
sys.stdin.readline()
SessionStore.open(Path(sys.argv[1])).close()
"""


def test_processes_that_open_it_first_at_once(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    processes = [
        subprocess.Popen([sys.executable, "-c", OPEN, str(path)], stdin=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.close()
    assert [process.wait(60) for process in processes] == [0] * 4


@dataclass(frozen=True)
class Damage:
    name: str
    content: bytes
    kind: type[StateError]


DAMAGES = [
    Damage("text", b"not a database, but long enough to look at\n" * 40, StateCorrupt),
    Damage("garbled", b"SQLite format 3\x00" + b"\xff" * 5000, StateCorrupt),
]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.name)
def test_a_damaged_file_is_named_and_left_alone(tmp_path: Path, damage: Damage) -> None:
    path = tmp_path / "state.sqlite"
    path.write_bytes(damage.content)
    with pytest.raises(damage.kind, match=r"state\.sqlite") as caught:
        open_notes(path)
    assert "move the file away" in caught.value.hint
    assert path.read_bytes() == damage.content


def test_a_page_damaged_later(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    state = open_notes(path)
    for _ in range(200):
        note(state, "x" * 500)
    state.close()
    content = bytearray(path.read_bytes())
    content[8192:-4096] = b"\xff" * (len(content) - 8192 - 4096)
    path.write_bytes(content)
    with pytest.raises(StateCorrupt):
        open_notes(path).read("SELECT sum(length(text)) FROM notes")


def test_a_folder_in_its_place(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="cannot be opened"):
        open_notes(tmp_path)


def test_a_file_where_its_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StateError, match="cannot be opened"):
        open_notes(tmp_path / "file" / "state.sqlite")


def test_held_by_another_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("skerry.edge.state._BUSY_SECONDS", 0.1)
    path = tmp_path / "state.sqlite"
    state = open_notes(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StateLocked) as caught:
        note(state, "x")
    assert caught.value.retryable
    other.execute("ROLLBACK")
    note(state, "x")


def test_a_full_disk_loses_nothing(tmp_path: Path) -> None:
    state = open_notes(tmp_path / "state.sqlite")
    note(state, "before")
    state.read("PRAGMA max_page_count = 12")
    with pytest.raises(StateFull, match="full"):
        note(state, "x" * 1_000_000)
    note(state, "after")
    assert state.read("SELECT text FROM notes") == [("before",), ("after",)]


def test_an_exception_inside_rolls_back(tmp_path: Path) -> None:
    state = open_notes(tmp_path / "state.sqlite")

    def note_then_fail() -> None:
        with state.write() as connection:
            connection.execute("INSERT INTO notes (text) VALUES ('x')")
            raise KeyError

    with pytest.raises(KeyError):
        note_then_fail()
    assert state.read("SELECT * FROM notes") == []


def test_closed(tmp_path: Path) -> None:
    state = open_notes(tmp_path / "state.sqlite")
    state.close()
    state.close()
    with pytest.raises(StateError, match="closed"):
        state.read("SELECT 1")


def test_threads_share_one(tmp_path: Path) -> None:
    state = open_notes(tmp_path / "state.sqlite")
    threads = [
        threading.Thread(target=lambda: [note(state, "x") for _ in range(20)]) for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert state.read("SELECT count(*) FROM notes") == [(120,)]
