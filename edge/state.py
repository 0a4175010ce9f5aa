"""The device's state file: one SQLite database in which several rooms keep tables of their own.

Opens it privately, migrates a room's tables by name, and turns faults into StateError. What is in
the tables is left to the rooms.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from skerry.edge.errors import StateCorrupt, StateError, StateFull, StateLocked

_BUSY_SECONDS = 5.0
_PRAGMAS = ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "secure_delete = ON")
_APPLIED = "SELECT name FROM _sqlite_migrations WHERE migration_set = ?"
_HAS_MIGRATIONS = "SELECT 1 FROM sqlite_master WHERE name = '_sqlite_migrations'"


@dataclass(frozen=True, slots=True)
class Schema:
    """A room's tables as named migrations, oldest first: (name, SQL statements).

    Append to `migrations`; never change one that has shipped.
    """

    name: str
    migrations: tuple[tuple[str, tuple[str, ...]], ...]


class StateFile:
    """One connection to the state file. Thread-safe; other processes may use the same file.

    Every method raises StateError, or one of its kinds, when the file cannot be used.
    """

    def __init__(self, name: str, connection: sqlite3.Connection) -> None:
        self.name = name
        self._connection = connection
        self._lock = threading.Lock()

    @classmethod
    def open(cls, path: Path, schema: Schema) -> Self:
        """Opens `path`, making it (mode 0600) and the tables of `schema` where absent."""
        with state_faults(str(path)):
            _make_private(path)
            return cls._prepared(str(path), schema)

    @classmethod
    def in_memory(cls, schema: Schema) -> Self:
        """A state file of this process alone that never touches the disk."""
        return cls._prepared(":memory:", schema)

    @classmethod
    def _prepared(cls, name: str, schema: Schema) -> Self:
        connection = sqlite3.connect(
            name, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        state = cls(name, connection)
        try:
            state._prepare(schema)
        except BaseException:
            connection.close()
            raise
        return state

    def read(self, sql: str, values: Sequence[object] = ()) -> list[Any]:
        """All rows of one query."""
        with self._lock, state_faults(self.name):
            return self._connection.execute(sql, values).fetchall()

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A transaction that no other writer can come between; rolled back on any exception."""
        with self._lock, state_faults(self.name):
            self._connection.execute("BEGIN IMMEDIATE")
            with self._connection:
                yield self._connection

    def forget(self) -> None:
        """Takes deleted rows out of the write-ahead log too, as far as readers allow it now."""
        self.read("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """May be called twice."""
        with self._lock:
            self._connection.close()

    def _prepare(self, schema: Schema) -> None:
        for pragma in _PRAGMAS:
            self.read(f"PRAGMA {pragma}")
        if self._pending(schema):
            with self.write() as connection:
                _migrate(connection, schema)

    def _pending(self, schema: Schema) -> bool:
        if not self.read(_HAS_MIGRATIONS):
            return True
        applied = {name for (name,) in self.read(_APPLIED, (schema.name,))}
        known = {name for name, _ in schema.migrations}
        if newer := applied - known:
            raise StateError(
                f"{self.name} was written by a newer Skerry ({', '.join(sorted(newer))})",
                hint="upgrade Skerry, or name another state file",
            )
        return applied != known


def _migrate(connection: sqlite3.Connection, schema: Schema) -> None:
    """Applies what is missing; the caller's transaction keeps other processes out meanwhile."""
    from sqlite_utils import Database, Migrations

    migrations = Migrations(schema.name)
    for name, statements in schema.migrations:

        def apply(database: Database, statements: tuple[str, ...] = statements) -> None:
            for statement in statements:
                database.execute(statement)

        migrations(name=name)(apply)
    migrations.apply(Database(connection))


@contextmanager
def state_faults(name: str) -> Iterator[None]:
    """Turns errors of the file system and SQLite into the runtime's."""
    try:
        yield
    except sqlite3.ProgrammingError as error:
        raise StateError(f"{name}: {error}", hint="it was closed; open it again") from error
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        kind, hint = _KINDS.get(code, (StateError, "check the file and its folder"))
        raise kind(f"{name}: {error}", hint=hint) from error
    except OSError as error:
        raise StateError(
            f"{name} cannot be opened: {error.strerror}", hint="check the path and its permissions"
        ) from error


def _make_private(path: Path) -> None:
    """SQLite gives its journal files the mode of the file itself."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


_CORRUPT = (
    StateCorrupt,
    "move the file away and start again; `sqlite3 FILE .recover` may save what is in it",
)
_LOCKED = (StateLocked, "another process holds the file; try again when it is done")
_KINDS: dict[int, tuple[type[StateError], str]] = {
    sqlite3.SQLITE_CORRUPT: _CORRUPT,
    sqlite3.SQLITE_NOTADB: _CORRUPT,
    sqlite3.SQLITE_BUSY: _LOCKED,
    sqlite3.SQLITE_LOCKED: _LOCKED,
    sqlite3.SQLITE_FULL: (StateFull, "free some space; nothing that was stored is lost"),
}
