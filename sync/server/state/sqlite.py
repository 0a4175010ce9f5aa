"""The state in an SQLite file: what servers on one machine need."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from skerry.sync.server.errors import FleetStateError
from skerry.sync.server.state.sql import Database, Rows, missing

_BUSY_S = 10.0


class _Execute:
    def __init__(self, file: sqlite3.Connection) -> None:
        self._file = file

    def __call__(self, sql: str, values: Sequence[Any] = ()) -> Rows:
        return self._file.execute(sql, values).fetchall()

    def many(self, sql: str, rows: Sequence[Sequence[Any]]) -> list[Rows]:
        return [self(sql, values) for values in rows]


class SqliteDatabase(Database):
    """The file is made, of mode 0600, if need be.

    Raises:
        FleetStateError: it cannot be made, or is no such file.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._lock = path, threading.Lock()
        with self._faults():
            if not path.exists():
                os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            self._file = sqlite3.connect(
                path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
            )
            self._file.execute("PRAGMA journal_mode = WAL")
            self._file.execute("PRAGMA synchronous = FULL")
        with self.transaction() as execute:
            execute("CREATE TABLE IF NOT EXISTS fleet_migrations (name TEXT PRIMARY KEY)")
            applied = [name for (name,) in execute("SELECT name FROM fleet_migrations")]
            for name, sql in missing(applied):
                execute(sql)
                execute("INSERT INTO fleet_migrations VALUES (?)", (name,))

    @contextmanager
    def transaction(self) -> Iterator[_Execute]:
        with self._faults(), self._lock:
            self._file.execute("BEGIN IMMEDIATE")
            try:
                yield _Execute(self._file)
            except BaseException:
                self._file.execute("ROLLBACK")
                raise
            self._file.execute("COMMIT")

    def close(self) -> None:
        with self._lock:
            self._file.close()

    @contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise FleetStateError(
                f"the state file '{self._path}' cannot be used: {error}",
                hint="check the path of --state, its rights and the disk",
            ) from error
