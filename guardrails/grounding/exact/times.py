"""Times of day: "08:00", "8 am", "8.30 p.m.", "8 o'clock", "noon"."""

from __future__ import annotations

import re
from dataclasses import dataclass

_DAY = 24 * 60
_TIME = re.compile(
    r"(?<![\w:.,])(?P<hour>\d{1,2})"
    r"(?:(?P<sep>[:.])(?P<minute>[0-5]\d)(?![\d:]))?"
    r"(?:\s?(?P<half>[ap])\.?m\b\.?|\s?(?P<clock>o['\u2019]?clock)\b|\s?(?P<word>hrs?|hours)\b)?",
    re.IGNORECASE,
)
_NAMED = re.compile(r"\b(?:(?P<noon>noon|midday)|midnight)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Time:
    """Minutes after midnight that it may mean: two for "8 o'clock". `text[start:end]` says it."""

    minutes: frozenset[int]
    start: int
    end: int


def times(text: str) -> list[Time]:
    """The times of day in the text, in order. A bare number is none, nor is "30 hours"."""
    found = [time for match in _TIME.finditer(text) if (time := _read(match))]
    found += [
        Time(frozenset({_DAY // 2 if match["noon"] else 0}), *match.span())
        for match in _NAMED.finditer(text)
    ]
    return sorted(found, key=lambda one: one.start)


def _read(match: re.Match[str]) -> Time | None:
    hour, minute = int(match["hour"]), int(match["minute"] or 0)
    by_colon = match["sep"] == ":"
    if not (by_colon or match["half"] or match["clock"]) or hour > 24:
        return None
    at = hour * 60 + minute
    if match["half"]:
        if not 1 <= hour <= 12:
            return None
        at = (hour % 12 + 12 * (match["half"].lower() == "p")) * 60 + minute
    either = match["clock"] and hour <= 12
    minutes = {at % _DAY, (at + _DAY // 2) % _DAY} if either else {at % _DAY}
    end = match.end("word") if match["word"] and by_colon else match.end()
    return Time(frozenset(minutes), match.start(), end)
