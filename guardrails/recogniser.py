"""What a recogniser is, and the few ways to make one. What they look for is said elsewhere."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from skerry.guardrails.findings import FindingKind
from skerry.guardrails.normal import Normal

Span = tuple[int, int]
Look = Callable[[str], bool]
Within = Callable[[str], Iterator[Span]]

_GAPS = re.compile(r"[\W_]+")
_NEAR_CHARACTERS = 48
LEAST_SCORE = 0.5
"""What scores less is no finding: a form that means something only among the right words."""


@dataclass(frozen=True, slots=True)
class Views:
    """A text in the two forms that recognisers read: of equal length, so that spans agree."""

    cased: str
    lowered: str

    @classmethod
    def of(cls, normal: Normal) -> Views:
        return cls(normal.text, normal.text.lower())


@dataclass(frozen=True, slots=True)
class Near:
    """Words, in lower case, that raise a score to `score` when they stand shortly before a span."""

    words: re.Pattern[str]
    score: float


@dataclass(frozen=True, slots=True)
class Recogniser:
    """A pattern of lower-case text, or of the text as written when it is `cased`.

    The span is that of the pattern's group `id` if it has one. `within` picks the spans that
    count inside that, none where a check digit fails. `possible` is a quick look at the same
    text: False only where nothing can match. `near` are the words that make it surer.

    Every pattern has bounded repetition or repeats what it can read in one way only, so that
    matching is linear in the length of the text.
    """

    kind: FindingKind
    label: str
    pattern: re.Pattern[str]
    score: float
    possible: Look
    within: Within | None = None
    cased: bool = False
    near: Near | None = None

    def score_at(self, views: Views, start: int) -> float:
        """How sure it is of a span that begins at `start`, by the 48 characters before it."""
        if self.near is None:
            return self.score
        before = max(0, start - _NEAR_CHARACTERS)
        return (
            self.near.score if self.near.words.search(views.lowered, before, start) else self.score
        )

    def spans(self, views: Views) -> Iterator[Span]:
        """Where it finds something in the text."""
        text = views.cased if self.cased else views.lowered
        if not self.possible(text):
            return
        group = "id" if "id" in self.pattern.groupindex else 0
        for match in self.pattern.finditer(text):
            start, end = match.span(group)
            if self.within is None:
                yield start, end
            else:
                for first, last in self.within(text[start:end]):
                    yield start + first, start + last


def pii(
    label: str,
    pattern: str,
    score: float,
    possible: Look,
    within: Within | None = None,
    *,
    cased: bool = False,
    near: Near | None = None,
) -> Recogniser:
    """A recogniser of identifiers and secrets."""
    compiled = re.compile(pattern)
    return Recogniser(FindingKind.PII, label, compiled, score, possible, within, cased, near)


def near(words: str, score: float) -> Near:
    """The words of a pattern, whole ones."""
    return Near(re.compile(rf"\b(?:{words})\b"), score)


def phrase(kind: FindingKind, label: str, pattern: str, score: float, possible: Look) -> Recogniser:
    """A recogniser of wordings."""
    return Recogniser(kind, label, re.compile(pattern, re.MULTILINE), score, possible)


def has(*parts: str) -> Look:
    """Whether any of `parts` is in the text."""
    return lambda text: any(part in text for part in parts)


FIRST = r"(?<![^\W_][\s\S])"
"""Behind one character: no letter or digit stands before it. A pattern that begins with what it
looks for, and asks afterwards, lets the search skip to it: it is ten times as fast."""


def words(*patterns: str) -> str:
    """One of `patterns`, each with its first character, a plain one, at the start of a word."""
    return f"(?:{'|'.join(one[0] + FIRST + one[1:] for one in patterns)})"


def shaped(pattern: str) -> Look:
    """Whether the text matches somewhere; the last look is remembered, for those who share it."""
    search = re.compile(pattern).search
    return lru_cache(maxsize=1)(lambda text: search(text) is not None)


def whole(check: Callable[[str], bool]) -> Within:
    """All of what matched, if `check` holds for its letters and digits."""

    def within(matched: str) -> Iterator[Span]:
        if check(_GAPS.sub("", matched)):
            yield 0, len(matched)

    return within
