"""Other words for the same: "25 December" is Christmas Day, a phone is a telephone. Pure; English.

Only fixed days that everybody calls alike, and words that stand for each other everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_DATE = re.compile(
    r"\b(?P<days>\d{1,2}(?:st|nd|rd|th)?(?:(?: ?(?:,|and|or|to|until|[-–]|&) ?){1,2}"
    r"\d{1,2}(?:st|nd|rd|th)?){0,4})(?: of)? (?P<month>December|January)\b"
    r"|\b(?P<first>December|January) (?P<day>\d{1,2})(?:st|nd|rd|th)?\b(?!:)",
    re.IGNORECASE,
)
_RANGE = re.compile(r"(\d{1,2})\D{0,3}(?:to|until|[-–])\s?(\d{1,2})")
_FIXED = (
    ("25 December", "Christmas Day", r"christmas(?: day)?(?! ?-?[a-z])|christmas day"),
    ("26 December", "Boxing Day", r"boxing day|st\.? stephen['’]?s day"),
    ("31 December", "New Year's Eve", r"new years?['’]?s? eve"),
    (
        "1 January",
        "New Year's Day",
        r"new years?['’]?s? day|(?:on|at) new year\b(?! ?['’]?s? ?eve)",
    ),
)
_NAMED = tuple(re.compile(rf"\b(?:{pattern})", re.IGNORECASE) for _, _, pattern in _FIXED)
_AND_NEXT = re.compile(r"\bchristmas (?=(?:and|or|but|this|next|in|at|on|the|please|too)\b)", re.I)
_SAME = ((re.compile(r"\bphone\b", re.IGNORECASE), "telephone"),
         (re.compile(r"\btelephone\b", re.IGNORECASE), "phone"))  # fmt: skip


def with_other_words(text: str) -> str:
    """The text, and after it the other words for what it says; itself where there are none."""
    others = list(dict.fromkeys(_others(text)))
    return f"{text} ({', '.join(others)})" if others else text


def _others(text: str) -> Iterator[str]:
    months = "december" in text.lower() or "january" in text.lower()
    found = _DATE.finditer(text) if months else ()
    dates = {day for match in found for day in _days(match)}
    spaced = _AND_NEXT.sub("christmas, ", text)
    for (date, name, _), named in zip(_FIXED, _NAMED, strict=True):
        said, dated = named.search(spaced) is not None, date.lower() in dates
        if dated and not said:
            yield name
        if said and not dated:
            yield date
    for pattern, other in _SAME:
        if pattern.search(text) and not re.search(rf"\b{other}\b", text, re.IGNORECASE):
            yield other


def _days(match: re.Match[str]) -> Iterator[str]:
    month = (match["month"] or match["first"]).lower()
    days = match["days"] or match["day"]
    for day in re.findall(r"\d+", days):
        yield f"{int(day)} {month}"
    for first, last in _RANGE.findall(days):
        yield from (f"{day} {month}" for day in range(int(first), int(last) + 1))
