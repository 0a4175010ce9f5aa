"""How often something is done: "daily", "every day", "once a week", "annually"."""

from __future__ import annotations

import re

_PERIODS = {
    "hourly": "hour", "daily": "day", "weekly": "week", "fortnightly": "fortnight",
    "monthly": "month", "quarterly": "quarter", "yearly": "year", "annually": "year",
    "annual": "year", "nightly": "night",
}  # fmt: skip
_OFTEN = re.compile(
    r"\b(?:(?P<word>hourly|daily|weekly|fortnightly|monthly|quarterly|yearly|annually|annual|nightly)"
    r"|(?:every|each|once a|once an|once every|times an?|twice an?|time an?) "
    r"(?P<period>hour|day|week|fortnight|month|quarter|year|night|shift|morning|evening)"
    r"|(?:first|second|third|fourth|last) (?:mon|tues|wednes|thurs|fri|satur|sun)day of "
    r"(?:the|each|every) (?P<of>month|quarter|year)"
    r"|(?:every|each) (?P<day>monday|tuesday|wednesday|thursday|friday|saturday|sunday)s?)\b",
    re.IGNORECASE,
)


def frequencies(text: str) -> list[tuple[frozenset[str], int, int]]:
    """The periods after which something recurs, each as the names that it goes by."""
    return [(_names(match), *match.span()) for match in _OFTEN.finditer(text)]


def _names(match: re.Match[str]) -> frozenset[str]:
    if match["day"]:
        return frozenset({"week", match["day"].lower()})
    period = match["period"] or match["of"] or _PERIODS[match["word"].lower()]
    return frozenset({period.lower()})
