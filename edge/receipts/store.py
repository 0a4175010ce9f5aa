"""Keeps receipts in the device's state file: rows are added, never changed.

Old ones go by the retention that the deployment sets. Knows nothing of what a receipt says.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from skerry.edge.errors import (
    InputError,
    ReceiptInvalid,
    ReceiptNotFound,
    StateCorrupt,
    StateError,
    StateFull,
    StateLocked,
)
from skerry.edge.receipts.codec import from_json, to_json
from skerry.edge.receipts.receipt import Receipt

Rows = list[tuple[str, str]]
"""Ids with their JSON."""

LAST = "last"
_DAY_SECONDS = 86_400.0
_BUSY_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Retention:
    """How many receipts are kept and how long; None for no limit of age.

    Without `store_text` only the question's digest is kept.
    """

    max_receipts: int = 10_000
    max_age_days: float | None = 90.0
    store_text: bool = True

    def __post_init__(self) -> None:
        """Raises InputError for limits that would keep nothing."""
        if self.max_receipts < 1 or (self.max_age_days is not None and self.max_age_days <= 0):
            raise InputError(f"{self} keeps no receipt", hint="keep at least one receipt for a day")


class ReceiptStore:
    """Receipts of one device. Thread-safe; other processes may use the same file.

    A receipt is on disk when `add` returns, power cut or not. Every method raises StateError,
    or one of its kinds, when the file cannot be used.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, retention: Retention) -> None:
        self._path = path
        self._connection = connection
        self._retention = retention
        self._lock = threading.Lock()

    @classmethod
    def open(cls, path: Path, *, retention: Retention | None = None) -> Self:
        """Opens the state file `path`, making it (mode 0600) and its tables where absent."""
        with _faults(path):
            _make_private(path)
            connection = _connect(path)
            try:
                _prepare(connection)
            except BaseException:
                connection.close()
                raise
        return cls(path, connection, retention or Retention())

    def add(self, receipt: Receipt) -> Receipt:
        """Adds a receipt, drops what retention no longer keeps, returns what was stored.

        Raises:
            InputError: there is a receipt of that id already; it stays as it is.
        """
        kept = receipt if self._retention.store_text else _without_text(receipt)
        row = (kept.id, kept.created_at, kept.session, to_json(kept))
        with self._transaction() as connection:
            try:
                connection.execute(_INSERT, row)
            except sqlite3.IntegrityError as error:
                raise InputError(
                    f"receipt {kept.id} is in {self._path} already; receipts never change",
                    hint="give the new receipt an id of its own",
                ) from error
            self._prune(connection, kept.created_at)
        return kept

    def get(self, key: str) -> Receipt:
        """The receipt whose id is or starts with `key`; `last` is the one added last.

        Raises:
            ReceiptNotFound: there is none, or more than one.
        """
        if key == LAST:
            rows = self._rows(f"{_SELECT} ORDER BY seq DESC LIMIT 1", ())
        else:
            # Ids are hexadecimal digits and dashes, all of which sort before "~".
            start = key.strip().lower()
            rows = self._rows(f"{_SELECT} WHERE id >= ? AND id < ? LIMIT 2", (start, f"{start}~"))
        if len(rows) != 1 or not key.strip():
            raise self._not_found(key, [row[0] for row in rows])
        return self._read(*rows[0])

    def list(self, limit: int = 20, since: float | None = None) -> tuple[Receipt, ...]:
        """At most `limit` receipts, newest first; `since` is Unix seconds."""
        rows = self._rows(
            f"{_SELECT} WHERE created_at >= ? ORDER BY seq DESC LIMIT ?",
            (float("-inf") if since is None else since, max(0, limit)),
        )
        return tuple(self._read(*row) for row in rows)

    def close(self) -> None:
        """May be called twice."""
        with self._lock:
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _rows(self, sql: str, values: tuple[object, ...]) -> Rows:
        with self._lock, _faults(self._path):
            return self._connection.execute(sql, values).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock, _faults(self._path):
            self._connection.execute("BEGIN IMMEDIATE")
            with self._connection:
                yield self._connection

    def _prune(self, connection: sqlite3.Connection, now: float) -> None:
        keep = self._retention
        newest = "(SELECT max(seq) FROM receipts)"
        connection.execute(f"DELETE FROM receipts WHERE seq <= {newest} - ?", (keep.max_receipts,))
        if keep.max_age_days is not None:
            oldest = now - keep.max_age_days * _DAY_SECONDS
            connection.execute("DELETE FROM receipts WHERE created_at < ?", (oldest,))

    def _read(self, receipt_id: str, body: str) -> Receipt:
        try:
            return from_json(body)
        except ReceiptInvalid as error:
            raise StateCorrupt(
                f"receipt {receipt_id} in {self._path} cannot be read: {error}",
                hint="it was damaged, or a newer Skerry wrote it; the other receipts are whole",
            ) from error

    def _not_found(self, key: str, ids: Sequence[str]) -> ReceiptNotFound:
        if key.strip() and ids:
            what = f"more than one receipt starts with {key!r}: {', '.join(ids)}, …"
            return ReceiptNotFound(what, hint="give more of the id")
        what = f"no receipt {key!r} in {self._path}"
        return ReceiptNotFound(what, hint="`last` is the newest; old ones go by retention")


_INSERT = "INSERT INTO receipts (id, created_at, session, body) VALUES (?, ?, ?, ?)"
_SELECT = "SELECT id, body FROM receipts"


def _without_text(receipt: Receipt) -> Receipt:
    return replace(receipt, question=replace(receipt.question, text=None))


def _make_private(path: Path) -> None:
    """SQLite gives its journal files the mode of the file itself."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(
        path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )


def _prepare(connection: sqlite3.Connection) -> None:
    from skerry.edge.receipts.migrations import migrate

    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    migrate(connection)


@contextmanager
def _faults(path: Path) -> Iterator[None]:
    """Turns errors of the file system and SQLite into the runtime's."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        kind, hint = _KINDS.get(code, (StateError, "check the file and its folder"))
        raise kind(f"{path}: {error}", hint=hint) from error
    except OSError as error:
        hint = "check the path and its permissions"
        raise StateError(f"{path}: cannot be opened: {error.strerror}", hint=hint) from error


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
