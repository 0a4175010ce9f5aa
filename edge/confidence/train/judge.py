"""Whether an answer is right, by rule. Pure; `docs/confidence.md` tells how often it errs."""

from __future__ import annotations

import re
from collections.abc import Iterable

from skerry.edge.confidence.train.questions import Gold
from skerry.guardrails.answer import Answer

_ARTICLES = frozenset({"a", "an", "the"})
_WORDS = re.compile(r"[^\W_]+(?:[.,:'’-][^\W_]+)*")
_MARKS = re.compile(r"\[\d{1,3}(?:\s?,\s?\d{1,3})*\]")


def words(text: str) -> list[str]:
    """Lower-case words and numbers without articles; `1,000` is `1000`, `x-y` is two words."""
    found = _WORDS.findall(_MARKS.sub(" ", text).lower())
    plain = (re.sub(r"(?<=\d),(?=\d{3})", "", word) for word in found)
    parts = (part for word in plain for part in re.split(r"[-'’]", word))
    return [part for part in parts if part not in _ARTICLES]


def holds(text: str, wanted: str) -> bool:
    """Whether the words of `wanted` stand in `text` in that order, side by side."""
    return f" {' '.join(words(wanted))} " in f" {' '.join(words(text))} "


def is_answered(gold: Gold, sources: Iterable[str]) -> bool:
    """Whether one of `sources`, texts about what the question is about, holds the answer."""
    return any(holds(source, one) for source in sources for one in gold.accepts)


def is_correct(answer: Answer, gold: Gold, *, answerable: bool) -> bool:
    """Right: what the sources hold; where they do not hold it, an answer that says so.

    The gate lets a sentence without a source pass only where it says that there is none.
    """
    if not answerable:
        return not answer.marks
    accepted = any(holds(answer.text, one) for one in gold.accepts)
    return accepted and not any(holds(answer.text, one) for one in gold.rejects)
