"""What stands beside a name that was found and identifies somebody for that: a date of birth, a
number of a record, a postcode.

By themselves they are a date, a number and a number.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Protocol

from skerry.guardrails.identifiers import DATE, POSTCODE_AREAS
from skerry.guardrails.numbers import NOT_AFTER, NOT_BEFORE

_APART = r"[\s,;/|(\-]{1,4}"
_BIRTH = re.compile(rf"{_APART}(?!\d{{1,4}}\D\d\d?:\d\d)(?P<id>{DATE}){NOT_BEFORE}")
_NUMBER = re.compile(
    r"(?:\s?(?:[(\[/|]\s?|,\s?#)(?P<id>\d{5,10})|(?:[,;:]\s?|\t|\s-\s)(?P<long>\d{6,10}))"
    r"(?=\s?[)\]/|,;\t]|\.?\s?(?:\Z|\n)|\.\s)"
)
_NUMBER_BEFORE = re.compile(r"(?:\A|\n|\|\s?)(?P<id>\d{6,10})[\s|,;\-]{1,3}\Z")
_REGION = r"(?:[a-z]{2,14}\.?,?\s){0,2}"
_BRITISH = rf"(?:{POSTCODE_AREAS.lower()})\d[a-z\d]?\s(?!\du[gl])\d[abd-hjlnp-uw-z]{{2}}"
_CANADIAN = r"[a-z]\d[a-z]\s?\d[a-z]\d"
_IRISH = r"[acdefhknprtvwxy]\d[\dw]\s?[a-z\d]{4}"
_ENDS = r"(?=\s?(?:[,.;:)?!\n|]|\Z))"
_CODE = re.compile(
    rf"[\s,\-]{{1,3}}{_REGION}(?P<id>{_BRITISH}|{_CANADIAN}|{_IRISH}){NOT_BEFORE}|"
    rf"[\s,\-]{{1,3}}[a-z]{{2}},?\s(?P<zip>\d{{5}}(?:-\d{{4}})?){NOT_BEFORE}|"
    rf"(?:,\s|\n)(?P<alone>\d{{4,6}}){_ENDS}"
)
_BEFORE = 12
_LINE_BEFORE = 15  # a line end, ten digits and what parts them from the name
_CODE_BEFORE = re.compile(
    rf"{NOT_AFTER}(?P<id>\d{{5}}|\d{{4}}\s[a-z]{{2}}|\d{{2}}-\d{{3}}|\d{{3}}\s\d{{2}})\s\Z"
)


class Named(Protocol):
    """A name of the class `label` at [start, end)."""

    @property
    def start(self) -> int: ...

    @property
    def end(self) -> int: ...

    @property
    def label(self) -> str: ...


Beside = tuple[int, int, str]
"""Start, end, label."""


def beside(names: Iterable[Named], lowered: str) -> Iterator[Beside]:
    """What stands right beside the names of a text in lower case: "Ada Lovelace 12/03/1961"."""
    for name in names:
        if name.label == "person":
            yield from _of_a_person(name, lowered)
        else:
            yield from _of_a_place(name, lowered)


def _of_a_person(name: Named, lowered: str) -> Iterator[Beside]:
    for pattern, label in ((_BIRTH, "date_of_birth"), (_NUMBER, "mrn")):
        found = pattern.match(lowered, name.end)
        if found:
            yield (*found.span(found.lastgroup or 0), label)
    before = _NUMBER_BEFORE.search(lowered, max(0, name.start - _LINE_BEFORE), name.start)
    if before:
        yield (*before.span("id"), "mrn")


def _of_a_place(name: Named, lowered: str) -> Iterator[Beside]:
    """The postcode after a town, or before it: towns pass for organisations now and then."""
    found = _CODE.match(lowered, name.end)
    if found:
        yield (*found.span(found.lastgroup or 0), "postcode")
    before = _CODE_BEFORE.search(lowered, max(0, name.start - _BEFORE), name.start)
    if before and name.label == "place":
        yield (*before.span("id"), "postcode")
