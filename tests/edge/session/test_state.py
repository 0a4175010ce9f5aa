"""The state file that sessions and receipts share, and what can be wrong with it."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import threading
from collections import namedtuple
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from skerry.edge.errors import StateCorrupt, StateError, StateFull, StateLocked
from skerry.edge.index.schema import APPLICATION_ID as INDEX_ID
from skerry.edge.session import SessionStore
from skerry.edge.session.schema import SESSIONS
from skerry.edge.state import APPLICATION_ID, Schema, StateFile, state_faults

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
    assert "not a database" not in str(caught.value)
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


def database(path: Path, *statements: str) -> bytes:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)
    return path.read_bytes()


FOREIGN = {
    "tables": ("CREATE TABLE bookmarks (url)",),
    "a view": ("CREATE VIEW one AS SELECT 1",),
    "an id": ("PRAGMA application_id = 77", "CREATE TABLE bookmarks (url)"),
    "an id, no tables": ("PRAGMA application_id = 77",),
    "a version, no tables": ("PRAGMA user_version = 3",),
    "the index's id": (f"PRAGMA application_id = {INDEX_ID}",),
    "migrations": ("CREATE TABLE _sqlite_migrations (name)", "CREATE TABLE bookmarks (url)"),
    "a table named as ours": ("CREATE TABLE receipts (shop)",),
}


@pytest.mark.parametrize("statements", FOREIGN.values(), ids=FOREIGN.keys())
def test_the_file_of_another_program_is_left_alone(
    tmp_path: Path, statements: tuple[str, ...]
) -> None:
    path = tmp_path / "places.sqlite"
    content = database(path, *statements)
    for schema in (NOTES, SESSIONS):
        with pytest.raises(StateCorrupt, match="another program") as caught:
            StateFile.open(path, schema)
    assert caught.value.hint
    assert caught.value.exit_code == 5
    assert path.read_bytes() == content
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


def test_a_new_file_says_whose_it_is(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    open_notes(path).close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)


def test_a_file_from_before_ids_opens_and_gets_one(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    with SessionStore.open(path) as store:
        kept = store.create()
    later = f"DELETE FROM _sqlite_migrations WHERE name = '{SESSIONS.migrations[-1][0]}'"
    database(path, "PRAGMA application_id = 0", "DROP TABLE session_pseudonyms", later)
    with SessionStore.open(path) as store:
        assert store.list() == (kept,)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)


def test_an_empty_file_is_a_new_one(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    path.touch()
    note(open_notes(path), "x")


def test_a_pipe_in_its_place(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with pytest.raises(StateError, match="no ordinary file"):
        open_notes(path)


@pytest.mark.parametrize("name", ["a\0b", "\ud800"])
def test_a_name_that_no_file_has(tmp_path: Path, name: str) -> None:
    with pytest.raises(StateError, match="is no path"):
        open_notes(tmp_path / name)


UNPRIVILEGED = """
import os, sys
from pathlib import Path
from skerry.edge.errors import StateError
from skerry.edge.session import SessionStore
if os.getuid() == 0:
    os.setuid(65534)
try:
    SessionStore.open(Path(sys.argv[1]))
except StateError as error:
    print(error.what, "|", error.hint)
"""


def test_a_file_that_may_only_be_read() -> None:
    """In a process that is not root, as root may write everything."""
    with TemporaryDirectory() as folder:  # those of pytest are closed to others
        Path(folder).chmod(0o555)
        path = Path(folder) / "state.sqlite"
        said = [unprivileged(path)]
        path.parent.chmod(0o755)
        open_notes(path).close()
        path.chmod(0o444)
        said.append(unprivileged(path))
    for line in said:
        assert "state.sqlite cannot be opened: Permission denied | check" in line


def unprivileged(path: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", UNPRIVILEGED, str(path)], capture_output=True, text=True, check=True
    )
    return done.stdout


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


@pytest.mark.parametrize(("free", "kind"), [(0, StateFull), (1 << 30, StateError)])
def test_a_fault_of_the_disk_that_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, kind: type[StateError]
) -> None:
    """SQLite calls it an I/O error where it grows its shared memory."""
    usage = namedtuple("usage", "free")(free)
    monkeypatch.setattr("skerry.edge.state.shutil.disk_usage", lambda _: usage)
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = sqlite3.SQLITE_IOERR_SHMSIZE
    with pytest.raises(StateError) as caught, state_faults(str(tmp_path / "state.db")):
        raise error
    assert type(caught.value) is kind
    assert ("is full" in caught.value.what) is (kind is StateFull)
