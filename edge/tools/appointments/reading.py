"""Reads requests about appointments by rules: which of four things is wanted, and of what. Pure.

What is not plainly one of them is left alone: it is then a question like any other.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from skerry.edge.tools.asking import bare, is_negated
from skerry.edge.tools.when import MONTHS, WEEKDAYS, NoSuchTime, When, find_when

_THING = r"\b(?:appointments?|slots?|bookings?)\b"
_ONE = (
    r"\b(?:an?|the|this|that|one|another|next|first|earliest)\b[^.?!]{0,40}\b(?:appointment|slot)\b"
)
_BOOK = re.compile(
    rf"(?:book|reserve|schedule|arrange|make|get|take|give)\b[^?!]{{0,80}}{_THING}|book me in\b"
)
_WANTS = re.compile(
    r"i(?:['’]d| would) (?:like|love)\b|i (?:want|need)\b|(?:may|can|could) i (?:have|book|get)\b"
)
_CANCEL = re.compile(
    r"(?:cancel|call off|delete|drop|withdraw)\b|i (?:want|need|would like|['’]d like) to cancel\b"
)
_FREE = re.compile(r"\b(?:free|available|open|left|vacant|unbooked|any|next|earliest|first)\b")
_ASKS = re.compile(
    r"(?:which|what|when|where|show|list|tell|find|give|is|are|do|does|have|has|any|free|available|"
    r"how many)\b"
)
_BOOKED = re.compile(
    r"who\b[^?!]{0,60}\b(?:appointments?|slots?|booked|booking)\b"
    r"|(?:list|show|tell|give|print|read|export|send|find|which|what|whose)\b[^?!]{0,80}"
    r"\b(?:(?:patients?|people|persons?|names?|everyone|everybody)\b[^?!]{0,60}"
    r"\b(?:appointments?|slots?|booked)|bookings|booked)\b"
)
_CODE = re.compile(r"\b(?=[A-Za-z0-9]{0,5}\d)[2-9A-HJ-NP-Za-hj-np-z]{6}\b")
_CODE_SAID = re.compile(r"\b(?:code|appointment|booking|number|no\.?)\s+([A-Za-z0-9]{4,12})\b")
_HOST = re.compile(
    r"\b(?:with|by|at|see)\s+((?:dr|doctor|nurse|mr|mrs|ms|prof)\b\.?\s+[\w'’-]{1,40})",
    re.IGNORECASE,
)
_FOR = re.compile(r"\bfor\s+((?:[A-Z][\w'’-]{1,30}\.?)(?:\s+[A-Z][\w'’-]{1,30}){0,3})")
_NO_NAMES = frozenset({*WEEKDAYS, *MONTHS, "dr", "doctor", "nurse", "noon", "next"})
_LEADING = {"dr": "dr", "doctor": "dr", "dr.": "dr"}


class Wish(StrEnum):
    FREE = "free"
    BOOK = "book"
    CANCEL = "cancel"
    BOOKED = "booked"


@dataclass(frozen=True, slots=True)
class Reading:
    """What is wanted, when, with whom (as said), for whom, and of which code."""

    wish: Wish
    when: When
    host: str = ""
    name: str = ""
    code: str = ""


def read(question: str, now: datetime) -> Reading | None:
    """What is wanted of the appointment book; None for nothing that is plain.

    Raises:
        NoSuchTime: something is wanted, on a day or at a time that there is none of.
    """
    text = bare(question)
    wish = _wish(text)
    if wish is None:
        return None
    host = _HOST.search(question)
    return Reading(
        wish,
        find_when(question, now),
        " ".join(host.group(1).split()) if host else "",
        _name(question),
        _code(question),
    )


def _wish(text: str) -> Wish | None:
    about = re.search(_THING, text) is not None
    if _CANCEL.match(text):
        return Wish.CANCEL if about and not is_negated(text) else None
    if _BOOKED.match(text):
        return Wish.BOOKED
    if _BOOK.match(text) or (_WANTS.match(text) and re.search(_ONE, text)):
        return None if is_negated(text) else Wish.BOOK
    if about and _ASKS.match(text) and _FREE.search(text):
        return Wish.FREE
    return None


def _name(question: str) -> str:
    for match in _FOR.finditer(question):
        if match.group(1).split()[0].lower().rstrip(".") not in _NO_NAMES:
            return " ".join(match.group(1).split())
    return ""


def _code(question: str) -> str:
    """A code as it was said: in the form of one, or named as one."""
    found = _CODE.search(question)
    if found:
        return found.group().upper()
    said = [one for one in _CODE_SAID.findall(question) if one.lower() not in _NO_NAMES]
    return next((one.upper() for one in said if any(map(str.isdigit, one))), "")


def same_host(said: str, hosts: Sequence[str]) -> list[str]:
    """The hosts that are meant by a name as somebody said it; none where there is no such one."""
    wanted = _parts(said)
    return [host for host in hosts if wanted <= _parts(host)]


def _parts(name: str) -> frozenset[str]:
    words = re.findall(r"[\w'’-]+", name.lower())
    return frozenset(_LEADING.get(word, word) for word in words)


__all__ = ["NoSuchTime", "Reading", "Wish", "read", "same_host"]
