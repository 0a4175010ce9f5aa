"""Fills templates with values, and keeps where each stands.

A template is a text with slots such as `{person}`; a slot gives pieces of text, some with a label.
Labels are those of the screen (`person`, `place`, `organisation`, `phone`, …), so that the same
texts train the classifier and measure the whole screen.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from skerry.guardrails.train.names import numbers
from skerry.guardrails.train.names.values import Values, words

_SLOT = re.compile(r"\{(\w+)\}")
_TITLES = ("Dr", "Dr.", "Mr", "Mr.", "Mrs", "Mrs.", "Ms", "Ms.", "Miss", "Prof.", "Professor")
_MORE_TITLES = ("Doctor", "Nurse", "Sister", "Sir", "Lady", "Rev.", "Father", "Aunt", "Uncle")
_STREETS = (
    "Street",
    "Road",
    "Lane",
    "Avenue",
    "Drive",
    "Close",
    "Crescent",
    "Way",
    "Court",
    "Hill",
)
_FIRMS = ("Ltd", "LLP", "Group", "Holdings", "& Sons", "Consulting", "Logistics", "Partners",
          "Foods", "Insurance", "Bank", "Pharmacy", "Motors", "Energy", "Systems")  # fmt: skip

Piece = tuple[str, str]
"""A text, and its label or "" for none."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """`spans` are (start, end, label) in code points of `text`, in order, without overlap."""

    text: str
    spans: tuple[tuple[int, int, str], ...]


def joined(pieces: Iterable[Piece]) -> Labelled:
    """The pieces in a row; two of one label with a single space between them are one span."""
    text = ""
    spans: list[tuple[int, int, str]] = []
    for part, label in pieces:
        start, end = len(text), len(text) + len(part)
        text += part
        if not label or not part:
            continue
        if spans and spans[-1][2] == label and text[spans[-1][1] : start] == " ":
            spans[-1] = (spans[-1][0], end, label)
        else:
            spans.append((start, end, label))
    return Labelled(text, tuple(spans))


@dataclass(slots=True)
class Filler:
    """Fills slots; `draw` decides everything."""

    values: Values
    draw: random.Random

    def fill(self, template: str) -> Labelled:
        """The template with every slot filled.

        Raises:
            KeyError: a slot that there is not.
        """
        pieces: list[Piece] = []
        for number, part in enumerate(_SLOT.split(template)):
            pieces += self.slot(part) if number % 2 else [(part, "")]
        return joined(pieces)

    def slot(self, name: str) -> list[Piece]:
        own = getattr(self, f"_{name}", None)
        if own is not None:
            made: list[Piece] = own()
            return made
        if name in _LISTS:
            return [(self.draw.choice(words()[_LISTS[name]]), "")]
        return [numbers.MAKERS[name](self.draw)]

    def _first(self) -> list[Piece]:
        return [(self.draw.choice(self.values.first), "person")]

    def _last(self) -> list[Piece]:
        return [(self._surname(), "person")]

    def _person(self) -> list[Piece]:
        first, last = self.draw.choice(self.values.first), self._surname()
        form = self.draw.random()
        if form < 0.62:
            return [(f"{first} {last}", "person")]
        if form < 0.70:
            return [(f"{first} {self._letter()}. {last}", "person")]
        return self._other_form(first, last, form)

    def _other_form(self, first: str, last: str, form: float) -> list[Piece]:
        if form < 0.78:
            return [(f"{self.draw.choice(_TITLES)} ", ""), (f"{first} {last}", "person")]
        if form < 0.84:
            return [(f"{first} {self.draw.choice(self.values.first)} {last}", "person")]
        if form < 0.91:
            return self._initials()
        if form < 0.95:
            return [(f"{last}, {first}", "person")]
        return [(first, "person")]

    def _titled(self) -> list[Piece]:
        titles = _TITLES if self.draw.random() < 0.85 else _MORE_TITLES
        name = self._surname()
        if self.draw.random() < 0.15:
            name = f"{self.draw.choice(self.values.first)} {name}"
        return [(f"{self.draw.choice(titles)} ", ""), (name, "person")]

    def _initials(self) -> list[Piece]:
        stop = self.draw.choice((".", ".", ""))
        letters = " ".join(f"{self._letter()}{stop}" for _ in range(self.draw.choice((1, 1, 2))))
        return [(f"{letters} {self._surname()}", "person")]

    def _surname(self) -> str:
        last = self.draw.choice(self.values.last)
        if self.draw.random() < 0.04:
            return f"{last.split()[0]}-{self.draw.choice(self.values.last).split()[0]}"
        return last

    def _letter(self) -> str:
        return self.draw.choice("ABCDEFGHIJKLMNOPRSTW")

    def _place(self) -> list[Piece]:
        return [(self.draw.choice(self.values.cities), "place")]

    def _street(self) -> list[Piece]:
        return [(self._street_text(), "place")]

    def _street_text(self) -> str:
        if self.draw.random() < 0.4:
            return self.draw.choice(self.values.streets)
        named = self.draw.choice((self.values.last, self.values.cities, self.values.first))
        return f"{self.draw.choice(named)} {self.draw.choice(_STREETS)}"

    def _flat(self) -> list[Piece]:
        word = self.draw.choice(("Flat", "Suite", "Apt.", "Apartment", "Unit"))
        return [(f"{word} {self.draw.randint(1, 400)}", "place")]

    def _address(self) -> list[Piece]:
        gap = self.draw.choice((", ", ", ", "\n"))
        made: list[Piece] = [(f"{self.draw.randint(1, 999)} {self._street_text()}", "place")]
        if self.draw.random() < 0.2:
            made = [*self._flat(), (gap, ""), *made]
        made += [(gap, ""), *self._place()]
        if self.draw.random() < 0.6:
            made += [(self.draw.choice((gap, " ")), ""), *self._postcode()]
        return made

    def _postcode(self) -> list[Piece]:
        """A postcode; the state before a zip code identifies nobody."""
        text, label = numbers.MAKERS["postcode"](self.draw)
        state, _, code = text.rpartition(" ")
        return [(f"{state} ", ""), (code, label)] if code.isdigit() else [(text, label)]

    def _org(self) -> list[Piece]:
        form = self.draw.random()
        if form < 0.55:
            name = self.draw.choice(self.values.companies)
        elif form < 0.75:
            name = f"{self.draw.choice(self.values.last)} {self.draw.choice(_FIRMS)}"
        elif form < 0.85:
            name = f"{self._surname()} & {self._surname()}"
        else:
            return self.draw.choice((self._hospital, self._school, self._surgery))()
        return [(name, "organisation")]

    def _hospital(self) -> list[Piece]:
        city, last = self.draw.choice(self.values.cities), self.draw.choice(self.values.last)
        first = self.draw.choice(self.values.first)
        forms = (f"St {first}'s Hospital", f"{city} General Hospital", f"{last} Memorial Hospital",
                 f"{city} Royal Infirmary", f"Royal {city} Hospital", f"{last} Clinic",
                 f"{city} University Hospital")  # fmt: skip
        return [(self.draw.choice(forms), "organisation")]

    def _school(self) -> list[Piece]:
        city, last = self.draw.choice(self.values.cities), self.draw.choice(self.values.last)
        forms = (f"{city} Primary School", f"{last} Academy", f"University of {city}",
                 f"{city} College", f"{city} University", f"{last} High School")  # fmt: skip
        return [(self.draw.choice(forms), "organisation")]

    def _surgery(self) -> list[Piece]:
        city, last = self.draw.choice(self.values.cities), self.draw.choice(self.values.last)
        forms = (f"{last} Surgery", f"{city} Health Centre", f"{last} Medical Practice",
                 f"{city} Dental Practice", f"The {last} Practice")  # fmt: skip
        return [(self.draw.choice(forms), "organisation")]


_LISTS = {
    "disease": "diseases", "drug": "drugs", "eponym": "eponyms", "product": "products",
    "body": "bodies", "country": "countries", "language": "languages", "nationality": "languages",
    "job": "jobs",
}  # fmt: skip


def recased(one: Labelled, draw: random.Random) -> Labelled:
    """As people type: mostly as it is, now and then all in lower or upper case."""
    form = draw.random()
    if form < 0.80:
        return one
    changed = one.text.lower() if form < 0.93 else one.text.upper()
    return replace(one, text=changed) if len(changed) == len(one.text) else one


def mistyped(one: Labelled, draw: random.Random) -> Labelled:
    """Two neighbouring letters of some lower-case word outside every span, the other way round."""
    inside = {at for start, end, _ in one.spans for at in range(start, end)}
    places = [
        match.start() + 1
        for match in re.finditer(r"\b[a-z]{5,}\b", one.text)
        if match.start() not in inside
    ]
    if not places:
        return one
    at, text = draw.choice(places), one.text
    return replace(one, text=text[:at] + text[at + 1] + text[at] + text[at + 2 :])


def chained(parts: Sequence[Labelled], gap: str) -> Labelled:
    """The parts one after the other."""
    text, spans = "", []
    for part in parts:
        text += gap if text else ""
        spans += [(len(text) + start, len(text) + end, label) for start, end, label in part.spans]
        text += part.text
    return Labelled(text, tuple(spans))
