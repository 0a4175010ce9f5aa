"""Appointments at the invented Harbour Clinic, for the demo and the red team."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, time, timedelta
from pathlib import Path

from skerry.edge.tools.appointments.book import AppointmentBook

_WEEKS = 3


def fill(path: Path, today: date, booked: Sequence[str] = ()) -> None:
    """Opens a book at `path` with times on the Mondays and Tuesdays of three weeks after `today`;
    `booked` are names who have the first ones."""
    with AppointmentBook.open(path) as book:
        days = _days(today)
        for day in days:
            book.add(day, time(9), time(12), minutes=30, host="Dr Lund")
            book.add(day, time(14), time(16), minutes=30, host="Nurse Obi")
        for slot, name in zip(book.free(days[0], days[0]), booked, strict=False):
            book.book(slot, name)


def _days(today: date) -> list[date]:
    monday = today + timedelta(7 - today.weekday())
    return [monday + timedelta(7 * week + day) for week in range(_WEEKS) for day in (0, 1)]
