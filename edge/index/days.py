"""Days as people write them, in this machine's own time: when they begin and when they end.

`2026-12-31` is all of that day. What has a time is that moment, and what names a zone keeps it.
"""

from __future__ import annotations

import time
from datetime import date, datetime, timedelta

_DAY_SECONDS = 86_400


def begins(written: str) -> float:
    """Unix seconds of an ISO 8601 date or time; of a day its beginning.

    Raises:
        ValueError: it is neither.
    """
    return _seconds(datetime.fromisoformat(written))


def ends(written: str) -> float:
    """Unix seconds of an ISO 8601 date or time; of a day its end, when the next begins.

    Raises:
        ValueError: it is neither.
    """
    when = datetime.fromisoformat(written)
    if not is_day(written):
        return _seconds(when)
    if when.date() == date.max:  # no calendar here has the next one
        return _seconds(when) + _DAY_SECONDS
    return _seconds(when + timedelta(days=1))


def as_of(written: str, now: float) -> float:
    """The moment that is asked about: of a day its last second, and of today `now`.

    Raises:
        ValueError: it is no ISO 8601 date or time.
    """
    if not is_day(written):
        return begins(written)
    end = ends(written)
    return now if begins(written) <= now < end else end - 1


def is_day(written: str) -> bool:
    """Whether it is a date without a time."""
    try:
        date.fromisoformat(written)
    except ValueError:
        return False
    return True


def day_of(seconds: float) -> str:
    """The day of a moment, such as `2026-12-31`; the seconds themselves beyond the calendar."""
    try:
        return datetime.fromtimestamp(seconds).date().isoformat()
    except (OverflowError, ValueError, OSError):  # beyond the year 9999, or before 1
        return f"{seconds:g} s"


def is_midnight(seconds: float) -> bool:
    """Whether a day begins at this moment."""
    try:
        at = time.localtime(seconds)
    except (OverflowError, ValueError, OSError):
        return False
    return (at.tm_hour, at.tm_min, at.tm_sec, seconds % 1) == (0, 0, 0, 0)


def _seconds(when: datetime) -> float:
    """Unix seconds; a year that no clock here reaches is an error like another text."""
    try:
        return when.timestamp()
    except (OverflowError, OSError) as error:
        raise ValueError(str(error)) from error
