"""The appointment book: slots and who has them, in one SQLite file.

Every statement is parameterised; a slot is booked in one transaction, and once, and none that
overlaps with another one of the same person's. Days and times are
local, without a zone. What is asked and how it is told is left to `tools`.
"""

from __future__ import annotations

import re
import secrets
import sqlite3
import time as clock
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Self

from skerry.edge.errors import InputError
from skerry.edge.state import Schema, StateFile
from skerry.edge.tools.errors import SoftFail
from skerry.edge.tools.statements import Statement

CODE = r"^[2-9A-HJ-NP-Z]{6}$"
# one line, nothing that hides or turns text, no markup
NAME = r"^[^\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff<>\[\]]*$"
LONGEST_NAME = 120  # characters
_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # no 0, O, 1 or I, which people confuse
_MOST_SLOTS = 200
_MINUTES = (1, 24 * 60)
APPOINTMENTS = Schema(
    "skerry.appointments",
    (
        (
            "0001-appointments",
            (
                """
                CREATE TABLE slots (
                    id INTEGER PRIMARY KEY,
                    day TEXT NOT NULL,
                    start TEXT NOT NULL,
                    minutes INTEGER NOT NULL,
                    host TEXT NOT NULL,
                    UNIQUE (day, start, host)
                )
                """,
                """
                CREATE TABLE bookings (
                    code TEXT PRIMARY KEY,
                    slot INTEGER NOT NULL UNIQUE REFERENCES slots (id),
                    name TEXT NOT NULL,
                    made_at REAL NOT NULL
                )
                """,
            ),
        ),
        (
            "0002-overlaps",
            (
                """
                CREATE VIEW spans AS
                    SELECT id, day, host,
                        substr(start, 1, 2) * 60 + substr(start, 4, 2) AS first,
                        substr(start, 1, 2) * 60 + substr(start, 4, 2) + minutes AS last
                    FROM slots
                """,
                """
                CREATE VIEW taken AS
                    SELECT s.id FROM spans s JOIN spans o
                        ON o.day = s.day AND o.host = s.host AND o.first < s.last
                        AND s.first < o.last
                    WHERE o.id IN (SELECT slot FROM bookings)
                """,
            ),
        ),
    ),
)
_ADD = Statement(
    "INSERT INTO slots (day, start, minutes, host) VALUES (:day, :start, :minutes, :host) "
    "ON CONFLICT DO NOTHING RETURNING id"
)
_FREE = Statement(
    "SELECT id, day, start, minutes, host FROM slots WHERE day >= :first AND day <= :last "
    "AND id NOT IN (SELECT id FROM taken) ORDER BY day, start, host LIMIT :most"
)
_BOOKED = Statement(
    "SELECT s.id, s.day, s.start, s.minutes, s.host, b.code, b.name FROM bookings b "
    "JOIN slots s ON s.id = b.slot WHERE s.day >= :first AND s.day <= :last "
    "ORDER BY s.day, s.start, s.host LIMIT :most"
)
_BY_CODE = Statement(
    "SELECT s.id, s.day, s.start, s.minutes, s.host, b.code, b.name FROM bookings b "
    "JOIN slots s ON s.id = b.slot WHERE b.code = :code"
)
_BOOK = Statement(
    "INSERT INTO bookings (code, slot, name, made_at) SELECT :code, :slot, :name, :made_at "
    "WHERE :slot NOT IN (SELECT id FROM taken) RETURNING code"
)
_CANCEL = Statement("DELETE FROM bookings WHERE code = :code")
_HOSTS = Statement("SELECT DISTINCT host FROM slots ORDER BY host LIMIT :most")


@dataclass(frozen=True, slots=True)
class Slot:
    """A time at which somebody (`host`) can be seen, for so many minutes."""

    id: int
    day: date
    start: time
    minutes: int
    host: str


@dataclass(frozen=True, slots=True)
class Booking:
    """A slot that is taken. Whoever has its `code` may cancel it; `name` may be empty."""

    slot: Slot
    code: str
    name: str


class AppointmentBook:
    """Slots and bookings. Thread-safe; other processes may use the same file.

    Every method raises StateError, or one of its kinds, when the file cannot be used.
    """

    def __init__(self, state: StateFile) -> None:
        self._state = state

    @classmethod
    def open(cls, path: Path) -> Self:
        """Opens the book `path`, making it (mode 0600) where absent."""
        return cls(StateFile.open(path, APPOINTMENTS))

    @classmethod
    def in_memory(cls) -> Self:
        return cls(StateFile.in_memory(APPOINTMENTS))

    def add(self, day: date, start: time, end: time, *, minutes: int, host: str) -> int:
        """Adds slots of so many minutes from `start` to `end`; how many were new.

        Raises:
            InputError: no slot fits between, or the host's name is none.
        """
        starts = list(_starts(start, end, minutes))
        if not starts:
            raise InputError(
                f"no appointment of {minutes} minutes fits from {start:%H:%M} to {end:%H:%M}",
                hint="give a later end, or fewer minutes",
            )
        name = host.strip()
        if not (0 < len(name) <= LONGEST_NAME and re.match(NAME, name)):
            raise InputError(
                "that is no name of somebody who gives appointments",
                hint=f"give one line of at most {LONGEST_NAME} characters, without < > [ or ]",
            )
        with self._state.write() as connection:
            return sum(
                len(
                    _ADD.run(
                        connection,
                        day=day.isoformat(),
                        start=f"{one:%H:%M}",
                        minutes=minutes,
                        host=name,
                    )
                )
                for one in starts
            )

    def free(self, first: date, last: date, most: int = _MOST_SLOTS) -> list[Slot]:
        """What is free from one day to another, both included, in order of time."""
        rows = self._read(_FREE, first=first.isoformat(), last=last.isoformat(), most=most)
        return [_slot(*row) for row in rows]

    def booked(self, first: date, last: date, most: int = _MOST_SLOTS) -> list[Booking]:
        rows = self._read(_BOOKED, first=first.isoformat(), last=last.isoformat(), most=most)
        return [_booking(*row) for row in rows]

    def hosts(self) -> list[str]:
        """Those who give appointments, by name."""
        return [name for (name,) in self._read(_HOSTS, most=_MOST_SLOTS)]

    def find(self, code: str) -> Booking | None:
        rows = self._read(_BY_CODE, code=code)
        return _booking(*rows[0]) if rows else None

    def book(self, slot: Slot, name: str, wanted: Callable[[], bool] = lambda: True) -> Booking:
        """Takes a slot. `wanted` is asked last: where it says no, nothing is done.

        Raises:
            SoftFail: somebody took it meanwhile, or nobody wants it any more.
        """
        code = _new_code()
        with self._state.write() as connection:
            if not wanted():
                raise SoftFail("It took too long; nothing was booked.")
            try:
                made = _BOOK.run(
                    connection, code=code, slot=slot.id, name=name, made_at=clock.time()
                )
            except sqlite3.IntegrityError:
                made = []
            if not made:
                raise SoftFail("Somebody else has just taken it; nothing was booked.")
        return Booking(slot, code, name)

    def cancel(self, code: str, wanted: Callable[[], bool] = lambda: True) -> Booking:
        """Frees the slot of a booking.

        Raises:
            SoftFail: there is no such booking, or nobody wants it any more.
        """
        with self._state.write() as connection:
            rows = _BY_CODE.run(connection, code=code)
            if not rows or not wanted():
                raise SoftFail(no_booking(code) if not rows else "Nothing was cancelled.")
            _CANCEL.run(connection, code=code)
        return _booking(*rows[0])

    def close(self) -> None:
        """May be called twice."""
        self._state.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _read(self, statement: Statement, **values: Any) -> list[Any]:
        return self._state.read(statement.sql, statement.bound(values))


def _new_code() -> str:
    """Six characters, one digit at least, by which a code is told from a word."""
    while not any(map(str.isdigit, code := "".join(secrets.choice(_ALPHABET) for _ in range(6)))):
        continue
    return code


def no_booking(code: str) -> str:
    return f"There is no appointment with the code {code}; nothing was cancelled."


def _starts(start: time, end: time, minutes: int) -> Iterable[time]:
    if not _MINUTES[0] <= minutes <= _MINUTES[1]:
        return
    moment = datetime.combine(date.min, start)
    last = datetime.combine(date.min, end)
    while moment + timedelta(minutes=minutes) <= last:
        yield moment.time()
        moment += timedelta(minutes=minutes)


def _slot(identity: int, day: str, start: str, minutes: int, host: str) -> Slot:
    return Slot(identity, date.fromisoformat(day), time.fromisoformat(start), minutes, host)


def _booking(  # noqa: PLR0917  the columns of a row
    identity: int, day: str, start: str, minutes: int, host: str, code: str, name: str
) -> Booking:
    return Booking(_slot(identity, day, start, minutes, host), code, name)
