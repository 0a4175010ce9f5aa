"""Names in a text: what the classifier says, weighed by the words around.

A title or "lives in" before a word makes less of a chance enough, and so does a sure name beside
it; "disease" or "test" after it makes more necessary. The levels were chosen on development texts:
for what people say, for few misses rather than few false alarms, as what is replaced in vain comes
back and what is missed has left; for documents, whose headings and tables look like names, the
other way round.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from skerry.guardrails.names.classifier import NamesClassifier, Word
from skerry.guardrails.names.encoding import LABELS


@dataclass(frozen=True, slots=True)
class Levels:
    """The least chance, in [0, 1], from which a word counts as part of a name.

    `alone` by itself, `after_context` after a title or the like, `beside` a sure one, `again` where
    it is one elsewhere in the text, `before_thing` before "disease" and the like.
    """

    alone: float
    after_context: float
    beside: float
    again: float
    before_thing: float

    @property
    def least(self) -> float:
        """What counts nowhere is less."""
        return min(self.alone, self.after_context, self.beside, self.again)


SAID = Levels(alone=0.15, after_context=0.10, beside=0.10, again=0.08, before_thing=0.85)
WRITTEN = Levels(alone=0.90, after_context=0.60, beside=0.50, again=0.50, before_thing=0.97)
SURE = 0.90
"""Where a word is part of a name this surely, less will do for its neighbours and its likes."""

_CONTEXT = re.compile(
    r"(?:\b(?:name(?:d| is|:)?|called|patient|pt|mr|mrs|ms|miss|mx|dr|prof|sir|dear|nurse|sister|"
    r"brother|wife|husband|son|daughter|mother|father|aunt|uncle|lives? (?:in|at|on)|born in|"
    r"moved (?:to|from)|signed|regards|sincerely)\b[.,:]?\s{1,2})\Z",
    re.IGNORECASE,
)
_THING = re.compile(
    r"(?:['’]s)?\s(?:(?-i:[A-Z])\w{1,20}\s)?(?:disease|syndrome|palsy|sign|test|scale|score|position|catheter|scan|monitor|"
    r"lymphoma|sarcoma|tumou?r|fracture|contracture|manoeuvre|maneuver|index|triad|reflex|stain|"
    r"thyroiditis|criteria|classification|procedure|operation|tablets?|capsules?)\b",
    re.IGNORECASE,
)
_CONTEXT_CHARACTERS = 24
_LONGEST_WORD = 40
_SHORTEST_KNOWN = 4
_WHO_SPEAKS = re.compile(r"I(?![\w.\-'’])|I['’](?:m|ve|ll|d)\b")
"""Not the initial of a name; who says "Tell Ann I called" has none in it."""
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


def names(classifier: NamesClassifier, text: str, levels: Levels = SAID) -> list[Name]:
    """The names in `text`, a plain copy (`normal.normalise`), in order, without overlap."""
    words = classifier.words(text)
    weighing = _Weighing(text, words, levels, frozenset(_known(words, text)))
    counted = [weighing.counts(at) for at in range(len(words))]
    return [_trimmed(one, text) for one in _joined(words, counted, text)]


@dataclass(frozen=True, slots=True)
class _Weighing:
    """The words of a text, and which of them are surely names (`known`)."""

    text: str
    words: Sequence[Word]
    levels: Levels
    known: frozenset[str]

    def counts(self, at: int) -> bool:
        """Whether the word number `at` is part of a name."""
        word = self.words[at]
        if word.chance < self.levels.least or word.end - word.start > _LONGEST_WORD:
            return False
        if _WHO_SPEAKS.match(self.text, word.start):
            return False
        return word.chance >= self.levels.before_thing or word.chance >= self._least(at)

    def _least(self, at: int) -> float:
        word = self.words[at]
        if _THING.match(self.text, word.end):
            return self.levels.before_thing
        if self.text[word.start : word.end] in self.known:
            return self.levels.again
        if self._is_beside_a_name(at):
            return self.levels.beside
        before = max(0, word.start - _CONTEXT_CHARACTERS)
        after_context = _CONTEXT.search(self.text, before, word.start)
        return self.levels.after_context if after_context else self.levels.alone

    def _is_beside_a_name(self, at: int) -> bool:
        """Whether the word before or after, on the same line, is surely part of a name."""
        return any(
            0 <= first < len(self.words) - 1
            and self.words[other].chance >= SURE
            and self._is_written_alike(at, other)
            and "\n" not in self.text[self.words[first].end : self.words[first + 1].start]
            for first, other in ((at - 1, at - 1), (at, at + 1))
        )

    def _is_written_alike(self, at: int, other: int) -> bool:
        """Whether the word is not a small one beside a name with a capital."""
        small = self.text[self.words[at].start].islower()
        return not (small and self.text[self.words[other].start].isupper())


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
        if run and (not counts or _is_another(word, run[-1], text)):
            yield from _named(run, text)
            run = []
        if counts and (run or text[word.start].isalnum()):
            run.append(word)
    yield from _named(run, text)


def _is_another(word: Word, before: Word, text: str) -> bool:
    """Whether another name begins: on another line, or one of another class."""
    if "\n" in text[before.end : word.start]:
        return True
    return _class(word) != _class(before) and text[word.start].isalnum()


def _class(word: Word) -> int:
    return max(range(len(LABELS)), key=lambda at: word.chances[at])


def _named(run: Sequence[Word], text: str) -> Iterator[Name]:
    """The run without marks at its end; none if it is nothing but marks."""
    kept = list(run)
    while kept and not text[kept[-1].start].isalnum():
        kept.pop()
    if not kept or (len(kept) == 1 and kept[0].end - kept[0].start == 1):
        return  # a letter alone is no name
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
