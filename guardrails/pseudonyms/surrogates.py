"""Makes what stands for an identifier: of the right kind and form, and by the key alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from skerry.guardrails.normal import normalise
from skerry.guardrails.pseudonyms import dates, people, shapes
from skerry.guardrails.pseudonyms.casing import cased_like
from skerry.guardrails.pseudonyms.draws import Draw
from skerry.guardrails.pseudonyms.entries import Entry, Form, Style
from skerry.guardrails.pseudonyms.registry import PLACEHOLDER, Registry

_TRIES = 400
_HOUSE = re.compile(r"\d{1,5}[A-Za-z]?(?=[\s,])")
_LEAST_WEEKS, _MOST_WEEKS = 8, 52


class Surrogates:
    """Surrogates of one conversation, by its key; the same value has always the same."""

    def __init__(self, key: bytes, registry: Registry) -> None:
        self._key = key
        self._registry = registry
        self.last_placeholder = 0

    def sent(self, value: str, label: str, style: Style) -> str:
        """What leaves in place of `value`: a placeholder where nothing better can be had."""
        if style is Style.PLACEHOLDER:
            return self._placeholder(value, label)
        if label == "person":
            return self._person(value)
        if label in ("place", "address", "organisation"):
            return self._place(value, label)
        known = self._registry.known(label, value)
        if known is not None:
            return known.sent
        return self._first_free(self._candidates(value, label), value, label)

    def _candidates(self, value: str, label: str) -> Iterator[Entry]:
        shape = normalise(value).text
        if not shape.isascii() or "\n" in shape:
            return
        if label in ("date", "date_of_birth"):
            yield from self._shifted(shape, value, label)
            return
        form, make = _maker(label)
        if make is None:
            return
        for number in range(_TRIES):
            draw = Draw(self._key, label, shapes.compact(shape), str(number))
            yield Entry(form, label, make(shape, draw), value)

    def _shifted(self, shape: str, value: str, label: str) -> Iterator[Entry]:
        """The date some whole weeks away, as many for every date: days of the week and the time
        between two dates stay."""
        draw = Draw(self._key, "date shift")
        weeks = _LEAST_WEEKS + draw.below(_MOST_WEEKS - _LEAST_WEEKS)
        days = 7 * weeks * draw.one((1, -1))
        for read in dates.read(shape)[:1]:
            day = dates.later(read.day, days, has_year=read.has_year)
            if day is not None:
                yield Entry(Form.DATE, label, read.write(day), value)

    def _person(self, value: str) -> str:
        """Word by word, so that every form of a name stays one person."""
        words = list(people.name_words(value))
        if not words:
            return self._placeholder(value, "person")
        made, cursor = "", 0
        for one in words:
            made += value[cursor : one.start] + self._name_word(one)
            cursor = one.start + len(one.text)
        made += value[cursor:]
        if any(one.is_initial for one in words):
            self._registry.add_if_new(Entry(Form.PHRASE, "person", made, value))
        return made

    def _name_word(self, one: people.NameWord) -> str:
        if one.is_initial:
            letter = Draw(self._key, "initial", one.text[0].lower()).one("BCDFGHJKLMNPRSTVW")
            return cased_like(letter, one.text[0]) + one.text[1:]
        return self._word(one.text, "person", one.kind)

    def _place(self, value: str, label: str) -> str:
        """What tells it apart is replaced, what says its kind ("Street", "Hospital") is kept."""
        start, end = people.core(value)
        kind = "organisation" if label == "organisation" else "place"
        before, house = value[:start], _HOUSE.match(value)
        if house and house.end() <= start:
            before = self._house(house.group()) + value[house.end() : start]
        made = before + self._word(value[start:end], kind, kind) + value[end:]
        if before != value[:start]:
            self._registry.add_if_new(Entry(Form.PHRASE, label, made, value))
        return made

    def _house(self, number: str) -> str:
        return shapes.same_shape(number, Draw(self._key, "house", number))

    def _word(self, value: str, label: str, kind: str) -> str:
        """The invented word for a word of a name, or for the whole name of a place."""
        known = self._registry.known(label, value)
        if known is not None:
            return known.sent
        words = people.invented(kind)
        first = Draw(self._key, kind, " ".join(value.lower().split())).below(len(words))
        ordered = (*words[first:], *words[:first])
        made = (Entry(Form.WORD, label, cased_like(word, value), value) for word in ordered)
        return self._first_free(made, value, label)

    def _first_free(self, candidates: Iterable[Entry], value: str, label: str) -> str:
        entry = next(filter(self._registry.is_free, candidates), None)
        return self._placeholder(value, label) if entry is None else self._registry.add(entry)

    def _placeholder(self, value: str, label: str) -> str:
        known = self._registry.known("<", value)
        if known is not None and PLACEHOLDER.fullmatch(known.sent):
            return known.sent
        while True:
            self.last_placeholder += 1
            name = f"<{label.upper()}_{self.last_placeholder}>"
            entry = Entry(Form.EXACT, label, name, value)
            if self._registry.is_free(entry):
                return self._registry.add(entry)


def _maker(label: str) -> tuple[Form, shapes.Make | None]:
    if label == "age":
        return Form.AGE, shapes.age
    if label in shapes.EXACT:
        return Form.EXACT, shapes.EXACT[label]
    return Form.NUMBER, shapes.NUMBERS.get(label)
