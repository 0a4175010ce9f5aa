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


@dataclass(frozen=True, slots=True)
class Name:
    """A name at [start, end) of the text, its class of `LABELS`, and a score in [0, 1]."""

    start: int
    end: int
    label: str
    score: float


def names(classifier: NamesClassifier, text: str) -> list[Name]:
    """The names in `text`, a plain copy (`normal.normalise`), in order, without overlap."""
    return [_trimmed(one, text) for one in _joined(classifier.words(text), text)]


def _joined(words: Sequence[Word], text: str) -> Iterator[Name]:
    """Neighbouring words of one class as one name."""
    run: list[Word] = []
    for word in words:
        if run and "\n" in text[run[-1].end : word.start]:
            yield from _named(run, text)
            run = []
        if not _counts(word, run, text):
            yield from _named(run, text)
            run = []
        elif run and _class(word) != _class(run[-1]) and text[word.start].isalnum():
            yield from _named(run, text)
            run = [word]
        else:
            run.append(word)
    yield from _named(run, text)


def _counts(word: Word, run: Sequence[Word], text: str) -> bool:
    if word.end - word.start > _LONGEST_WORD or (not run and not text[word.start].isalnum()):
        return False
    return word.chance >= _least(word, text)


def _least(word: Word, text: str) -> float:
    if _THING.match(text, word.end):
        return LEAST_BEFORE_THING
    before = max(0, word.start - _CONTEXT_CHARACTERS)
    return LEAST_AFTER_CONTEXT if _CONTEXT.search(text, before, word.start) else LEAST


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
    yield Name(kept[0].start, kept[-1].end, LABELS[label], min(1.0, score))


def _trimmed(one: Name, text: str) -> Name:
    """Without the 's of a genitive."""
    if text[one.start : one.end].lower().endswith(("'s", "’s")) and one.end - one.start > 3:
        return Name(one.start, one.end - 2, one.label, one.score)
    return one
