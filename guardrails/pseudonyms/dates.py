"""Dates as people write them: read, and written again in the same form with another day."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass

MONTHS = (
    "january february march april may june july august september october november december".split()
)
_ABBREVIATED = {name[:3]: number for number, name in enumerate(MONTHS, 1)} | {"sept": 9}
_FULL = {name: number for number, name in enumerate(MONTHS, 1)}
_PART = re.compile(r"\d+|[A-Za-z]+|[^A-Za-z\d]+")
_ENDINGS = frozenset({"st", "nd", "rd", "th"})
_FILLERS = frozenset({"of", "the", "day"})
_PIVOT = 30
NO_YEAR = 2000
"""The year that stands for none: a leap year, so that every day is in it."""

Roles = dict[int, str]
"""Which part of a text is the day "d", the month "m", its name "n", the year "y"."""


@dataclass(frozen=True, slots=True)
class Written:
    """One reading of a text as a date; without `has_year` its year is `NO_YEAR`."""

    day: dt.date
    has_year: bool
    parts: tuple[str, ...]
    roles: tuple[tuple[int, str], ...]

    def write(self, day: dt.date) -> str:
        """`day` in this very form."""
        parts, named = list(self.parts), any(role == "n" for _, role in self.roles)
        for at, role in self.roles:
            parts[at] = _written(self.parts[at], role, day, named=named)
            if role == "d" and at + 1 < len(parts) and parts[at + 1].lower() in _ENDINGS:
                parts[at + 1] = _cased_like(_ending(day.day), parts[at + 1])
        return "".join(parts)


def read(text: str) -> list[Written]:
    """The readings of `text`, likeliest first: with numbers alone, the day before the month."""
    parts = tuple(_PART.findall(text))
    if not text.isascii() or not parts:
        return []
    return [made for roles in _readings(parts) if (made := _made(parts, roles)) is not None]


def _readings(parts: tuple[str, ...]) -> Iterator[Roles]:
    words = [at for at, part in enumerate(parts) if part.isalpha()]
    digits = [at for at, part in enumerate(parts) if part.isdigit()]
    months = [at for at in words if _month(parts[at])]
    extra = [
        at for at in words if parts[at].lower() not in _ENDINGS | _FILLERS and at not in months
    ]
    if extra or len(months) > 1:
        return
    if months:
        yield from _named(parts, months[0], digits)
    elif len(digits) == 3 and not words:
        yield from _numeric(parts, digits)
    elif len(digits) == 1 and len(parts) == 1 and len(parts[0]) == 8:
        yield {0: "8"}


def _named(parts: tuple[str, ...], month: int, digits: list[int]) -> Iterator[Roles]:
    if len(digits) == 1:
        yield {digits[0]: "d", month: "n"}
    elif len(digits) == 2:
        first, last = digits
        yield {first: "d", month: "n", last: "y"}
        if len(parts[first]) == 4:
            yield {first: "y", month: "n", last: "d"}


def _numeric(parts: tuple[str, ...], digits: list[int]) -> Iterator[Roles]:
    first, second, third = digits
    if len(parts[first]) == 4:
        yield {first: "y", second: "m", third: "d"}
    else:
        yield {first: "d", second: "m", third: "y"}
        yield {first: "m", second: "d", third: "y"}


def _made(parts: tuple[str, ...], roles: Roles) -> Written | None:
    if roles == {0: "8"}:
        return _solid(parts[0])
    value = {role: parts[at] for at, role in roles.items()}
    month = _month(value["n"]) if "n" in value else int(value["m"])
    try:
        day = dt.date(_year(value["y"]) if "y" in value else NO_YEAR, month, int(value["d"]))
    except ValueError:
        return None
    return Written(day, "y" in value, parts, tuple(roles.items()))


def _solid(digits: str) -> Written | None:
    """Eight digits: the year first, else the day first."""
    for order, cuts in (("ymd", (4, 6)), ("dmy", (2, 4)), ("mdy", (2, 4))):
        parts = (digits[: cuts[0]], digits[cuts[0] : cuts[1]], digits[cuts[1] :])
        made = _made(parts, dict(enumerate(order)))
        if made is not None and 1850 <= made.day.year <= 2150:
            return made
    return None


def _year(digits: str) -> int:
    if len(digits) > 2:
        return int(digits)
    return int(digits) + (1900 if int(digits) > _PIVOT else 2000)


def _month(word: str) -> int:
    """1 to 12; 0 for no month."""
    return _FULL.get(word.lower()) or _ABBREVIATED.get(word.lower(), 0)


def _written(was: str, role: str, day: dt.date, *, named: bool) -> str:
    if role == "n":
        name = MONTHS[day.month - 1]
        full = was.lower() in _FULL and (len(was) > 3 or was.lower() == "may")
        return _cased_like(name if full else name[:3], was)
    if role == "y":
        return f"{day.year:04}"[-2:] if len(was) == 2 else f"{day.year:04}"
    number = day.day if role == "d" else day.month
    padded = was.startswith("0") or (len(was) == 2 and not named)
    return f"{number:02}" if padded else str(number)


def _cased_like(word: str, like: str) -> str:
    if like.isupper():
        return word.upper()
    return word.capitalize() if like[:1].isupper() else word


def _ending(day: int) -> str:
    if 11 <= day <= 13:
        return "th"
    return {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")


_ENDS = r"(?![A-Za-z\d])"  # of a word; the underscores of _emphasis_ are none of it


def forms(day: dt.date, *, has_year: bool) -> str:
    """A pattern of the usual ways to write `day`, a year being optional beside a month's name."""
    number, month = rf"0?{day.day}(?:st|nd|rd|th)?", f"0?{day.month}"
    name = MONTHS[day.month - 1]
    named = rf"(?:{name}|{name[:3]}{'t?' if day.month == 9 else ''}){_ENDS}"
    year = rf"(?:{day.year:04}|{day.year % 100:02})" if has_year else r"\d{4}"
    then = rf"(?:\.?,?[\s\-]{{1,2}}{year}{_ENDS})?(?!,?\s?\d{{4}})"
    ways = [
        rf"{number}(?:\sday)?(?:\sof)?[\s\-]{{1,2}}{named}{then}",
        rf"{named}\.?[\s\-]{{1,2}}{number}{then}",
    ]
    if has_year:
        ways += [
            rf"{day.year:04}(?:[\-/.\s]){month}[\-/.\s]0?{day.day}",
            rf"0?{day.day}[\-/.\s]{month}[\-/.\s]{year}",
            rf"{month}[\-/.\s]0?{day.day}[\-/.\s]{year}",
            day.strftime("%Y%m%d"),
        ]
    return "|".join(ways)


def later(day: dt.date, days: int, *, has_year: bool) -> dt.date | None:
    """`days` after `day`; without a year round and round within one. None off the calendar."""
    number = day.toordinal() + days
    if not has_year:
        start = dt.date(NO_YEAR, 1, 1).toordinal()
        number = start + (number - start) % 366
    try:
        return dt.date.fromordinal(number)
    except (ValueError, OverflowError):
        return None
