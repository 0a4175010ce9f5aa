"""Whether a passage holds for the month that a question names. Pure; English."""

from __future__ import annotations

import re

_MONTHS = (
    "January February March April May June July August September October November December".split()
)
_MONTH = "|".join(_MONTHS)
_NAMED = re.compile(rf"\b(?:in|of|during|on \d{{1,2}}|\d{{1,2}}) ({_MONTH})\b")
_RANGE = re.compile(rf"(?<!\d )\b({_MONTH})\s?(?:to|until|till|through|[-–—])\s?({_MONTH})\b")


def is_of_another_month(question: str, text: str) -> bool:
    """Whether a text is of months from one to another, and those that a question names are in none.

    "November to March" is not of July, and is of January.
    """
    asked = {_MONTHS.index(name) for name in _NAMED.findall(question)}
    ranges = [tuple(map(_MONTHS.index, ends)) for ends in _RANGE.findall(text)]
    if not asked or not ranges:
        return False
    return not any(_within(month, *ends) for month in asked for ends in ranges)


def _within(month: int, first: int, last: int) -> bool:
    return first <= month <= last if first <= last else month >= first or month <= last
