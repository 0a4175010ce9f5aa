"""Times, bounds and prices in one wording: "from 09:00 to 17:00", "at least 18", "free"."""

from __future__ import annotations

import re

_COUNT = r"(?:\d[\d.,]*\d|\d|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty)"
_UNIT = r"(?:\s?(?!or\b|and\b)[^\W\d_]{1,12}|\s?[%°]C?)"
_HOUR = re.compile(
    r"\b(?P<hour>\d{1,2})(?:[:.](?P<minute>\d\d))?\s?(?P<half>[ap])(?:m\b|\.m\.(?=\s\w)|\.m\b)",
    re.IGNORECASE,
)
_SHORT_HOUR = re.compile(r"(?<![\d:.])(\d:\d\d)(?![\d:])")
_TIME = r"\d\d:\d\d"


def _rule(pattern: str, instead: str) -> tuple[re.Pattern[str], str]:
    return re.compile(pattern, re.IGNORECASE), instead


_RULES = (
    _rule(rf"\b(?:between|from) ({_TIME}) (?:and|to|until|till) ({_TIME})", r"from \1 to \2"),
    _rule(rf"(?<!from )\b({_TIME}) ?[-–] ?({_TIME})", r"from \1 to \2"),
    _rule(
        rf"\b({_COUNT}{_UNIT}?)(?: old| of age)?(?: or| and) "
        r"(?:over|more|above|older|longer|upwards|later)\b(?!\s[-\d£$€])",
        r"at least \1",
    ),
    _rule(
        rf"\b({_COUNT}{_UNIT}?)(?: old| of age)?(?: or| and) "
        r"(?:under|less|fewer|below|younger|shorter)\b(?!\s[-\d£$€])",
        r"at most \1",
    ),
    _rule(r"\b(?:no|not) later than(?= \d+ \w+ (?:in advance|before)\b)", "at least"),
    _rule(
        r"\b(?:no|not) later than(?= (?:an?|\d+|one|two|three|four) (?:minute|hour|day|week|month|"
        r"year)s?\b)",
        "within",
    ),
    _rule(r"\b(?:no|not) later than\b", "by"),
    _rule(r"\b(?:at |on |by )?(\S+(?: (?!at\b)\S+)??) at the latest\b", r"by \1"),
    _rule(
        rf"(?<!\d [a-z] )(?<!\d [a-z]{{2}} )(?<!\d )"
        r"\b(?:(?:no|not) (?:more|longer|older|higher|greater) than|up to|a maximum of)"
        rf"(?= {_COUNT}\b)",
        "at most",
    ),
    _rule(
        rf"\b(?:(?:no|not) (?:less|fewer|younger|lower|shorter) than|a minimum of)(?= {_COUNT}\b)",
        "at least",
    ),
    _rule(
        r"\b(?:free of charge|without (?:any )?(?:charge|payment)|for free|"
        r"at no (?:cost|charge))(?! of\b)",
        "free",
    ),
    _rule(r"\bcosts? nothing\b", "is free"),
    _rule(r"\b(?:is|are) charged at\b", "cost"),
    _rule(r"\b(?:is|are) due\b(?= (?:by|on|within|before)\b)", "must be paid"),
    _rule(
        r"\b(?:may|must|can)(?: not|n['’]t)(?P<deed> [^,;]{1,60}?) more than "
        r"(?P<times>once|twice|\w+ times)\b",
        r"may\g<deed> \g<times>",
    ),
)  # fmt: skip


def plain_values(text: str) -> str:
    """The sentence with its times, bounds and prices in one wording."""
    text = _HOUR.sub(_of_the_day, text)
    text = _SHORT_HOUR.sub(r"0\1", text)
    for pattern, instead in _RULES:
        text = pattern.sub(instead, text)
    return text


def _of_the_day(found: re.Match[str]) -> str:
    hour = int(found["hour"])
    if not 1 <= hour <= 12:
        return found.group()
    hour = hour % 12 + (12 if found["half"].lower() == "p" else 0)
    return f"{hour:02}:{found['minute'] or '00'}"
