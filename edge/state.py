"""The device's state file: one SQLite database in which several rooms keep tables of their own.

Opens it privately, leaves other programs' files alone, migrates a room's tables by name, and turns
faults into StateError. What is in the tables is left to the rooms.
"""

from __future__ import annotations

import shutil
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from skerry.edge.errors import StateCorrupt, StateError, StateFull, StateLocked
from skerry.edge.private import make_private

APPLICATION_ID = 0x534B5354  # "SKST": tells a state file from other SQLite files

_BUSY_SECONDS = 5.0
_LEAST_FREE_BYTES = 1 << 20
_PRAGMAS = ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "secure_delete = ON")
_APPLIED = "SELECT name FROM _sqlite_migrations WHERE migration_set = ?"
_MIGRATIONS = "_sqlite_migrations"
_TABLES = """
    SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite~_%'
    ESCAPE '~'
"""
_BEFORE_IDS = frozenset({_MIGRATIONS, "receipts", "session_heads", "session_turns"})
"""The tables of state files that were made before these had an application id."""


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

    def __init__(self, name: str, connection: sqlite3.Connection, path: Path | None = None) -> None:
        self.name = name
        self._connection = connection
        self._path = path
        self._inode = path.stat().st_ino if path else 0
        self._lock = threading.Lock()

    @classmethod
    def open(cls, path: Path | str, schema: Schema) -> Self:
        """Opens `path`, making it (mode 0600) and the tables of `schema` where absent.

        Raises:
            StateCorrupt: it is damaged, no database, or another program's; it stays as it is.
        """
        path = Path(path)
        with state_faults(str(path)):
            _make_ready(path)
            with _reading(path) as connection:
                _check_ours(connection, path)
            return cls._prepared(str(path), schema, path)

    @classmethod
    def in_memory(cls, schema: Schema) -> Self:
        """A state file of this process alone that never touches the disk."""
        return cls._prepared(":memory:", schema)

    @classmethod
    def _prepared(cls, name: str, schema: Schema, path: Path | None = None) -> Self:
        connection = sqlite3.connect(
            name, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            state = cls(name, connection, path)
            state._prepare(schema)
        except BaseException:  # after Ctrl-C as well, no open file is left behind
            connection.close()
            raise
        return state

    @property
    def on_disk(self) -> bool:
        """Whether what is in it outlives this process."""
        return self._path is not None

    def read(self, sql: str, values: Sequence[object] | Mapping[str, object] = ()) -> list[Any]:
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

    def check_writable(self, sql: str, values: Sequence[object] = ()) -> None:
        """Tries the statement `sql` and takes it back, so that nothing is written.

        What it cannot find out is whether the disk takes the bytes; it wants room for some.

        Raises:
            StateError: or one of its kinds: a write would fail now.
        """
        with self._lock, state_faults(self.name):
            self._look()
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                self._connection.execute(sql, values)
            finally:
                self._connection.rollback()

    def check_place(self) -> None:
        """Looks whether the file is still where it was opened, with room to grow.

        Raises:
            StateError: or one of its kinds: it is not.
        """
        with state_faults(self.name):
            self._look()

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
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")

    def _look(self) -> None:
        if self._path is None:
            return
        if not self._path.exists() or self._path.stat().st_ino != self._inode:
            raise StateError(
                f"{self.name} was moved or replaced while it was open",
                hint="start again, so that it is opened anew",
            )
        if _is_full(self._path.parent):
            raise StateFull(f"{self.name} cannot grow: the disk is full", hint=_FREE_SPACE)

    def _pending(self, schema: Schema) -> bool:
        """Whether a migration is missing, or the file's application id.

        Raises:
            StateError: the file is a newer version's.
        """
        if self.read("PRAGMA application_id") != [(APPLICATION_ID,)]:
            return True
        return bool(_missing(self.name, schema, self.read(_APPLIED, (schema.name,))))


def check_file(path: Path, schemas: Sequence[Schema]) -> None:
    """Raises what opening `path` for these schemas would; changes nothing.

    Raises:
        StateCorrupt: it is damaged, no database, or another program's.
        StateError: it is a newer version's, or cannot be read.
    """
    with state_faults(str(path)), _reading(path) as connection:
        _check_ours(connection, path)
        if connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,):
            for schema in schemas:
                _missing(str(path), schema, connection.execute(_APPLIED, (schema.name,)))


def _missing(name: str, schema: Schema, applied: Iterable[tuple[str]]) -> set[str]:
    """The migrations of `schema` that the file `name` has not had.

    Raises:
        StateError: it has had one that this version does not know.
    """
    had, known = {one for (one,) in applied}, {one for one, _ in schema.migrations}
    if newer := had - known:
        raise StateError(
            f"{name} was written by a newer Skerry ({', '.join(sorted(newer))})",
            hint="upgrade Skerry, or name another state file",
        )
    return known - had


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


def _reading(path: Path) -> closing[sqlite3.Connection]:
    """A connection that can change nothing."""
    address = f"{path.absolute().as_uri()}?mode=ro"
    return closing(sqlite3.connect(address, uri=True, timeout=_BUSY_SECONDS))


def _check_ours(connection: sqlite3.Connection, path: Path) -> None:
    """Raises StateCorrupt for another program's file, before a byte of it is changed."""
    ((application_id,),) = connection.execute("PRAGMA application_id")
    ((version,),) = connection.execute("PRAGMA user_version")
    tables = {name for (name,) in connection.execute(_TABLES)}
    if application_id != APPLICATION_ID and (
        application_id or version or not _is_early(frozenset(tables))
    ):
        raise StateCorrupt(
            f"{path} is a SQLite database of another program", hint="name another state file"
        )


def _is_early(tables: frozenset[str]) -> bool:
    """Whether a file without an id is new, or of the versions that gave none."""
    return not tables or (_MIGRATIONS in tables and tables <= _BEFORE_IDS)


@contextmanager
def state_faults(name: str) -> Iterator[None]:
    """Turns errors of the file system and SQLite into the runtime's."""
    try:
        yield
    except sqlite3.ProgrammingError as error:
        raise StateError(f"{name}: {error}", hint="it was closed; open it again") from error
    except sqlite3.Error as error:
        raise _fault(name, error) from error
    except OSError as error:
        raise StateError(
            f"{name} cannot be opened: {error.strerror}", hint="check the path and its permissions"
        ) from error


def _fault(name: str, error: sqlite3.Error) -> StateError:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code == sqlite3.SQLITE_IOERR and _is_full(Path(name).parent):
        code = sqlite3.SQLITE_FULL
    if code not in _KINDS:
        return StateError(f"{name} cannot be used: {error}", hint="check the file and its folder")
    kind, problem, hint = _KINDS[code]
    return kind(f"{name} {problem}", hint=hint)


def _is_full(folder: Path) -> bool:
    """Whether its disk has no room; False where nobody can tell."""
    try:
        return shutil.disk_usage(folder).free < _LEAST_FREE_BYTES
    except OSError:
        return False


def _make_ready(path: Path) -> None:
    """Raises StateError where `path` cannot be a path or is no ordinary file, OSError where it
    cannot be made or written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        make_private(path)
    except ValueError as error:  # a NUL, or a lone surrogate
        raise StateError(f"{str(path)!a} is no path: {error}", hint="name another file") from error
    if not path.is_file():
        raise StateError(f"{path} is no ordinary file", hint="name another state file")


_FREE_SPACE = "free some space; nothing that was stored is lost"
_AWAY = "move the file away and start again; `sqlite3 FILE .recover` may save what is in it"
_LOCKED = (
    StateLocked,
    "is locked: another process holds it",
    "try again when the other process is done",
)
_KINDS: dict[int, tuple[type[StateError], str, str]] = {
    sqlite3.SQLITE_CORRUPT: (StateCorrupt, "is damaged", _AWAY),
    sqlite3.SQLITE_NOTADB: (StateCorrupt, "is no state file, or is damaged", _AWAY),
    sqlite3.SQLITE_BUSY: _LOCKED,
    sqlite3.SQLITE_LOCKED: _LOCKED,
    sqlite3.SQLITE_FULL: (StateFull, "cannot grow: the disk is full", _FREE_SPACE),
    sqlite3.SQLITE_READONLY: (
        StateError,
        "cannot be written",
        "check the permissions of the file and of its folder",
    ),
    sqlite3.SQLITE_CANTOPEN: (
        StateError,
        "cannot be opened",
        "check the path, and the permissions of the file and of its folder",
    ),
    sqlite3.SQLITE_IOERR: (StateError, "cannot be read or written", "check the disk"),
}
