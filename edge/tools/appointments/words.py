"""What is said of appointments. Pure: every word is the book's or this module's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from itertools import groupby
from typing import Any

from skerry.edge.tools.appointments.book import Booking, Slot
from skerry.edge.tools.when import in_words

_MOST_TIMES = 12
_MOST_DAYS = 3


@dataclass(frozen=True, slots=True)
class Free:
    """What is free on `days`, or at all where none was asked for; `later` where nothing is."""

    days: tuple[date, ...]
    slots: tuple[Slot, ...]
    later: tuple[Slot, ...] = ()


def free(found: Free) -> str:
    if found.slots:
        by_day = [(day, list(slots)) for day, slots in groupby(found.slots, lambda one: one.day)]
        most = len(by_day) if found.days else _MOST_DAYS
        return " ".join(
            f"Free on {in_words(day)}: {_times(slots)}." for day, slots in by_day[:most]
        )
    on = f" on {listed_words([in_words(day) for day in found.days])}" if found.days else ""
    none = f"Nothing is free{on} that fits."
    if not found.later:
        return f"{none} Nothing else is free in the next 60 days."
    next_one = found.later[0]
    return f"{none} The next that is free: {at(next_one.day, next_one.start)} with {next_one.host}."


def _times(slots: Sequence[Slot]) -> str:
    """`09:00, 09:30 with Dr Lund; 10:00 with Nurse Obi`."""
    by_host: dict[str, list[str]] = {}
    for slot in slots:
        by_host.setdefault(slot.host, []).append(f"{slot.start:%H:%M}")
    return "; ".join(f"{_some(times)} with {host}" for host, times in by_host.items())


def _some(times: Sequence[str]) -> str:
    more = len(times) - _MOST_TIMES
    return ", ".join(times[:_MOST_TIMES]) + (f" and {more} more" if more > 0 else "")


def booking_wanted(said: Mapping[str, Any]) -> str:
    day, start = date.fromisoformat(said["day"]), time.fromisoformat(said["start"])
    name = f", for {said['name']}" if said.get("name") else ""
    return f"Book {at(day, start)} with {said['host']}{name}"


def booked(one: Booking) -> str:
    name = f" for {one.name}" if one.name else ""
    return (
        f"Booked{name}: {at(one.slot.day, one.slot.start)}, {one.slot.minutes} minutes with "
        f"{one.slot.host}. The code is {one.code}; whoever has it can cancel the appointment."
    )


def cancelled(one: Booking) -> str:
    return f"Cancelled: {at(one.slot.day, one.slot.start)} with {one.slot.host}."


def listed(found: Sequence[Booking]) -> str:
    if not found:
        return "Nobody is booked."
    lines = (
        f"- {at(one.slot.day, one.slot.start)} with {one.slot.host}: {one.name or 'no name given'}"
        for one in found
    )
    return "\n".join(lines)


def at(day: date, start: time) -> str:
    return f"{in_words(day)} at {start:%H:%M}"


def listed_words(items: Sequence[str]) -> str:
    """`a, b and c`."""
    return " and ".join(part for part in (", ".join(items[:-1]), *items[-1:]) if part)
