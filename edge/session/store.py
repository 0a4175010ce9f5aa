"""Keeps conversations in the device's state file, or in memory alone."""

from __future__ import annotations

import json
import math
import re
import secrets
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from sqlite3 import Connection
from typing import Self

from skerry.edge.errors import InputError, SessionNotFound
from skerry.edge.session import pseudonyms
from skerry.edge.session.schema import SESSIONS
from skerry.edge.session.types import ROLES, Opening, Session, SessionInfo, SessionLimits, Turn
from skerry.edge.state import StateFile

_ID_BYTES = 18
_ID_SHOWN = 64
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_HEAD = "SELECT id, created_at, updated_at, turns, size_bytes FROM session_heads"
_TURNS = "SELECT role, text, at, receipt_id, labels FROM session_turns WHERE session_id = ?"
_OPENING_BYTES = 400
_OPENINGS = """
    SELECT id, created_at, updated_at, turns, size_bytes,
        (SELECT substr(text, 1, ?) FROM session_turns
         WHERE session_id = id AND role = 'user' ORDER BY number LIMIT 1) AS opening
    FROM session_heads
    WHERE opening IS NOT NULL AND EXISTS
        (SELECT 1 FROM session_turns WHERE session_id = id AND receipt_id IS NOT NULL)
    ORDER BY updated_at DESC, rowid DESC LIMIT ?
"""
_GROW = """
    UPDATE session_heads SET turns = turns + 1, size_bytes = size_bytes + ?, updated_at = ?
    WHERE id = ?
"""


class SessionStore:
    """Conversations of one device. Thread-safe; other processes may use the same file.

    A turn is on disk when `append` returns. Deleted text is overwritten. Every method raises
    StateError, or one of its kinds, when the file cannot be used.
    """

    def __init__(
        self, state: StateFile, limits: SessionLimits, clock: Callable[[], float] = time.time
    ) -> None:
        self._state = state
        self._limits = limits
        self._clock = clock

    @classmethod
    def open(
        cls,
        path: Path | str,
        *,
        store_text: bool = True,
        limits: SessionLimits | None = None,
        clock: Callable[[], float] = time.time,
    ) -> Self:
        """Opens the state file `path`, making it (mode 0600) and its tables where absent.

        Without `store_text` the file is left alone: conversations live in the memory of this
        process and end with it.
        """
        state = StateFile.open(path, SESSIONS) if store_text else StateFile.in_memory(SESSIONS)
        return cls(state, limits or SessionLimits(), clock)

    @property
    def on_disk(self) -> bool:
        """Whether conversations outlive this process."""
        return self._state.on_disk

    def create(self) -> SessionInfo:
        """A new, empty conversation, with an id that cannot be guessed."""
        now = self._clock()
        info = SessionInfo(_new_id(), now, now, 0, 0)
        with self._state.write() as connection:
            connection.execute(
                "INSERT INTO session_heads VALUES (?, ?, ?, 0, 0)",
                (info.id, info.created_at, info.updated_at),
            )
        return info

    def get(self, session_id: str, *, last: int | None = None) -> Session:
        """The conversation with its turns, or with the `last` few.

        Raises:
            SessionNotFound: there is none of that id.
        """
        self._check_id(session_id)
        rows = self._state.read(f"{_HEAD} WHERE id = ?", (session_id,))
        if not rows:
            raise self._not_found(session_id)
        newest_first = self._state.read(
            f"{_TURNS} ORDER BY number DESC LIMIT ?",
            (session_id, -1 if last is None else max(0, last)),
        )
        return Session(SessionInfo(*rows[0]), tuple(_turn(*row) for row in reversed(newest_first)))

    def append(
        self,
        session_id: str,
        role: str,
        text: str,
        receipt_id: str | None = None,
        labels: frozenset[str] | None = None,
    ) -> Turn:
        """Adds a turn. Either all of it is stored or nothing is.

        Raises:
            SessionNotFound: there is no conversation of that id.
            InputError: the role is none, or a limit would be passed.
        """
        turn = Turn(role, text, self._clock(), receipt_id, labels)
        self._add(session_id, (turn,))
        return turn

    def append_exchange(
        self,
        session_id: str,
        question: str,
        answer: str,
        receipt_id: str,
        labels: frozenset[str] | None = None,
    ) -> None:
        """Adds a question and its answer: both are stored or neither is.

        Raises:
            SessionNotFound: there is no conversation of that id.
            InputError: a limit would be passed.
        """
        now = self._clock()
        asked = Turn("user", question, now, None, labels)
        self._add(session_id, (asked, Turn("assistant", answer, now, receipt_id, labels)))

    def list(self, limit: int = 50) -> tuple[SessionInfo, ...]:
        """At most `limit` conversations, last used first."""
        rows = self._state.read(
            f"{_HEAD} ORDER BY updated_at DESC, rowid DESC LIMIT ?", (max(0, limit),)
        )
        return tuple(SessionInfo(*row) for row in rows)

    def openings(self, limit: int = 50) -> tuple[Opening, ...]:
        """At most `limit` conversations that have an answer with a receipt, last used first.

        What other programs keep here, plain talk with a model, is left out.
        """
        rows = self._state.read(_OPENINGS, (_OPENING_BYTES, max(0, limit)))
        return tuple(Opening(SessionInfo(*head), _words(start)) for *head, start in rows)

    def mapping(self, session_id: str) -> bytes | None:
        """What `keep_mapping` kept of the conversation's surrogates; None for nothing yet."""
        self._check_id(session_id)
        rows = self._state.read(pseudonyms.GET, (session_id,))
        return rows[0][0] if rows else None

    def keep_mapping(self, session_id: str, packed: bytes) -> None:
        """Keeps the conversation's surrogates; they are deleted with it.

        Raises:
            SessionNotFound: there is no conversation of that id.
        """
        self._check_id(session_id)
        with self._state.write() as connection:
            self._head(connection, session_id)
            connection.execute(pseudonyms.PUT, (session_id, packed))

    def delete(self, session_id: str) -> None:
        """Deletes a conversation and its text for good.

        Raises:
            SessionNotFound: there is none of that id.
        """
        self._check_id(session_id)
        if not self._delete("id = ?", session_id):
            raise self._not_found(session_id)

    def purge(self, older_than_s: float) -> int:
        """Deletes what was last used more than `older_than_s` seconds ago; returns how many.

        Raises:
            InputError: that is no time, or a time to come; nothing is deleted.
        """
        if not (math.isfinite(older_than_s) and older_than_s >= 0):
            raise InputError(
                f"conversations cannot be older than {older_than_s} seconds",
                hint="give an age of 0 or more",
            )
        return self._delete("updated_at < ?", self._clock() - older_than_s)

    def close(self) -> None:
        """May be called twice. Conversations that were in memory only are gone."""
        self._state.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _add(self, session_id: str, turns: Sequence[Turn]) -> None:
        self._check_id(session_id)
        data = [self._checked(turn.role, turn.text) for turn in turns]
        with self._state.write() as connection:
            for turn, text in zip(turns, data, strict=True):
                info = self._head(connection, session_id)
                self._check_room(info, len(text))
                packed = _packed(turn.labels)
                row = (
                    session_id,
                    info.turns + 1,
                    turn.role,
                    text,
                    turn.at,
                    turn.receipt_id,
                    packed,
                )
                connection.execute("INSERT INTO session_turns VALUES (?, ?, ?, ?, ?, ?, ?)", row)
                connection.execute(_GROW, (len(text), turn.at, session_id))

    def _delete(self, where: str, value: object) -> int:
        with self._state.write() as connection:
            deleted = connection.execute(f"DELETE FROM session_heads WHERE {where}", (value,))
        if deleted.rowcount:
            self._state.forget()
        return deleted.rowcount

    def _check_id(self, session_id: str) -> None:
        """Raises SessionNotFound for what was never an id, such as text that is no Unicode."""
        if not _ID.fullmatch(session_id):
            raise self._not_found(session_id)

    def _head(self, connection: Connection, session_id: str) -> SessionInfo:
        row = connection.execute(f"{_HEAD} WHERE id = ?", (session_id,)).fetchone()
        if row is None:
            raise self._not_found(session_id)
        return SessionInfo(*row)

    def _checked(self, role: str, text: str) -> bytes:
        if role not in ROLES:
            raise InputError(f"{role!r} is no role", hint=f"use one of {', '.join(sorted(ROLES))}")
        data = text.encode("utf-8", "surrogatepass")
        if len(data) > self._limits.turn_bytes:
            raise InputError(
                f"this turn has {len(data):,} bytes; at most {self._limits.turn_bytes:,} are kept",
                hint="put long texts into the index with `skerry index add`",
            )
        return data

    def _check_room(self, info: SessionInfo, size_bytes: int) -> None:
        limits = self._limits
        grown = info.size_bytes + size_bytes
        if info.turns >= limits.session_turns or grown > limits.session_bytes:
            raise InputError(
                f"the conversation {info.id} is full: it has {info.turns:,} turns and "
                f"{info.size_bytes:,} bytes",
                hint="start a new one; this one stays as it is",
            )

    def _not_found(self, session_id: str) -> SessionNotFound:
        return SessionNotFound(
            f"there is no conversation {session_id[:_ID_SHOWN]!a} in {self._state.name}",
            hint="it may have been deleted or purged; start a new one",
        )


def _new_id() -> str:
    """Never one that begins with a dash: on a command line that would be an option."""
    while (found := secrets.token_urlsafe(_ID_BYTES)).startswith("-"):
        pass
    return found


def _turn(role: str, text: bytes, at: float, receipt_id: str | None, labels: str | None) -> Turn:
    noted = None if labels is None else frozenset(json.loads(labels))
    return Turn(role, text.decode("utf-8", "surrogatepass"), at, receipt_id, noted)


def _packed(labels: frozenset[str] | None) -> str | None:
    return None if labels is None else json.dumps(sorted(labels))


def _words(start: bytes) -> str:
    """On one line; a character that was cut in two is left out, and so are lone surrogates."""
    return " ".join(start.decode(errors="ignore").split())
