"""`skerry appointments`: the appointment book that the tools work on."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import click

from skerry.edge.cli.options import json_option, make_settings, option, settings
from skerry.edge.cli.output import emit, table

if TYPE_CHECKING:
    from skerry.edge.tools.appointments import AppointmentBook, Booking, Slot

ADD = "skerry.appointments.add/1"
LS = "skerry.appointments.ls/1"
_DAY = click.DateTime(["%Y-%m-%d"])
_TIME = click.DateTime(["%H:%M"])


@click.group()
def appointments() -> None:
    """Keep the appointment book that the tools work on (docs/tools.md)."""


@appointments.command()
@click.argument("day", type=_DAY, metavar="YYYY-MM-DD")
@option("--from", "start", type=_TIME, required=True, metavar="HH:MM", help="First appointment.")
@option("--to", "end", type=_TIME, required=True, metavar="HH:MM", help="End of the last one.")
@option("--minutes", default=30, show_default=True, help="Length of each.")
@option("--with", "host", required=True, help="Who gives them.")
@option(
    "--days",
    default=1,
    type=click.IntRange(1, 366),
    show_default=True,
    help="So many days from that one on.",
)
@settings("appointments")
@json_option
def add(
    day: datetime,
    start: datetime,
    end: datetime,
    minutes: int,
    host: str,
    days: int,
    as_json: bool,
    **given: Any,
) -> None:
    """Add times at which somebody gives appointments.

    \b
    skerry appointments add 2026-11-30 --from 09:00 --to 12:00 --with "Dr Lund"
    """
    with _book(given) as book:
        added = sum(
            book.add(
                day.date() + timedelta(ahead), start.time(), end.time(), minutes=minutes, host=host
            )
            for ahead in range(days)
        )
    if as_json:
        emit(ADD, {"added": added})
    else:
        click.echo(f"{added} new")


@appointments.command()
@option("--free", is_flag=True, help="Only what is free.")
@option(
    "--days",
    default=60,
    type=click.IntRange(0, 36_600),
    show_default=True,
    help="So many days from today on.",
)
@settings("appointments")
@json_option
def ls(free: bool, days: int, as_json: bool, **given: Any) -> None:
    """List the appointments from today on, with who has them."""
    today = date.today()
    last = today + timedelta(max(0, days))
    with _book(given) as book:
        open_slots = book.free(today, last)
        taken = [] if free else book.booked(today, last)
    if as_json:
        emit(LS, {"free": [_slot(one) for one in open_slots], "booked": [_taken(o) for o in taken]})
        return
    rows = [(one, "-", "-") for one in open_slots]
    rows += [(one.slot, one.code, one.name or "(no name)") for one in taken]
    shown = sorted(rows, key=lambda row: (row[0].day, row[0].start, row[0].host))
    table("", ("day", "time", "with", "code", "name"), map(_row, shown))


def _book(given: dict[str, Any]) -> AppointmentBook:
    from skerry.edge.tools.appointments import AppointmentBook

    return AppointmentBook.open(make_settings(given).appointments)


def _row(row: tuple[Slot, str, str]) -> tuple[str, ...]:
    slot, code, name = row
    return (slot.day.isoformat(), _clock(slot.start), slot.host, code, name)


def _clock(moment: time) -> str:
    return f"{moment:%H:%M}"


def _slot(one: Slot) -> dict[str, Any]:
    day, start = one.day.isoformat(), _clock(one.start)
    return {"day": day, "start": start, "minutes": one.minutes, "with": one.host}


def _taken(one: Booking) -> dict[str, Any]:
    return {**_slot(one.slot), "code": one.code, "name": one.name}
