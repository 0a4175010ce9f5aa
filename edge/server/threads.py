"""Conversations of the Responses API, kept in the device's session store.

The id of a response names its session and how many turns that has with it. Continuing a response
that is not the newest of its session begins a new session with the turns so far.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from skerry.edge.errors import SessionNotFound
from skerry.edge.parts import Parts
from skerry.edge.receipts import Receipt
from skerry.edge.server.errors import ApiError
from skerry.edge.server.ids import new_id
from skerry.edge.server.wire.responses import MESSAGE, Item
from skerry.edge.session import SessionStore, Turn

_PREFIX = "resp_"
_TOOL = "tool"  # the role of turns that hold calls and their outputs, as JSON


@dataclass(frozen=True, slots=True)
class Thread:
    """Where a response stands: its id, its session (None: it is not kept), what came before.

    `labels` are the access labels of what `history` was made from; None where nobody knows.
    """

    id: str
    session: str | None
    history: tuple[Item, ...]
    labels: frozenset[str] | None = frozenset()


class Threads:
    """Places for responses in conversations. Thread-safe within one process."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._lock = threading.Lock()

    @property
    def _sessions(self) -> SessionStore:
        """Opened when it is first needed."""
        return self._parts.sessions

    def begin(self, previous: str | None, items: Sequence[Item], *, store: bool) -> Thread:
        """Keeps what was asked, and the place for the answer.

        Raises:
            ApiError: 404, there is no response `previous`.
        """
        with self._lock:
            turns = self._until(previous) if previous is not None else ()
            history = tuple(item for turn in turns for item in _items(turn))
            given = [_labels_of(item) for item in items]
            labels = _together([*(turn.labels for turn in turns), *given])
            if not store:
                return Thread(new_id("resp", "_"), None, history, labels)
            session = self._session(previous, turns)
            for item, noted in zip(items, given, strict=True):
                self._sessions.append(session, *_turn([item]), labels=noted)
            number = len(turns) + len(items) + 1
        return Thread(f"{_PREFIX}{session}-{number}", session, history, labels)

    def finish(self, thread: Thread, items: Sequence[Item], receipt: Receipt | None) -> None:
        """Keeps the answer, with the labels of what it was made from."""
        if thread.session is None or not items:
            return
        labels = thread.labels if receipt is None else receipt.input.labels
        receipt_id = None if receipt is None else receipt.id
        self._sessions.append(thread.session, *_turn(items), receipt_id, labels)

    def _until(self, response_id: str) -> tuple[Turn, ...]:
        session, number = _parse(response_id)
        try:
            turns = self._sessions.get(session).turns
        except SessionNotFound:
            raise _unknown(response_id) from None
        if number > len(turns):
            raise _unknown(response_id)
        return turns[:number]

    def _session(self, previous: str | None, turns: Sequence[Turn]) -> str:
        """The session to go on in: that of `previous` if nothing follows it there yet."""
        if previous is not None:
            session, number = _parse(previous)
            if self._sessions.get(session, last=0).info.turns == number:
                return session
        copy = self._sessions.create().id
        for turn in turns:
            self._sessions.append(copy, turn.role, turn.text, turn.receipt_id, turn.labels)
        return copy


def _parse(response_id: str) -> tuple[str, int]:
    session, _, number = response_id.removeprefix(_PREFIX).rpartition("-")
    if not response_id.startswith(_PREFIX) or not (number.isascii() and number.isdigit()):
        raise _unknown(response_id)
    return session, int(number[:9])


def _unknown(response_id: str) -> ApiError:
    return ApiError(
        404,
        f"there is no finished response '{response_id[:100]}' on this device.",
        code="previous_response_not_found",
        param="previous_response_id",
    )


def _labels_of(item: Item) -> frozenset[str] | None:
    """Nobody knows what an answer or a tool's output that a client sends was made from. What its
    user says is the user's own, as the question is."""
    own = item.type == MESSAGE and item.role != "assistant"
    return frozenset() if own else None


def _together(labels: Iterable[frozenset[str] | None]) -> frozenset[str] | None:
    """All of them; None where one is not known."""
    found: frozenset[str] = frozenset()
    for one in labels:
        if one is None:
            return None
        found |= one
    return found


def _turn(items: Sequence[Item]) -> tuple[str, str]:
    """Role and text of the turn that holds `items`: one message, or calls and outputs."""
    first = items[0]
    if first.type == MESSAGE:
        role = "system" if first.role == "developer" else str(first.role)
        return role, first.content or ""
    return _TOOL, json.dumps([item.model_dump(exclude_none=True) for item in items])


def _items(turn: Turn) -> list[Item]:
    if turn.role == _TOOL:
        return [Item.model_validate(one) for one in json.loads(turn.text)]
    return [Item.model_validate({"role": turn.role, "content": turn.text})]
