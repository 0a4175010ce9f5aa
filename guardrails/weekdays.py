"""Days of the week: those that are named, asked about, and those of "Monday to Friday". Pure."""

from __future__ import annotations

import re
from datetime import date, timedelta
from functools import lru_cache

_DAYS = "monday tuesday wednesday thursday friday saturday sunday".split()
_ANY_DAY = rf"(?:(?i:{'|'.join(_DAYS)})|Mon|Tues?|Weds?|Thu(?:rs?)?|Fri|Sat|Sun)"
_DAY = re.compile(rf"\b({_ANY_DAY})s?\b")
TO = r"s?,? ?(?:to|until|till|through|and|-|\u2013) ?"
_DAY_RANGE = re.compile(rf"(?P<between>\b[Bb]etween )?\b({_ANY_DAY})(?P<to>{TO})({_ANY_DAY})s?\b")
_EVERY_DAY = re.compile(r"\b(?:every day|daily|seven days)\b", re.IGNORECASE)
_WORKING = re.compile(r"\b(?:weekdays?|working days?)\b", re.IGNORECASE)
_WEEKEND = re.compile(r"\bweekends?\b", re.IGNORECASE)
_SPAN = re.compile(
    r"\b(?:\d+|one|two|three|four|five|six|seven|eight|nine|ten|few|several) "
    r"(?:weekdays?|working days?)\b",
    re.IGNORECASE,
)
_AT_WORK = re.compile(r"\bworking days?\b", re.IGNORECASE)
_EXCEPT = re.compile(
    rf"\b(?:except|excepting|excluding|but not|apart from|other than)\b[^.;:|]{{0,40}}?"
    rf"\b{_ANY_DAY}s?\b"
)
_FROM_TODAY = (
    (re.compile(r"\b(?:today|tonight|right now|at the moment)\b", re.IGNORECASE), 0),
    (re.compile(r"(?<!day after )\btomorrow\b", re.IGNORECASE), 1),
    (re.compile(r"\bday after tomorrow\b", re.IGNORECASE), 2),
)


def days(text: str) -> list[tuple[str, int, int]]:
    """The days of the week that are named, in full or as "Mon", with their spans."""
    return [(_full(match[1]), *match.span()) for match in _DAY.finditer(text)]


def _full(name: str) -> str:
    return next(day for day in _DAYS if day.startswith(name.lower()[:3]))


def day_ranges(text: str) -> list[tuple[int, int, int, int]]:
    """The ranges of days, each as the places of its ends in the week (Monday 0), and its span."""
    return [
        (_DAYS.index(_full(match[2])), _DAYS.index(_full(match[4])), *match.span())
        for match in _DAY_RANGE.finditer(text)
        if is_range(match)
    ]


def is_range(match: re.Match[str]) -> bool:
    """ "Monday and Friday" is one only after "between"."""
    return bool(match["between"]) or "and" not in match["to"]


@lru_cache(maxsize=1_024)
def days_told(text: str) -> frozenset[str]:
    """The days of the week that the text speaks of: those of "Monday to Friday" too."""
    told = {name for name, _, _ in days(text)}
    for first, last, _, _ in day_ranges(text):
        told |= {_DAYS[i % 7] for i in range(first, last + 1 if last >= first else last + 8)}
    if _EVERY_DAY.search(text):
        told |= set(_DAYS)
    if _WORKING.search(text):
        told |= set(_DAYS[:5])
    if _WEEKEND.search(text):
        told |= set(_DAYS[5:])
    return frozenset(told)


def days_asked(question: str, today: date) -> frozenset[str]:
    """The days of the week that a question is about: those it names, or that of "tomorrow".

    Empty where it is about none; "within five working days" is a length of time.
    """
    text = _AT_WORK.sub("", _SPAN.sub("", question))
    text = _EVERY_DAY.sub("", text)
    if named := days_told(text):
        return named
    ahead = (after for pattern, after in _FROM_TODAY if pattern.search(text))
    return frozenset(_DAYS[(today + timedelta(days=after)).weekday()] for after in ahead)


@lru_cache(maxsize=1_024)
def days_covered(text: str) -> frozenset[str]:
    """The days of the week that a text says something of; every one where it excepts some: "but
    not on Mondays"."""
    whole = _SPAN.sub("", text)
    return frozenset(_DAYS) if _EXCEPT.search(whole) else days_told(whole)
