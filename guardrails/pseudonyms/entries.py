"""What a surrogate stands for, and in which forms it may come back."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Style(StrEnum):
    """`surrogate`: another name for a name. `placeholder`: `<PERSON_1>`, which says what it is."""

    SURROGATE = "surrogate"
    PLACEHOLDER = "placeholder"


class Form(StrEnum):
    """How a surrogate is found in a reply.

    `exact`: letter for letter, in any case. `phrase`: also spaced otherwise. `word`: also
    inflected. `number`: also punctuated otherwise. `date`: also written otherwise. `age`: a number
    beside a word for years.
    """

    EXACT = "exact"
    PHRASE = "phrase"
    WORD = "word"
    NUMBER = "number"
    DATE = "date"
    AGE = "age"


@dataclass(frozen=True, slots=True)
class Entry:
    """`sent` leaves the device in place of `value`, which is of the class `label`."""

    form: Form
    label: str
    sent: str
    value: str
