"""Keeps receipts in the device's state file: rows are added, never changed.

Old ones go by the retention that the deployment sets. Knows nothing of what a receipt says.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from skerry.edge.errors import InputError, ReceiptInvalid, ReceiptNotFound, StateCorrupt
from skerry.edge.receipts.codec import from_json, to_json
from skerry.edge.receipts.receipt import Receipt
from skerry.edge.receipts.tables import RECEIPTS
from skerry.edge.state import StateFile

LAST = "last"
_DAY_SECONDS = 86_400.0
_MOST_ROWS = 2**31
_INSERT = "INSERT INTO receipts (id, created_at, body) VALUES (?, ?, ?)"
_SELECT = "SELECT id, body FROM receipts"
_SELECT_TIMED = "SELECT id, body, created_at FROM receipts"
_DROP_OLD = """
    DELETE FROM receipts WHERE seq IN
        (SELECT seq FROM receipts WHERE created_at < ? ORDER BY created_at LIMIT ?)
"""
_MOST_NAMED = 5
_ID_SHOWN = 18  # milliseconds and some random bits: enough to tell them apart


@dataclass(frozen=True, slots=True)
class Retention:
    """How many receipts are kept and how long; None for no limit of age.

    A new receipt takes at most `at_once` away that are too old, as a clock that jumps ahead makes
    all of them old; `ReceiptStore.prune` takes all. Without `store_text` only the question's
    digest is kept.
    """

    max_receipts: int = 10_000
    max_age_days: float | None = 90.0
    store_text: bool = True
    at_once: int = 10

    def __post_init__(self) -> None:
        """Raises InputError for limits that would keep nothing."""
        if self.max_receipts < 1 or (self.max_age_days is not None and self.max_age_days <= 0):
            raise InputError(f"{self} keeps no receipt", hint="keep at least one receipt for a day")


class ReceiptStore:
    """Receipts of one device. Thread-safe; other processes may use the same file.

    A receipt is on disk when `add` returns, power cut or not. Every method raises StateError,
    or one of its kinds, when the file cannot be used.
    """

    def __init__(self, state: StateFile, retention: Retention) -> None:
        self._state = state
        self._retention = retention

    @classmethod
    def open(cls, path: Path | str, *, retention: Retention | None = None) -> Self:
        """Opens the state file `path`, making it (mode 0600) and its tables where absent."""
        return cls(StateFile.open(path, RECEIPTS), retention or Retention())

    def add(self, receipt: Receipt) -> Receipt:
        """Adds a receipt, drops what retention no longer keeps, returns what was stored.

        Raises:
            InputError: there is a receipt of that id already; it stays as it is.
        """
        kept = receipt if self._retention.store_text else _without_text(receipt)
        row = (kept.id, kept.created_at, to_json(kept))
        with self._state.write() as connection:
            try:
                connection.execute(_INSERT, row)
            except sqlite3.IntegrityError as error:
                raise InputError(
                    f"receipt {kept.id} is in {self._state.name} already; receipts never change",
                    hint="give the new receipt an id of its own",
                ) from error
            self._drop_surplus(connection)
            self._drop_old(connection, kept.created_at, self._retention.at_once)
        return kept

    def prune(self, now: float | None = None) -> int:
        """Drops every receipt that is too old at `now` (Unix seconds); returns how many."""
        with self._state.write() as connection:
            return self._drop_old(connection, time.time() if now is None else now, _MOST_ROWS)

    def check_place(self) -> None:
        """Raises StateError where the file was moved, or the disk is full; writes nothing."""
        self._state.check_place()

    def check_writable(self) -> None:
        """For before something happens that must not go without a receipt: adds one and takes it
        back. Nothing is written; some 0.1 ms.

        Raises:
            StateError: or one of its kinds: no receipt can be added now.
        """
        self._state.check_writable(_INSERT, ("", 0.0, ""))

    def get(self, key: str) -> Receipt:
        """The receipt whose id is or starts with `key`; `last` is the one added last.

        Raises:
            ReceiptNotFound: there is none, or more than one.
        """
        rows = self._matching(key)
        if len(rows) == 1:
            return self._read(*rows[0][:2])
        if not rows:
            what = f"no receipt {key!r} in {self._state.name}"
            raise ReceiptNotFound(what, hint="`last` is the newest; old ones go by retention")
        what = f"more than one receipt starts with {key!r}; the newest: {_ids_with_times(rows)}"
        raise ReceiptNotFound(what, hint="give more of the id")

    def list(self, limit: int = 20, since: float | None = None) -> tuple[Receipt, ...]:
        """At most `limit` receipts, newest first; `since` is Unix seconds."""
        rows = self._state.read(
            f"{_SELECT} WHERE created_at >= ? ORDER BY seq DESC LIMIT ?",
            (float("-inf") if since is None else since, min(max(0, limit), _MOST_ROWS)),
        )
        return tuple(self._read(*row) for row in rows)

    def close(self) -> None:
        """May be called twice."""
        self._state.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _matching(self, key: str) -> Sequence[tuple[str, str, float]]:
        """Id, body and time of the receipts that go by `key`, newest first; only the first few."""
        if key == LAST:
            return self._state.read(f"{_SELECT_TIMED} ORDER BY seq DESC LIMIT 1")
        start = key.strip().lower()
        if not start or not start.isascii():
            return ()
        # Ids are hexadecimal digits and dashes, all of which sort before "~".
        return self._state.read(
            f"{_SELECT_TIMED} WHERE id >= ? AND id < ? ORDER BY seq DESC LIMIT ?",
            (start, f"{start}~", _MOST_NAMED),
        )

    def _drop_surplus(self, connection: sqlite3.Connection) -> None:
        newest = "(SELECT max(seq) FROM receipts)"
        most = self._retention.max_receipts
        connection.execute(f"DELETE FROM receipts WHERE seq <= {newest} - ?", (most,))

    def _drop_old(self, connection: sqlite3.Connection, now: float, most: int) -> int:
        if self._retention.max_age_days is None:
            return 0
        oldest = now - self._retention.max_age_days * _DAY_SECONDS
        return connection.execute(_DROP_OLD, (oldest, most)).rowcount

    def _read(self, receipt_id: str, body: str) -> Receipt:
        try:
            return from_json(body)
        except ReceiptInvalid as error:
            raise StateCorrupt(
                f"receipt {receipt_id} in {self._state.name} cannot be read: {error}",
                hint="it was damaged, or a newer Skerry wrote it; the other receipts are whole",
            ) from error


def _ids_with_times(rows: Sequence[tuple[str, str, float]]) -> str:
    """By the clock of the wall, as `skerry receipts` shows it."""
    return ", ".join(
        f"{identity[:_ID_SHOWN]} ({time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(created_at))})"
        for identity, _, created_at in rows
    )


def _without_text(receipt: Receipt) -> Receipt:
    tools = tuple(replace(one, arguments=None) for one in receipt.tools)
    asked = replace(receipt.question, text=None, searched_for=None)
    return replace(receipt, tools=tools, question=asked)
