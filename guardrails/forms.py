"""Which values of an answer in a form, JSON or what a grammar allows, are in no source.

A form says nothing in sentences, so that no sentence of it can be judged. Its values can: a number
must stand in a passage, or in what was asked, and so must every word of a text, in the same one. In
a table row a value must be in the column that its field is named after, if one is. Other than that,
whether two values belong together is not checked. `judged` makes the answer.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from skerry.guardrails.answer import _SEAL, Answer, Evidence, Verdict
from skerry.guardrails.findings import Finding, FindingKind, Where
from skerry.guardrails.passages import Passage, passages
from skerry.guardrails.words import content_stems, numbers

NOT_IN_SOURCE = "value_not_in_source"
CUT_OFF = "The answer was cut off before its values could be checked: allow it more tokens."

Value = str | float

_WORD = re.compile(r"[^\W_]+")
_MOST_SHOWN = 5
_SHORT_WORDS = frozenset("aist")
_MARK = re.compile(r"\s*\[\d{1,3}\]")
_LITERAL = re.compile(r'\[(?:\\.|[^\]\\])*\]|"((?:\\.|[^"\\])*)"(\s*":")?|#.*')
_ESCAPED = re.compile(r"\\(.)")
_ANY_WHOLE_NUMBER = '"0" | [1-9]'  # of every number: no value that the form gives


@dataclass(frozen=True, slots=True)
class Invented:
    """A value that is in no source; `path` is its place, such as `$.boats[0].price`."""

    path: str
    value: Value


@dataclass(frozen=True)
class Grounds:
    """What the values of a form may be taken from.

    Args:
        sources: the sources of the answer.
        asked: what the person wrote: the question, and those before it.
        grammar: of the form, in GBNF; a value that it spells out is the caller's own.
    """

    sources: Sequence[Evidence]
    asked: Sequence[str]
    grammar: str = ""
    _cited: dict[str, int] = field(default_factory=dict, compare=False)

    def invented(self, text: str) -> tuple[Invented, ...]:
        """The values of a form that are in no source, in their order."""
        found = list(values(text))
        texts = [(_holder(path), one) for path, one in found if isinstance(one, str)]
        return tuple(
            Invented(path, value)
            for path, value in found
            if not self._allowed(value)
            or self._is_of_another_column(
                path, value, [one for holder, one in texts if _holder(path).startswith(holder)]
            )
        )

    def marks(self, text: str) -> tuple[int, ...]:
        """The first source of each value that stands in one and not in what was asked."""
        found = (self._source_of(value) for _, value in values(text) if not self._given(value))
        return tuple(dict.fromkeys(mark for mark in found if mark is not None))

    def _allowed(self, value: Value) -> bool:
        return self._given(value) or self._source_of(value) is not None

    def _given(self, value: Value) -> bool:
        return value in self._spelled_out or any(_stands_in(value, one) for one in self.asked)

    def _source_of(self, value: Value) -> int | None:
        return next((mark for mark, text in self._passages if _stands_in(value, text)), None)

    def _is_of_another_column(self, path: str, value: Value, said: Sequence[str]) -> bool:
        """Whether only rows have a value, and each in a column that the field is not named after,
        where another one is. `said` are the texts beside and above it, which may name the row.
        """
        if self._given(value):
            return False
        holders = [one for one in self._rows if _stands_in(value, one.spoken)]
        if any(mark for mark, text in self._plain if _stands_in(value, text)):
            return False
        meant = [one for one in holders if any(_stands_in(one.cells[0], text) for text in said)]
        name = path.rpartition(".")[2]
        return bool(holders) and all(_misplaced(value, name, one) for one in meant or holders)

    @cached_property
    def _rows(self) -> tuple[Passage, ...]:
        return tuple(one for source in self.sources for one in passages(source) if one.header)

    @cached_property
    def _plain(self) -> tuple[tuple[int, str], ...]:
        return tuple(
            (source.mark, one.text)
            for source in self.sources
            for one in passages(source)
            if not one.header
        )

    @cached_property
    def _passages(self) -> tuple[tuple[int, str], ...]:
        return tuple(
            (source.mark, f"{one.context}\n{one.text}")
            for source in self.sources
            for one in passages(source)
        )

    @cached_property
    def _spelled_out(self) -> frozenset[Value]:
        return frozenset(spelled_out(self.grammar))


def values(text: str) -> Iterator[tuple[str, Value]]:
    """The texts and numbers of a form with their paths; a form that is no JSON is one text."""
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        whole = _MARK.sub("", text)
    yield from _values(whole)


def spelled_out(grammar: str) -> Iterator[Value]:
    """The values that a grammar names itself, as it does those of an `enum`; no names of fields."""
    for found in _LITERAL.finditer(grammar.replace(_ANY_WHOLE_NUMBER, "")):
        if found[1] is None or found[2]:
            continue
        literal = _ESCAPED.sub(r"\1", found[1])
        yield literal
        with_type = _loaded(literal)
        if with_type is not None:
            yield with_type


def _loaded(literal: str) -> Value | None:
    try:
        value = json.loads(literal)
    except ValueError:
        return None
    return value if isinstance(value, str | int | float) and not isinstance(value, bool) else None


def _values(whole: object) -> Iterator[tuple[str, Value]]:
    """Without recursion: a form may be nested as deeply as its writer likes."""
    waiting: list[tuple[str, object]] = [("$", whole)]
    while waiting:
        path, one = waiting.pop()
        if isinstance(one, dict):
            waiting += reversed([(_at(path, name), each) for name, each in one.items()])
        elif isinstance(one, list):
            waiting += reversed([(f"{path}[{at}]", each) for at, each in enumerate(one)])
        elif isinstance(one, str | int | float) and not isinstance(one, bool):
            yield path, one


def _at(path: str, name: str) -> str:
    return f"{path}.{name}" if name.isidentifier() else f"{path}[{json.dumps(name)}]"


def _stands_in(value: Value, text: str) -> bool:
    return _words_in(value, text) if isinstance(value, str) else _number_in(value, text)


def _words_in(value: str, text: str) -> bool:
    """Whether all words and numbers are there, in any order; words by their stems."""
    stems, told = content_stems(value), numbers(value)
    if not stems <= content_stems(text) or not told <= numbers(text):
        return False
    said = {word.casefold() for word in _WORD.findall(value)}
    if stems or told:  # else "A" or "the": what has no word of content is compared as it is
        said = {word for word in said if len(word) == 1 and word not in _SHORT_WORDS}
    return said <= {word.casefold() for word in _WORD.findall(text)}


def _holder(path: str) -> str:
    """The path of the object or list that has a value."""
    return path[: max(path.rfind("."), path.rfind("["))]


def _misplaced(value: Value, name: str, row: Passage) -> bool:
    """Whether a row has the value in a column that a field is not named after, and the field is
    named after another one that is not empty."""
    titles = row.titles[: len(row.cells)]
    named = [content_stems(re.sub(r"[_\W]+", " ", one)) for one in (*titles, name)]
    asked = named.pop()
    shares = [len(one & asked) for one in named]
    most = max(shares, default=0)
    meant = [cell for cell, share in zip(row.cells, shares, strict=False) if share == most]
    told = any(_stands_in(value, cell) for cell in meant)
    return bool(most) and any(meant) and not told


def _number_in(value: float, text: str) -> bool:
    """Whether a number is there, in digits or in words, with its sign."""
    if not math.isfinite(value):
        return False
    shown = re.escape(format(abs(value), ".15g"))
    if value < 0:
        return bool(re.search(rf"(?:[-−–]|\bminus )\s?{shown}(?![\d.,]*\d)", text))
    if numbers(format(value, ".15g")) <= numbers(text):
        return True
    from skerry.guardrails.grounding.exact.quantities import quantities

    written = (one for one in quantities(text) if text[one.start].isalpha() and one.certain)
    return any(one.value == value for one in written)


def judged(
    text: str, grounds: Grounds, *, strict: bool, whole: bool, before: Sequence[Invented] = ()
) -> Answer:
    """The answer in a form.

    Where every value must be in a source (`strict`), one with others is withheld, and so is one
    that is not `whole`. `before` are the values that made the model try again.
    """
    invented = grounds.invented(text)
    findings = tuple(_finding(one) for one in (*before, *invented))
    if strict and not whole:
        return Answer(CUT_OFF, (), Verdict.WITHHELD, findings, seal=_SEAL)
    if strict and invented:
        return Answer(withheld(invented), (), Verdict.WITHHELD, findings, seal=_SEAL)
    verdict = Verdict.REPAIRED if before else Verdict.RELEASED
    return Answer(text, grounds.marks(text), verdict, findings, seal=_SEAL)


def withheld(invented: Sequence[Invented]) -> str:
    """What is said in place of a form that has values of no source."""
    paths = ", ".join(one.path for one in invented[:_MOST_SHOWN])
    more = " and others" if len(invented) > _MOST_SHOWN else ""
    return (
        f"The documents do not say what this form would: no source has its {paths}{more}. "
        "Ask without a form, or bring the text to read it from."
    )


def _finding(one: Invented) -> Finding:
    return Finding(
        FindingKind.GROUNDING, NOT_IN_SOURCE, 0, len(str(one.value)), 1.0, Where.OUTPUT, one.path
    )
