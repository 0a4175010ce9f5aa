"""Connections to the one SQLite file of an index, and what SQLite's errors mean to a user.

Several threads and several processes may use the file at once: readers see a consistent state
and never wait; writers take turns. What is in the tables is the business of `schema` and `store`.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from skerry.edge.errors import (
    EdgeError,
    IndexCorrupt,
    IndexFault,
    IndexFull,
    IndexLocked,
    IndexReplaced,
)
from skerry.edge.private import make_private

_CACHE_KIB = 8192  # page cache per connection
_FULL = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE}
_UNDERSTOOD = (EdgeError, sqlite3.Error, zlib.error, json.JSONDecodeError, UnicodeDecodeError)
_UNREADABLE = ("Could not decode", "no such ", "malformed")
"""How SQLite's errors begin where the SQL is sound, as all of ours is, and the file is not."""
_EMPTY = "Restore a copy, or add the documents again (`skerry index add`)."
_NO_LOG = {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY}


@contextmanager
def faults(path: Path) -> Iterator[None]:
    """Turns an error of SQLite into an IndexFault that names the file and says what to do.

    Texts and JSON that cannot be read although SQLite found them are damage, too.
    """
    try:
        yield
    except sqlite3.Error as error:
        raise _fault(error, path) from error
    except (zlib.error, json.JSONDecodeError, UnicodeDecodeError) as error:
        raise _damaged(error, path) from error


def _fault(error: sqlite3.Error, path: Path) -> IndexFault:
    extended = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    primary = extended & 0xFF
    if primary in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB) or _is_unreadable(error):
        return _damaged(error, path)
    if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        what = f"the index '{path}' is being written by another process"
        return IndexLocked(what, hint="Wait until the other process is done and try again.")
    if extended in _FULL:
        what = f"the index '{path}' cannot grow: {error}"
        return IndexFull(what, hint="Free space on the disk and run the same command again.")
    if primary == sqlite3.SQLITE_READONLY:
        what = f"the index '{path}' cannot be written: {error}"
        return IndexFault(what, hint="Check the file's permissions and how the index was opened.")
    what = f"the index '{path}' cannot be used: {error}"
    return IndexFault(what, hint="Check the path, its permissions and the disk.")


def _is_unreadable(error: sqlite3.Error) -> bool:
    said = str(error)
    return said.startswith(_UNREADABLE) or said.endswith(" already exists")


def _damaged(problem: object, path: Path) -> IndexCorrupt:
    said = str(problem).partition(" with text ")[0]  # quotes no document
    what = f"the index '{path}' is damaged: {said}"
    return IndexCorrupt(what, hint="Restore a copy, or delete it and add the documents again.")


class Database:
    """A pool of reading connections and one writing connection. Thread-safe.

    Args:
        make: makes the file where there is none, or an empty one.
        problems: what is wrong with the file that a connection reads. Asked when what was read of
            it made an error that nobody foresaw: in a damaged file, the damage is its cause.

    Raises, from every method:
        IndexLocked, IndexFull, IndexCorrupt, IndexFault: see `faults`.
    """

    def __init__(
        self,
        path: Path,
        *,
        read_only: bool,
        busy_timeout_ms: int,
        make: bool = True,
        problems: Callable[[sqlite3.Connection], Iterable[str]] = lambda _: (),
    ) -> None:
        self.path = path
        self.read_only = read_only
        self._timeout = busy_timeout_ms / 1000
        self._problems = problems
        self._write_lock = threading.RLock()
        self._pool_lock = threading.Lock()
        self._idle: list[sqlite3.Connection] = []
        self._writer: sqlite3.Connection | None = None
        self._closed = False
        self._file = path.absolute()
        with faults(path):
            self._prepare_file(make=make)
        self._place = _place(self._file)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection in one read transaction: everything read belongs to one state."""
        with faults(self.path):
            connection = self._borrow()
            try:
                connection.execute("BEGIN")
                with self._judged(connection):
                    yield connection
            finally:
                self._give_back(connection)

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A connection in one write transaction: all of it happens, or nothing."""
        with faults(self.path), self._write_lock:
            connection = self._writing_connection()
            self._check_place()
            connection.execute("BEGIN IMMEDIATE")
            try:
                with self._judged(connection):
                    yield connection
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    @contextmanager
    def _judged(self, connection: sqlite3.Connection) -> Iterator[None]:
        """An unforeseen error is IndexCorrupt if the file that was read is damaged."""
        try:
            yield
        except Exception as error:
            if isinstance(error, _UNDERSTOOD) and not isinstance(error, sqlite3.IntegrityError):
                raise
            problem = next(iter(self._problems(connection)), None)
            if problem is None:
                raise
            raise _damaged(problem, self.path) from error

    def in_place(self) -> bool:
        """Whether the file that is open still lies at its path (one `stat`)."""
        return self._place is not None and _place(self._file) == self._place

    def size_bytes(self) -> int:
        """What the file and its write-ahead log take on the disk."""
        parts = (self.path, self.path.with_name(f"{self.path.name}-wal"))
        return sum(part.stat().st_size for part in parts if part.exists())

    def close(self) -> None:
        """Closes every connection that is not in use. May be called twice."""
        with self._write_lock, self._pool_lock:
            self._closed = True
            connections = [*self._idle, *filter(None, [self._writer])]
            self._idle, self._writer = [], None
        for connection in connections:
            connection.close()

    def _prepare_file(self, *, make: bool) -> None:
        if self.path.exists() and not self.path.is_file():  # a named pipe would be waited for
            what = f"'{self.path}' is a folder, or no ordinary file"
            raise IndexFault(what, hint="Name a file for the index.")
        if self.read_only or not make:
            if not self.path.exists():
                raise IndexFault(f"there is no index at '{self.path}'", hint="Add documents first.")
            check_not_empty(self.path)
            if self.read_only:
                return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            make_private(self.path)
        except OSError as error:
            what = f"the index '{self.path}' cannot be opened: {error.strerror}"
            raise IndexFault(what, hint="Check the path and its permissions.") from error

    def _writing_connection(self) -> sqlite3.Connection:
        self._check_open()
        if self.read_only:
            what = f"the index '{self.path}' was opened to be read only"
            raise IndexFault(what, hint="Open it without read_only to change it.")
        if self._writer is None:
            writer = self._connect("rw")
            writer.execute("PRAGMA journal_mode = WAL")
            writer.execute("PRAGMA synchronous = NORMAL")
            self._writer = writer
        return self._writer

    def _borrow(self) -> sqlite3.Connection:
        self._check_open()
        with self._pool_lock:
            if self._idle:
                return self._idle.pop()
        return self._connect_reader()

    def _give_back(self, connection: sqlite3.Connection) -> None:
        with suppress(sqlite3.Error):
            connection.rollback()
        with self._pool_lock:
            if not self._closed:
                self._idle.append(connection)
                return
        connection.close()

    def _connect_reader(self) -> sqlite3.Connection:
        try:
            connection = self._connect("ro" if self.read_only else "rw")
        except sqlite3.OperationalError as error:
            if not self.read_only or error.sqlite_errorcode & 0xFF not in _NO_LOG:
                raise
            # On a medium that cannot be written nobody else writes, and no log is needed.
            connection = self._connect("ro", "&immutable=1")
        connection.execute("PRAGMA query_only = ON")
        return connection

    def _connect(self, mode: str, more: str = "") -> sqlite3.Connection:
        uri = f"{self._file.as_uri()}?mode={mode}{more}"
        connection = sqlite3.connect(
            uri, uri=True, timeout=self._timeout, isolation_level=None, check_same_thread=False
        )
        try:
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
            connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone()
            self._check_place()
        except (sqlite3.Error, IndexFault):
            connection.close()
            raise
        return connection

    def _check_open(self) -> None:
        if self._closed:
            raise IndexFault("the index is closed", hint="Open it again.")

    def _check_place(self) -> None:
        """Nothing is read of a file that took this one's place, nor written to one that lost it."""
        if not self.in_place():
            what = f"the index '{self.path}' was moved, deleted or replaced while it was in use"
            raise IndexReplaced(what, hint="Try again; what was being added is to be added again.")


def check_not_empty(path: Path) -> None:
    """Raises IndexFault for a file without a byte: whoever only asks must not take it for new."""
    with suppress(OSError):
        if path.is_file() and not path.stat().st_size:
            raise IndexFault(f"the index '{path}' is an empty file", hint=_EMPTY)


def _place(path: Path) -> tuple[int, int] | None:
    """Which file lies at `path`; None where nothing can be seen there."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
