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

_LONGEST = 2_000  # a longer text is no request, whatever it says
_THING = r"(?:appointments?|slots?|bookings?)\b"
_KIND = r"(?:(?:free|new|short|long|early|late|morning|afternoon|available|open|\d+[- ]minute) )?"
_ONE = rf"(?:an?|another|one|the (?:first|next|earliest)) {_KIND}(?:appointment|slot)\b"
_STATE = r"\b(?:free|available|open|left|vacant|unbooked)\b(?! of)"
_PEOPLE = r"(?:patients?|people|persons?|names?|everyone|everybody|who)"
_WITH = r"\bwith (?:dr|doctor|nurse|mr|mrs|ms|prof)\b"
_BOOK = re.compile(
    rf"(?:book|reserve|schedule|arrange)\b(?! of)[^?!]{{0,80}}\b{_THING}|book me in\b"
    rf"|(?:make|get|take|give) (?:me |us |him |her |them )?{_ONE}"
    r"|i(?:['’]d like| would like| want| need) "
    rf"(?:to (?:book|have|make|get|reserve|arrange) )?{_ONE}"
)
_MAY = re.compile(rf"(?:may|can|could) i (?:please )?(?:have|book|get) {_ONE}")
_CANCEL = re.compile(
    r"(?:cancel|call off|delete|drop|withdraw)\b"
    r"|i(?:['’]d like| would like| want| need) to (?:cancel|call off)\b"
)
_FREE = re.compile(
    rf"(?:which|what|when|where|show|list|tell|find|give|is|are|any|free|available|how many)\b"
    rf"[^?!]{{0,60}}(?:\b{_THING}[^.?!]{{0,60}}{_STATE}|{_STATE}[^.?!]{{0,20}}\b{_THING})"
    rf"|(?:are|is) there (?:(?:any|an?|another|other|more|still) ){{0,3}}{_KIND}{_THING}"
    rf"|(?:do|does) (?:you|we|dr \w+|nurse \w+) have (?:(?:any|an?) ){{0,2}}{_KIND}{_THING}"
    rf"|when is (?:the (?:next|first|earliest)|an?) {_KIND}(?:appointment|slot)\b"
    rf"|(?:free|available|open) {_THING}"
)
_BOOKED = re.compile(
    r"(?:tell me |show me |say )?who(?:['’]s| is| are| was| were| has been) (?:\w+ )?booked\b"
    rf"|(?:tell me |show me |say )?who (?:has|have|had|holds|got)\b[^?!]{{0,30}}\b{_THING}"
    rf"|(?:which|what) {_PEOPLE} (?:has|have|had|hold|are booked|is booked|with)\b[^?!]{{0,40}}"
    rf"(?:\b{_THING}|\bbooked\b|{_WITH})"
    rf"|(?:list|show|print|export|send|read|give)\b[^?!]{{0,30}}\b{_PEOPLE}\b[^?!]{{0,40}}"
    rf"\b(?:has|have|had|with|of|booked)\b[^?!]{{0,30}}(?:\b{_THING}|\bbooked\b|{_WITH})"
    r"|(?:list|show|print|export|send)\b[^?!]{0,30}\bbookings\b"
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
    if len(question) > _LONGEST:
        return None
    text = bare(question)
    wish = _wish(text)
    if wish is None:
        return None
    when = find_when(question, now)
    if wish is Wish.BOOK and _MAY.match(text) and not (when.days or when.at):
        return None  # "Can I book an appointment online?"
    host = _HOST.search(question)
    said = " ".join(host.group(1).split()) if host else ""
    return Reading(wish, when, said, _name(question), _code(question))


def _wish(text: str) -> Wish | None:
    if _CANCEL.match(text):
        return Wish.CANCEL if re.search(_THING, text) and not is_negated(text) else None
    if _BOOKED.match(text):
        return Wish.BOOKED
    if _BOOK.match(text) or _MAY.match(text):
        return None if is_negated(text) else Wish.BOOK
    return Wish.FREE if _FREE.match(text) else None


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
