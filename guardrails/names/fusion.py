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

from skerry.guardrails.names import naming
from skerry.guardrails.names.classifier import NamesClassifier, Word
from skerry.guardrails.names.joining import joined
from skerry.guardrails.names.naming import Name


@dataclass(frozen=True, slots=True)
class Levels:
    """The least chance, in [0, 1], from which a word counts as part of a name.

    `alone` by itself, `after_context` after a title or the like, `beside` one that has the chance
    `neighbour`, `again` where it is surely one elsewhere in the text, `before_thing` before
    "disease" and the like, or where a drug stands; `small` in small letters in a text that has
    capitals, `acronym` in capitals among small letters.
    """

    alone: float
    after_context: float
    beside: float
    neighbour: float
    again: float
    before_thing: float
    small: float
    acronym: float

    @property
    def least(self) -> float:
        """What counts nowhere is less."""
        return min(self.alone, self.after_context, self.beside, self.again)


SAID = Levels(
    alone=0.09,
    after_context=0.06,
    beside=0.05,
    neighbour=0.6,
    again=0.08,
    before_thing=0.85,
    small=0.5,
    acronym=0.85,
)
WRITTEN = Levels(
    alone=0.90,
    after_context=0.60,
    beside=0.50,
    neighbour=0.9,
    again=0.50,
    before_thing=0.97,
    small=0.9,
    acronym=0.9,
)
SURE = 0.90
"""Where a word is part of a name this surely, less will do where it stands again."""

_CONTEXT = re.compile(
    r"(?:\b(?:name(?:d| is|:)?|called|patient|pt|mr|mrs|ms|miss|mx|dr|prof|sir|dear|nurse|sister|"
    r"brother|wife|husband|son|daughter|mother|father|aunt|uncle|lives? (?:in|at|on)|born in|"
    r"moved (?:to|from)|signed|regards|sincerely)\b[.,:]?\s{1,2})\Z",
    re.IGNORECASE,
)
_THING = re.compile(
    r"(?:['’]s)?\s(?:(?-i:[A-Z])\w{1,20}\s)?(?:disease|syndrome|palsy|sign|test|scale|score|"
    r"position|catheter|scan|monitor|"
    r"lymphoma|sarcoma|tumou?r|fracture|contracture|manoeuvre|maneuver|index|triad|reflex|stain|"
    r"thyroiditis|criteria|classification|procedure|operation|tablets?|capsules?)\b",
    re.IGNORECASE,
)
_DOSE = re.compile(
    r"\s(?:\(?\d{1,4}(?:[.,]\d{1,3})?\s?(?:mg|mcg|g|ml|units?|iu|%)\b|(?:im|iv|po|tablets?|"
    r"cream)\b)",
    re.IGNORECASE,
)
_TAKEN = re.compile(
    r"\b(?:taking|takes|prescribed|started on|dose of|mg of|ml of|effects? of|allergic to|refill "
    r"of|"
    r"medications? (?:are|is|include)|iv)\s\Z",
    re.IGNORECASE,
)
"""Where drugs stand."""
_LONGEST_ACRONYM = 6
_CONTEXT_CHARACTERS = 24
_LONGEST_WORD = 40
_SHORTEST_KNOWN = 4
_WHO_SPEAKS = re.compile(r"I(?![\w.\-'’])|I['’](?:m|ve|ll|d)\b")
"""Not the initial of a name; who says "Tell Ann I called" has none in it."""


def names(classifier: NamesClassifier, text: str, levels: Levels = SAID) -> list[Name]:
    """The names in `text`, a plain copy (`normal.normalise`), in order, without overlap."""
    words = classifier.words(text)
    weighing = _Weighing(text, words, levels, frozenset(_known(words, text)), _has_capitals(text))
    counted = [weighing.counts(at) for at in range(len(words))]
    return list(naming.named(words, joined(words, counted, text), text))


@dataclass(frozen=True, slots=True)
class _Weighing:
    """The words of a text, and which of them are surely names (`known`)."""

    text: str
    words: list[Word]
    levels: Levels
    known: frozenset[str]
    has_capitals: bool

    def counts(self, at: int) -> bool:
        """Whether the word number `at` is part of a name."""
        word = self.words[at]
        if word.chance < self.levels.least or word.end - word.start > _LONGEST_WORD:
            return False
        if _WHO_SPEAKS.match(self.text, word.start) and not self._is_an_initial(at):
            return False
        return word.chance >= self.levels.before_thing or word.chance >= self._least(at)

    def _is_an_initial(self, at: int) -> bool:
        """Whether a surname or another initial follows: "I Calvorsen", "I O Barnes"."""
        following = self.words[at + 1 : at + 2]
        return bool(following) and (
            following[0].chance >= SURE
            and self.words[at].chance >= self.levels.beside
            and self.text[following[0].start].isupper()
        )

    def _least(self, at: int) -> float:
        word = self.words[at]
        before = max(0, word.start - _CONTEXT_CHARACTERS)
        if _THING.match(self.text, word.end) or _DOSE.match(self.text, word.end):
            return self.levels.before_thing
        if _TAKEN.search(self.text, before, word.start):
            return self.levels.before_thing
        if self.text[word.start : word.end] in self.known:
            return self.levels.again
        if self._is_beside_a_name(at):
            return self.levels.beside
        if _CONTEXT.search(self.text, before, word.start):
            return self.levels.after_context
        return max(self.levels.alone, self._least_as_written(at))

    def _least_as_written(self, at: int) -> float:
        """More for small letters in a text that has capitals, and for capitals in other texts."""
        word = self.text[self.words[at].start : self.words[at].end]
        if self.has_capitals and word.isalpha() and not self._has_a_neighbour(at):
            if word.islower():
                return self.levels.small
            if word.isupper() and 1 < len(word) <= _LONGEST_ACRONYM:
                return self.levels.acronym
        return 0.0

    def _has_a_neighbour(self, at: int) -> bool:
        """Whether the word before or after may well be part of the same name."""
        around = self.words[max(0, at - 1) : at] + self.words[at + 1 : at + 2]
        return any(one.chance >= self.levels.small for one in around)

    def _is_beside_a_name(self, at: int) -> bool:
        """Whether the word before or after, on the same line, is surely part of a name."""
        return any(
            0 <= first < len(self.words) - 1
            and self.words[other].chance >= self.levels.neighbour
            and self._is_written_alike(at, other)
            and "\n" not in self.text[self.words[first].end : self.words[first + 1].start]
            for first, other in ((at - 1, at - 1), (at, at + 1))
        )

    def _is_written_alike(self, at: int, other: int) -> bool:
        """Whether the word is not a small one beside a name with a capital."""
        small = self.text[self.words[at].start].islower()
        return not (small and self.text[self.words[other].start].isupper())


def _has_capitals(text: str) -> bool:
    """Whether the text begins with a capital and has small letters, too."""
    first = next((one for one in text if one.isalpha()), "")
    return first.isupper() and not text.isupper()


def _known(words: Sequence[Word], text: str) -> Iterator[str]:
    """The words that are surely names, as they are written."""
    for word in words:
        written = text[word.start : word.end]
        if word.chance >= SURE and len(written) >= _SHORTEST_KNOWN and written.isalpha():
            yield written
