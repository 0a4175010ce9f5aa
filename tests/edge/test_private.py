"""Opening a database twice in one process must not take the locks of the first away."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from skerry.edge.index.database import Database
from skerry.edge.private import make_private
from skerry.edge.receipts import ReceiptStore
from skerry.edge.session import SessionStore

OTHER = """
import sys
from pathlib import Path
from skerry.edge.session import SessionStore
with SessionStore.open(Path(sys.argv[1])) as store:
    print(sum(info.turns for info in store.list()))
"""
READER = """
import sqlite3, sys
with sqlite3.connect(sys.argv[1]) as file:
    print(file.execute("SELECT count(*) FROM t").fetchone()[0])
file.close()
"""


def other_process(code: str, path: Path) -> int:
    """What another process reads in the file, which it opens and closes."""
    command = [sys.executable, "-c", code, str(path)]
    return int(subprocess.run(command, check=True, capture_output=True, timeout=60).stdout)


def test_the_log_of_a_state_file_stays_while_it_is_written(tmp_path: Path) -> None:
    """Receipts and conversations have a connection each, opened one after the other."""
    path = tmp_path / "state.sqlite"
    with SessionStore.open(path) as store, ReceiptStore.open(path):
        session = store.create().id
        for number in range(1, 4):
            store.append(session, "user", "How often?")
            assert other_process(OTHER, path) == number
            assert path.with_name("state.sqlite-wal").exists()


def test_the_log_of_an_index_stays_while_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "index.sqlite"
    first, second = (Database(path, read_only=False, busy_timeout_ms=1000) for _ in range(2))
    with first.writing() as connection:
        connection.execute("CREATE TABLE t (n)")
    third = Database(path, read_only=False, busy_timeout_ms=1000)
    for number in range(1, 4):
        with first.writing() as connection:
            connection.execute("INSERT INTO t VALUES (1)")
        assert other_process(READER, path) == number
    for database in (first, second, third):
        database.close()


def test_many_at_once_make_one_file(tmp_path: Path) -> None:
    path = tmp_path / "new.sqlite"
    threads = [threading.Thread(target=make_private, args=(path,)) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.stat().st_size == 0


@pytest.mark.parametrize("name", ["a\0b", "half \ud83d"])
def test_what_is_no_path(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match=r"null byte|surrogates"):
        make_private(tmp_path / name)
