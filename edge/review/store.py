"""Keeps reviews in the device's state file, beside the receipts that they belong to."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Self

from skerry.edge.errors import InputError, StateCorrupt
from skerry.edge.review.schema import REVIEWS
from skerry.edge.review.types import Judgement, Review, ReviewNotFound, Status
from skerry.edge.state import StateFile
from skerry.guardrails.normal import normalise

if TYPE_CHECKING:
    from pydantic import TypeAdapter

_SELECT = "SELECT id, body FROM reviews"
_MOST_NAMED = 5
_LONGEST_ANSWER = 100_000
_NEXT_FIRST = (
    "ORDER BY status = 'waiting' DESC, urgency DESC, deadline_at IS NULL, deadline_at, seq DESC"
)


class ReviewStore:
    """Reviews of one device. Thread-safe; other processes may use the same file.

    A review is on disk when a method returns. Without `keep_text` what was asked and seen is
    kept only as long as a person is waited for; the person's answer stays. Every method raises
    StateError, or one of its kinds, when the file cannot be used.
    """

    def __init__(
        self, state: StateFile, *, keep_text: bool, clock: Callable[[], float] = time.time
    ) -> None:
        self._state = state
        self._keep_text = keep_text
        self._clock = clock

    @classmethod
    def open(
        cls, path: Path | str, *, keep_text: bool, clock: Callable[[], float] = time.time
    ) -> Self:
        """Opens the state file `path`, making it (mode 0600) and its tables where absent."""
        return cls(StateFile.open(path, REVIEWS), keep_text=keep_text, clock=clock)

    def add(self, review: Review) -> None:
        """Adds a review.

        Raises:
            InputError: there is one of that id already; it stays as it is.
        """
        place = (review.id, review.status, review.deadline_at, review.urgency)
        with self._state.write() as connection:
            try:
                connection.execute(
                    "INSERT INTO reviews (id, status, deadline_at, urgency, body) "
                    "VALUES (?, ?, ?, ?, ?)",
                    (*place, _to_json(review)),
                )
            except sqlite3.IntegrityError as error:
                raise InputError(f"{review.id} is under review already") from error

    def get(self, key: str) -> Review:
        """The review whose id is or starts with `key`.

        Raises:
            ReviewNotFound: there is none, or more than one.
        """
        start = key.strip().lower()
        # Ids are hexadecimal digits and dashes, all of which sort before "~".
        known = start and start.isascii()
        rows = (
            self._state.read(
                f"{_SELECT} WHERE id >= ? AND id < ? ORDER BY seq DESC LIMIT ?",
                (start, f"{start}~", _MOST_NAMED),
            )
            if known
            else []
        )
        if len(rows) == 1:
            return self._read(*rows[0])
        what = f"{'more than one' if rows else 'no'} review goes by {key[:64]!r}"
        raise ReviewNotFound(what, hint="`skerry review list --all` shows them")

    def list(self, limit: int = 50, *, waiting: bool = True) -> tuple[Review, ...]:
        """At most `limit` reviews, the gravest first and then by deadline; `waiting` leaves out
        those done."""
        where = "WHERE status = 'waiting'" if waiting else ""
        rows = self._state.read(f"{_SELECT} {where} {_NEXT_FIRST} LIMIT ?", (max(0, limit),))
        return tuple(self._read(*row) for row in rows)

    def done(self) -> tuple[Review, ...]:
        """Every review that a person has dealt with, in the order in which they came."""
        rows = self._state.read(f"{_SELECT} WHERE status != 'waiting' ORDER BY seq")
        return tuple(self._read(*row) for row in rows)

    def answer(self, key: str, text: str, *, by: str) -> Review:
        """A person's answer to a request that waits.

        Raises:
            ReviewNotFound: none goes by `key`.
            InputError: it does not wait, or the text is empty or too long; nothing is changed.
        """
        review = self.get(key)
        if review.status is not Status.WAITING:
            raise InputError(
                f"review {review.id} is {review.status} already",
                hint="`skerry review correct` changes what was said",
            )
        return self._done(review, Status.ANSWERED, _checked(text), None, by)

    def correct(self, key: str, judgement: Judgement, text: str | None, *, by: str) -> Review:
        """A person's judgement of an answer that was given, with a better one if there is one.

        Raises:
            ReviewNotFound: none goes by `key`.
            InputError: it still waits for an answer; nothing is changed.
        """
        review = self.get(key)
        if review.status is Status.WAITING:
            raise InputError(
                f"review {review.id} waits for an answer", hint="give one: `skerry review answer`"
            )
        better = review.answer if text is None else _checked(text)
        return self._done(review, Status.CORRECTED, better, judgement, by)

    def close(self) -> None:
        """May be called twice."""
        self._state.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _done(
        self,
        review: Review,
        status: Status,
        answer: str | None,
        judgement: Judgement | None,
        by: str,
    ) -> Review:
        """Stores the outcome, unless somebody else was first."""
        done = replace(
            review,
            status=status,
            answer=answer,
            judgement=judgement,
            by=by,
            done_at=self._clock(),
        )
        kept = done if self._keep_text else _without_text(done)
        with self._state.write() as connection:
            changed = connection.execute(
                "UPDATE reviews SET status = ?, body = ? WHERE id = ? AND status = ?",
                (status, _to_json(kept), review.id, review.status),
            )
            if not changed.rowcount:
                raise InputError(f"somebody else has just dealt with review {review.id}")
        if kept is not done:
            self._state.forget()
        return done

    def _read(self, review_id: str, body: str) -> Review:
        from pydantic import ValidationError

        try:
            return _adapter().validate_json(body)
        except ValidationError as error:
            raise StateCorrupt(
                f"review {review_id} in {self._state.name} cannot be read",
                hint="it was damaged, or a newer Skerry wrote it; the others are whole",
            ) from error


def _without_text(review: Review) -> Review:
    """What the person said stays: whoever asked must be able to read it."""
    return replace(review, question="", sources=(), shown="")


def _checked(text: str) -> str:
    if not normalise(text).text.strip():  # nor of what nobody can see
        raise InputError("the answer is empty", hint="say something, or leave the request waiting")
    if len(text) > _LONGEST_ANSWER:
        raise InputError(f"the answer has {len(text):,} characters; at most {_LONGEST_ANSWER:,}")
    return text.strip()


def _to_json(review: Review) -> str:
    """Lone surrogates, which JSON text cannot hold, become question marks."""
    text = json.dumps(asdict(review), ensure_ascii=False, allow_nan=False)
    return text.encode(errors="replace").decode()


@cache
def _adapter() -> TypeAdapter[Review]:
    from pydantic import TypeAdapter

    return TypeAdapter(Review)
