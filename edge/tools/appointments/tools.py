"""The four tools on an appointment book: what is free, book, cancel, and who is booked.

What is asked for is looked up in the book before anybody is asked to confirm it; a day, time, code
or person that is not there is said to be so, with what there is instead.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from skerry.edge.tools.appointments import words
from skerry.edge.tools.appointments.book import (
    CODE,
    LONGEST_NAME,
    NAME,
    AppointmentBook,
    Booking,
    Slot,
    no_booking,
)
from skerry.edge.tools.appointments.reading import NoSuchTime, Reading, Wish, read, same_host
from skerry.edge.tools.appointments.words import Free
from skerry.edge.tools.definition import Arguments, Context, Impact, Tool, Unclear, tool
from skerry.edge.tools.errors import SoftFail
from skerry.edge.tools.when import in_words

_AHEAD = timedelta(days=60)
Name = Annotated[str, StringConstraints(max_length=LONGEST_NAME, pattern=NAME)]
Days = Annotated[list[date], Field(max_length=14)]
Code = Annotated[str, StringConstraints(pattern=CODE)]


def appointment_tools(book: AppointmentBook) -> list[Tool]:
    """The tools on `book`, in the order in which a request is tried on them."""
    desk = _Desk(book)
    return [desk.cancelling(), desk.listing(), desk.booking(), desk.looking()]


class _Desk:
    """Reads requests, and answers from the book."""

    def __init__(self, book: AppointmentBook) -> None:
        self._book = book

    def looking(self) -> Tool:
        @tool(understand=self._understand_free, say=words.free)
        def free_appointments(
            days: Days,
            context: Context,
            start: time | None = None,
            end: time | None = None,
            host: Name | None = None,
        ) -> Free:
            """Tell which appointments are free."""
            self._check_days(days, context.now)
            wanted = [
                slot
                for slot in self._free(days, context.now)
                if (start is None or slot.start >= start)
                and (end is None or slot.start < end)
                and (host is None or slot.host == host)
            ]
            later = [] if wanted else self._free([], context.now)[:1]
            return Free(tuple(days), tuple(wanted), tuple(later))

        return free_appointments

    def booking(self) -> Tool:
        @tool(
            impact=Impact.HIGH,
            understand=self._understand_booking,
            describe=words.booking_wanted,
            say=words.booked,
        )
        def book_appointment(
            day: date, start: time, host: Name, context: Context, name: Name = ""
        ) -> Booking:
            """Book an appointment."""
            free = [
                slot
                for slot in self._free([day], context.now)
                if slot.start == start and slot.host == host
            ]
            if not free:
                raise SoftFail(f"{words.at(day, start)} with {host} is not free; nothing was done.")
            return self._book.book(free[0], name, lambda: not context.cancelled.is_set())

        return book_appointment

    def cancelling(self) -> Tool:
        @tool(
            impact=Impact.HIGH,
            understand=self._understand_cancelling,
            describe=lambda said: f"Cancel the appointment with the code {said['code']}",
            say=words.cancelled,
        )
        def cancel_appointment(code: Code, context: Context) -> Booking:
            """Cancel an appointment by its code."""
            return self._book.cancel(code, lambda: not context.cancelled.is_set())

        return cancel_appointment

    def listing(self) -> Tool:
        @tool(understand=self._understand_listing, say=words.listed)
        def booked_appointments(days: Days, context: Context) -> list[Booking]:
            """Tell who is booked."""
            first, last = _span(days, context.now.date())
            found = self._book.booked(first, last)
            return [one for one in found if not days or one.slot.day in days]

        return booked_appointments

    def _understand_free(self, question: str, now: datetime) -> Arguments | Unclear | None:
        reading = _reading(question, now, Wish.FREE)
        if not isinstance(reading, Reading):
            return reading
        when = reading.when
        hosts = self._hosts(reading)
        if isinstance(hosts, Unclear):
            return hosts
        start, end = (when.at, _just_after(when.at)) if when.at else (when.start, when.end)
        bounds = {"start": start, "end": end, "host": hosts and hosts[0]}
        days = [day.isoformat() for day in when.days[:14]]
        return {"days": days, **{key: _json(value) for key, value in bounds.items() if value}}

    def _understand_booking(self, question: str, now: datetime) -> Arguments | Unclear | None:
        reading = _reading(question, now, Wish.BOOK)
        if not isinstance(reading, Reading):
            return reading
        hosts = self._hosts(reading)
        if isinstance(hosts, Unclear):
            return hosts
        slot = self._slot(reading, hosts, now)
        if isinstance(slot, Unclear):
            return slot
        said = {"day": _json(slot.day), "start": _json(slot.start), "host": slot.host}
        return {**said, "name": reading.name}

    def _understand_cancelling(self, question: str, now: datetime) -> Arguments | Unclear | None:
        reading = _reading(question, now, Wish.CANCEL)
        if not isinstance(reading, Reading):
            return reading
        if not reading.code:
            return Unclear("Which one? Give its code, as it was told when it was booked.")
        known = len(reading.code) == 6 and self._book.find(reading.code)
        return {"code": reading.code} if known else Unclear(no_booking(reading.code))

    def _understand_listing(self, question: str, now: datetime) -> Arguments | Unclear | None:
        reading = _reading(question, now, Wish.BOOKED)
        if not isinstance(reading, Reading):
            return reading
        return {"days": [day.isoformat() for day in reading.when.days[:14]]}

    def _hosts(self, reading: Reading) -> list[str] | Unclear:
        """The hosts that are meant, none where nobody is named."""
        if not reading.host:
            return []
        known = self._book.hosts()
        meant = same_host(reading.host, known)
        if meant:
            return meant
        there = words.listed_words(known) or "nobody"
        return Unclear(f"{reading.host} gives no appointments here. Those who do: {there}.")

    def _slot(self, reading: Reading, hosts: list[str], now: datetime) -> Slot | Unclear:
        """The free slot that is meant, or what to ask or say instead."""
        when = reading.when
        if when.day is None:
            return Unclear(f"On which day? {words.free(self._offer([], hosts, now))}")
        if when.day < now.date():
            return Unclear(f"{in_words(when.day)} is over.")
        offer = self._offer([when.day], hosts, now)
        if when.at is None:
            return Unclear(
                f"At what time? {words.free(offer)}" if offer.slots else words.free(offer)
            )
        exact = [slot for slot in offer.slots if slot.start == when.at]
        if exact:
            return exact[0]
        return Unclear(f"{words.at(when.day, when.at)} is not free. {words.free(offer)}")

    def _offer(self, days: list[date], hosts: list[str], now: datetime) -> Free:
        def of(days: list[date]) -> list[Slot]:
            return [slot for slot in self._free(days, now) if not hosts or slot.host in hosts]

        found = of(days)
        return Free(tuple(days), tuple(found), () if found else tuple(of([])[:1]))

    def _free(self, days: list[date], now: datetime) -> list[Slot]:
        """What is free and not over, on these days, or from now on."""
        first, last = _span(days, now.date())
        return [
            slot
            for slot in self._book.free(first, last)
            if (not days or slot.day in days) and datetime.combine(slot.day, slot.start) >= now
        ]

    def _check_days(self, days: list[date], now: datetime) -> None:
        if days and max(days) < now.date():
            raise SoftFail(f"{in_words(max(days))} is over.")


def _reading(question: str, now: datetime, wish: Wish) -> Reading | Unclear | None:
    """What is wanted, if it is `wish`; a day or time that is none is said to be so."""
    try:
        found = read(question, now)
    except NoSuchTime as error:
        return Unclear(str(error)) if wish is Wish.FREE or wish is Wish.BOOK else None
    return found if found is not None and found.wish is wish else None


def _span(days: list[date], today: date) -> tuple[date, date]:
    return (min(days), max(days)) if days else (today, today + _AHEAD)


def _just_after(moment: time) -> time:
    """A minute later, so that the time itself is the only one before it."""
    return (datetime.combine(date.min, moment) + timedelta(minutes=1)).time()


def _json(value: Any) -> str:
    return value if isinstance(value, str) else str(value.isoformat())
