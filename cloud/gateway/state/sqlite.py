"""The state in an SQLite file: what a gateway alone, or several on one machine, need."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from skerry.cloud.gateway.errors import StateError
from skerry.cloud.gateway.state.sql import SqlState, missing

_BUSY_S = 5.0


class SqliteState(SqlState):
    """See `skerry.cloud.gateway.state.base.State`. The file is made, of mode 0600, if need be.

    Raises:
        StateError: it cannot be made, or is no such file.
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
            self._file.execute("PRAGMA synchronous = NORMAL")
            self._file.execute("PRAGMA foreign_keys = ON")
            self._migrate()

    def close(self) -> None:
        with self._lock:
            self._file.close()

    def _do(self, *statements: tuple[str, Sequence[Any]]) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = []
        with self._faults(), self._lock, self._transaction():
            for sql, values in statements:
                rows = self._file.execute(sql, values).fetchall()
        return rows

    def _migrate(self) -> None:
        with self._transaction():
            self._file.execute("CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY)")
            applied = [name for (name,) in self._file.execute("SELECT name FROM migrations")]
            for name, sql in missing(applied):
                self._file.execute(sql)
                self._file.execute("INSERT INTO migrations VALUES (?)", (name,))

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._file.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._file.execute("ROLLBACK")
            raise
        self._file.execute("COMMIT")

    @contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise StateError(
                f"the state file '{self._path}' cannot be used: {error}",
                hint="check the path under `state`, its rights and the disk",
            ) from error
