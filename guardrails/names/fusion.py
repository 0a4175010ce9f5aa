"""Names in a text: what the classifier says, weighed by the words around.

A title or "lives in" before a word makes less of a chance enough; "disease" or "test" after it
makes more necessary. `LEAST` was chosen on training templates, for few misses rather than few
false alarms: what is replaced in vain comes back, what is missed has left.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from skerry.guardrails.names.classifier import NamesClassifier, Word
from skerry.guardrails.names.encoding import LABELS

LEAST = 0.40
LEAST_AFTER_CONTEXT = 0.20
LEAST_BEFORE_THING = 0.85
LEAST_BESIDE = 0.20
LEAST_OF_KNOWN = 0.10
SURE = 0.90
"""Where a word is part of a name this surely, less will do for its neighbours and its likes."""

_CONTEXT = re.compile(
    r"(?:\b(?:name(?:d| is|:)?|called|patient|pt|mr|mrs|ms|miss|mx|dr|prof|sir|dear|nurse|sister|"
    r"brother|wife|husband|son|daughter|mother|father|aunt|uncle|lives? (?:in|at|on)|born in|"
    r"moved (?:to|from)|signed|regards|sincerely)\b[.,:]?\s{1,2})\Z",
    re.IGNORECASE,
)
_THING = re.compile(
    r"(?:['’]s)?\s(?:disease|syndrome|palsy|sign|test|scale|score|position|catheter|scan|monitor|"
    r"lymphoma|sarcoma|tumou?r|fracture|contracture|manoeuvre|maneuver|index|triad|reflex|stain|"
    r"thyroiditis|criteria|classification|procedure|operation|tablets?|capsules?)\b",
    re.IGNORECASE,
)
_CONTEXT_CHARACTERS = 24
_LONGEST_WORD = 40
_SHORTEST_KNOWN = 4
_CODE = re.compile(
    r"\d{4,6}(?:-\d{4})?|\d\d-\d{3}|\d{3} \d\d|\d{4} ?[a-z]{2}|[a-z]{1,2}\d[a-z\d]? ?\d[a-z]{2}|"
    r"[a-z]\d[a-z] ?\d[a-z]\d|[a-z]\d\d ?[a-z\d]{4}",
    re.IGNORECASE,
)
"""A postcode of some country, where a place was expected."""


@dataclass(frozen=True, slots=True)
class Name:
    """A name at [start, end) of the text, its class, and a score in [0, 1].

    `label` is one of `LABELS`, or `postcode`.
    """

    start: int
    end: int
    label: str
    score: float


def names(classifier: NamesClassifier, text: str) -> list[Name]:
    """The names in `text`, a plain copy (`normal.normalise`), in order, without overlap."""
    words = classifier.words(text)
    known = frozenset(_known(words, text))
    counted = [_counts(at, words, text, known) for at in range(len(words))]
    return [_trimmed(one, text) for one in _joined(words, counted, text)]


def _known(words: Sequence[Word], text: str) -> Iterator[str]:
    """The words that are surely names, as they are written."""
    for word in words:
        written = text[word.start : word.end]
        if word.chance >= SURE and len(written) >= _SHORTEST_KNOWN and written.isalpha():
            yield written


def _joined(words: Sequence[Word], counted: Sequence[bool], text: str) -> Iterator[Name]:
    """Neighbouring words of one class as one name."""
    run: list[Word] = []
    for word, counts in zip(words, counted, strict=True):
        if run and (
            "\n" in text[run[-1].end : word.start] or not counts or _is_another(word, run, text)
        ):
            yield from _named(run, text)
            run = []
        if counts and (run or text[word.start].isalnum()):
            run.append(word)
    yield from _named(run, text)


def _is_another(word: Word, run: Sequence[Word], text: str) -> bool:
    """Whether a name of another class begins."""
    return _class(word) != _class(run[-1]) and text[word.start].isalnum()


def _counts(at: int, words: Sequence[Word], text: str, known: frozenset[str]) -> bool:
    word = words[at]
    if word.end - word.start > _LONGEST_WORD:
        return False
    if word.chance >= LEAST_BEFORE_THING:
        return True
    return word.chance >= _least(at, words, text, known)


def _least(at: int, words: Sequence[Word], text: str, known: frozenset[str]) -> float:
    word = words[at]
    if _THING.match(text, word.end):
        return LEAST_BEFORE_THING
    if text[word.start : word.end] in known:
        return LEAST_OF_KNOWN
    if any(
        _is_beside(words[number], word, text)
        for number in (at - 1, at + 1)
        if 0 <= number < len(words)
    ):
        return LEAST_BESIDE
    before = max(0, word.start - _CONTEXT_CHARACTERS)
    return LEAST_AFTER_CONTEXT if _CONTEXT.search(text, before, word.start) else LEAST


def _is_beside(other: Word, word: Word, text: str) -> bool:
    """Whether `other`, on the same line, is surely part of a name."""
    first, last = sorted((other, word), key=lambda one: one.start)
    return other.chance >= SURE and "\n" not in text[first.end : last.start]


def _class(word: Word) -> int:
    return max(range(len(LABELS)), key=lambda at: word.chances[at])


def _named(run: Sequence[Word], text: str) -> Iterator[Name]:
    """The run without marks at its end; none if it is nothing but marks."""
    kept = list(run)
    while kept and not text[kept[-1].start].isalnum():
        kept.pop()
    if not kept:
        return
    sums = [sum(word.chances[at] for word in kept) for at in range(len(LABELS))]
    label = max(range(len(LABELS)), key=lambda at: sums[at])
    score = sum(word.chance for word in kept) / len(kept)
    start, end = kept[0].start, kept[-1].end
    yield Name(start, end, _named_as(LABELS[label], text[start:end]), min(1.0, score))


def _named_as(label: str, written: str) -> str:
    """The class, but for a place that is a code."""
    return "postcode" if label == "place" and _CODE.fullmatch(written) else label


def _trimmed(one: Name, text: str) -> Name:
    """Without the 's of a genitive."""
    if text[one.start : one.end].lower().endswith(("'s", "’s")) and one.end - one.start > 3:
        return Name(one.start, one.end - 2, one.label, one.score)
    return one
