"""Reads days and times of day in plain English ("next Tuesday after 2 pm"). Pure.

By rules alone, so that the same words mean the same each time; what is understood is always said
back as a full date. An hour from 1 to 6 without "am" or "pm" is one of the afternoon.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip
_HOURS = (
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
    "twelve",
)  # fmt: skip
_WEEKDAY = r"(?P<weekday>mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?s?"
_MONTH = r"(?P<month>jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-z]{0,6}\.?"
_DAY_OF_MONTH = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?:,? (?P<year>\d{4,9}))?"
_DAYS = (
    re.compile(r"\b(?P<y>20\d\d)-(?P<m>\d\d)-(?P<d>\d\d)\b"),
    re.compile(rf"\b{_DAY_OF_MONTH} (?:of )?{_MONTH}{_YEAR}(?!\w)"),
    re.compile(rf"\b{_MONTH} (?:the )?{_DAY_OF_MONTH}(?![\w:.]){_YEAR}"),
    re.compile(
        r"\b(?P<word>day after tomorrow|today|tomorrow|tonight|this (?:morning|afternoon))\b"
    ),
    re.compile(r"\bin (?P<ahead>\d{1,2}) days?\b"),
    re.compile(r"\b(?P<week>this|next|coming) week\b"),
    re.compile(rf"\b(?P<next>next )?{_WEEKDAY}\b"),
)
_CLOCK = (
    r"(?:(?P<half>half past|quarter past|quarter to) )?"
    rf"(?:(?P<hour>\d{{1,2}})(?:[:.](?P<minute>\d\d))?|(?P<spoken>{'|'.join(_HOURS)})|"
    r"(?P<named>noon|midday))\b"
    r"(?: ?(?P<half_day>a\.?m\b\.?|p\.?m\b\.?)| ?o['’]?clock)?"
)
_AT = re.compile(rf"\b(?:at|@|around|about) (?:about |around )?{_CLOCK}")
_FROM = re.compile(rf"\b(?:after|from|between|not before) {_CLOCK}")
_UNTIL = re.compile(rf"\b(?:before|until|till|by|and|to) {_CLOCK}")
_BARE = re.compile(
    r"(?<![\w.:-])(?P<hour>\d{1,2})[:.](?P<minute>\d\d)(?![\w.:-])"
    r"(?: ?(?P<half_day>[ap]\.?m\b))?"
    r"|(?<![\w.:-])(?P<hour2>\d{1,2}) ?(?P<half_day2>[ap]\.?m)\b"
)
_PARTS = {
    "morning": (None, time(12)),
    "afternoon": (time(12), time(17)),
    "evening": (time(17), None),
    "tonight": (time(17), None),
}
_PART = re.compile(rf"\b({'|'.join(_PARTS)})s?\b")


class NoSuchTime(ValueError):
    """What is said is no day or no time: "31 November", "at 27"."""


@dataclass(frozen=True, slots=True)
class When:
    """The days that a text names, in its order, and the times of day.

    `at` is one time; `start` (with it) and `end` (without it) bound a part of the day.
    """

    days: tuple[date, ...] = ()
    at: time | None = None
    start: time | None = None
    end: time | None = None

    @property
    def day(self) -> date | None:
        """The one day that is named; None for none or several."""
        return self.days[0] if len(self.days) == 1 else None

    def admits(self, moment: time) -> bool:
        """Whether a time of day is among those named."""
        return (
            (self.at is None or moment == self.at)
            and (self.start is None or moment >= self.start)
            and (self.end is None or moment < self.end)
        )


def find_when(text: str, now: datetime) -> When:
    """The days and times in `text`, seen from `now` (local).

    Raises:
        NoSuchTime: it names a day or time that there is none of; says which.
    """
    lowered = " ".join(text.lower().split())
    days, rest = _take_days(lowered, now.date())
    start, end = _bounds(rest)
    part = _PART.search(lowered)
    if part and start is None and end is None:
        start, end = _PARTS[part.group(1)]
    return When(tuple(dict.fromkeys(days)), _at(rest) if start is None else None, start, end)


def _take_days(text: str, today: date) -> tuple[list[date], str]:
    """The days, and the text without the words for them, so that no "30" is taken for a time."""
    found: list[tuple[int, list[date]]] = []
    for pattern in _DAYS:
        for match in pattern.finditer(text):
            found.append((match.start(), list(_meant(match, today))))
        text = pattern.sub(lambda match: " " * len(match.group()), text)
    return [day for _, days in sorted(found) for day in days], text


def _meant(match: re.Match[str], today: date) -> Iterator[date]:
    named = match.groupdict()
    if named.get("y"):
        yield _date(int(named["y"]), int(named["m"]), int(named["d"]))
    elif named.get("month"):
        yield _dated(named, today)
    elif named.get("word"):
        ahead = {"day after tomorrow": 2, "tomorrow": 1}.get(named["word"], 0)
        yield today + timedelta(ahead)
    elif named.get("ahead"):
        yield today + timedelta(int(named["ahead"]))
    elif named.get("week"):
        yield from _week(today, following=named["week"] != "this")
    else:
        yield _weekday(named, today)


def _dated(named: dict[str, str | None], today: date) -> date:
    """A day of a month; without a year the next one that there is."""
    name, day = str(named["month"]), int(str(named["day"]))
    month = next(number for number, one in enumerate(MONTHS, 1) if one.startswith(name[:3]))
    if named["year"]:
        return _date(int(named["year"]), month, day)
    for year in range(today.year, today.year + 9):  # 29 February may be eight years away
        if day <= monthrange(year, month)[1] and (found := date(year, month, day)) >= today:
            return found
    return _date(today.year, month, day)


def _date(year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except (ValueError, OverflowError):
        name = MONTHS[month - 1].capitalize() if 1 <= month <= 12 else f"month {month}"
        raise NoSuchTime(f"There is no {day} {name} {year}.") from None


def _week(today: date, *, following: bool) -> Iterator[date]:
    """What is left of this week, or all of the next, Monday to Sunday."""
    monday = today - timedelta(today.weekday())
    first, last = (monday + timedelta(7), 7) if following else (today, 7 - today.weekday())
    yield from (first + timedelta(ahead) for ahead in range(last))


def _weekday(named: dict[str, str | None], today: date) -> date:
    """The coming one, today included; "next" leaves today out."""
    name = str(named["weekday"])
    wanted = next(number for number, one in enumerate(WEEKDAYS) if one.startswith(name[:3]))
    ahead = (wanted - today.weekday()) % 7
    return today + timedelta(7 if named.get("next") and ahead == 0 else ahead)


def _bounds(text: str) -> tuple[time | None, time | None]:
    start, end = _FROM.search(text), _UNTIL.search(text)
    if end and end.group().startswith(("and", "to")) and not start:
        end = None  # "Monday and 10" bounds nothing
    return (_time(start) if start else None), (_time(end) if end else None)


def _at(text: str) -> time | None:
    match = _AT.search(text) or _BARE.search(text)
    return _time(match) if match else None


def _time(match: re.Match[str]) -> time:
    named = match.groupdict()
    if named.get("named"):
        return time(12)
    hour, minute = _hour(named), int(named.get("minute") or 0)
    shift = {"half past": 30, "quarter past": 15, "quarter to": -15}.get(named.get("half") or "", 0)
    minutes = hour * 60 + minute + shift
    if minute > 59 or not 0 <= minutes < 24 * 60:
        raise NoSuchTime(f"'{match.group().strip()}' is no time of day.")
    return time(minutes // 60, minutes % 60)


def _hour(named: dict[str, str | None]) -> int:
    digits = named.get("hour") or named.get("hour2")
    spoken = named.get("spoken")
    hour = _HOURS.index(spoken) + 1 if spoken else int(str(digits))
    half = (named.get("half_day") or named.get("half_day2") or "").replace(".", "")
    if half:
        return hour % 12 + (12 if half == "pm" else 0) if hour <= 12 else hour
    afternoon = 1 <= hour <= 6 and not str(digits).startswith("0")
    return hour + 12 if afternoon else hour


def in_words(day: date) -> str:
    """`Monday 30 November 2026`, whatever the locale."""
    weekday, month = WEEKDAYS[day.weekday()].capitalize(), MONTHS[day.month - 1].capitalize()
    return f"{weekday} {day.day} {month} {day.year}"
