"""What a recogniser is, and the few ways to make one. What they look for is said elsewhere."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache

from skerry.guardrails.findings import FindingKind
from skerry.guardrails.normal import Normal

Span = tuple[int, int]
Look = Callable[[str], bool]
Within = Callable[[str], Iterator[Span]]

_GAPS = re.compile(r"[\W_]+")
_NEAR_CHARACTERS = 48
LEAST_SCORE = 0.5
"""What scores less is no finding: a form that means something only among the right words."""


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


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
    """Words, in lower case, that raise a score to `score` when they stand shortly before a span.

    `somewhere` says whether one of them is in a text at all, where that can be told.
    """

    words: re.Pattern[str]
    score: float
    somewhere: Look | None = None


@dataclass(frozen=True, slots=True)
class Recogniser:
    """The source of a pattern of lower-case text, or of the text as written when it is `cased`.

    The span is that of the pattern's group `id` if it has one; with a group `rest`, from where it
    matches to the end of that group, so that matches may overlap. `within` picks the spans that
    count inside that, none where a check digit fails. `possible` is a quick look at the same
    text: False only where nothing can be found. `near` are the words that make it surer.

    Every pattern has bounded repetition or repeats what it can read in one way only, so that
    matching is linear in the length of the text.
    """

    kind: FindingKind
    label: str
    source: str
    score: float
    possible: Look
    within: Within | None = None
    cased: bool = False
    near: Near | None = None

    @property
    def pattern(self) -> re.Pattern[str]:
        """`source`, compiled when it is first needed: most texts need few of all patterns."""
        return _compiled(self.source)

    def score_at(self, views: Views, start: int) -> float:
        """How sure it is of a span that begins at `start`, by the 48 characters before it."""
        if self.near is None:
            return self.score
        before = max(0, start - _NEAR_CHARACTERS)
        return (
            self.near.score if self.near.words.search(views.lowered, before, start) else self.score
        )

    def may_find(self, views: Views) -> bool:
        """The quick look: False only where nothing can be found."""
        if not self.possible(views.cased if self.cased else views.lowered):
            return False
        if self.near is None or self.near.somewhere is None or self.score >= LEAST_SCORE:
            return True
        return self.near.somewhere(views.lowered)

    def spans(self, views: Views) -> Iterator[Span]:
        """Where it finds something in the text, which it looks through whole."""
        text = views.cased if self.cased else views.lowered
        pattern = self.pattern
        groups = pattern.groupindex
        first, last = groups.get("id", 0), groups.get("id", groups.get("rest", 0))
        for match in pattern.finditer(text):
            start, end = match.start(first), match.end(last)
            if self.within is None:
                yield start, end
            else:
                for left, right in self.within(text[start:end]):
                    yield start + left, start + right


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
    return Recogniser(FindingKind.PII, label, pattern, score, possible, within, cased, near)


def near(words: str, score: float) -> Near:
    """The words of a pattern, whole ones."""
    pattern = re.compile(rf"\b(?:{words})\b")
    return Near(pattern, score, lambda text: pattern.search(text) is not None)


def phrase(kind: FindingKind, label: str, pattern: str, score: float, possible: Look) -> Recogniser:
    """A recogniser of wordings."""
    return Recogniser(kind, label, rf"(?m:{pattern})", score, possible)


def has(*parts: str) -> Look:
    """Whether any of `parts` is in the text."""

    def look(text: str) -> bool:
        for part in parts:  # noqa: SIM110 (any() of a generator takes three times as long)
            if part in text:
                return True
        return False

    return look


FIRST = r"(?<![^\W_][\s\S])"
"""Behind one character: no letter or digit stands before it. A pattern that begins with what it
looks for, and asks afterwards, lets the search skip to it: it is ten times as fast."""


def words(*patterns: str) -> str:
    """One of `patterns`, each with its first character, a plain one, at the start of a word."""
    return f"(?:{'|'.join(one[0] + FIRST + one[1:] for one in patterns)})"


def shaped(pattern: str) -> Look:
    """Whether the text matches somewhere; for more than one recogniser, too (`shared`)."""
    return shared(lambda text: _compiled(pattern).search(text) is not None)


def all_of(*looks: Look) -> Look:
    """Whether every one of `looks` sees something."""
    return lambda text: all(look(text) for look in looks)


def shared(look: Look) -> Look:
    """The same look, which remembers the last text: for several recognisers."""
    return lru_cache(maxsize=1)(look)


def whole(check: Callable[[str], bool]) -> Within:
    """All of what matched, if `check` holds for its letters and digits."""

    def within(matched: str) -> Iterator[Span]:
        if check(_GAPS.sub("", matched)):
            yield 0, len(matched)

    return within
