"""Sources in the one wording, and who read them as they are."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from skerry.guardrails.answer import Evidence
from skerry.guardrails.passages import Passage, Quotation, passages
from skerry.guardrails.rewording import reworded_sentence
from skerry.guardrails.sentences import sentences
from skerry.guardrails.words import content_stems

_MOST_CHARACTERS = 20_000  # of a source: this bounds the time
_ABOUT_IT = 3  # one in three of a claim's words
_TOKEN = re.compile(r"\d+(?:[.,:]\d+)*|[^\W_]+")
_ARTICLES = frozenset({"a", "an", "the"})
_TAIL = re.compile(r"\b(?:if|unless|only|without|except|but|who|which|that|when|while)\b", re.I)
_BEFORE_CHUNK = re.compile(
    r"\s(?=(?:on|in|at|from|for|within|by|until|before|after|during|every|each|once|twice)\b)", re.I
)

Near = Callable[[Passage, Evidence], bool]


@dataclass(frozen=True, slots=True)
class RewordedReader:
    """Reads reworded sources for a reader of the sources as they are, `near`."""

    near_it: Near
    evidence: Sequence[Evidence]

    def quote(self) -> Quotation | None:
        return None

    def near(self, passage: Passage, source: Evidence) -> bool:
        """Whether one of the passages that are worded so answers the question."""
        return any(
            self.near_it(one, whole)
            for whole in self.evidence
            if whole.mark == source.mark
            for one in passages(whole)
            if passage.text in {one.text, reworded_sentence(one.text).strip()}
        )

    def otherwise(self, claim: str, source: Evidence) -> Quotation | None:  # noqa: ARG002
        return None


def reworded_sources(claim: str, evidence: Sequence[Evidence]) -> list[Evidence]:
    """The sources with what is on the claim's matter in the one wording, the rest as it is."""
    said = content_stems(claim)
    return [replace(one, text=_reworded(one.text, said)) for one in evidence]


def _reworded(text: str, said: frozenset[str]) -> str:
    if len(text) > _MOST_CHARACTERS:
        return text
    parts, at = [], 0
    for start, end in sentences(text):
        told = text[start:end]
        near = _ABOUT_IT * len(said & content_stems(told)) >= len(said)
        parts += [text[at:start], reworded_sentence(told) if near else told]
        at = end
    return "".join([*parts, text[at:]])


def same_words(claim: str, told: str) -> bool:
    """Whether two reworded sentences have the same words: articles and endings do not count, nor
    does the order of "on Mondays" and "from 09:00 to 17:00"."""
    return _arranged(claim) == _arranged(told)


def _arranged(text: str) -> tuple[object, ...]:
    found = _TAIL.search(text)
    head, tail = (text[: found.start()], text[found.start() :]) if found else (text, "")
    first, *chunks = _BEFORE_CHUNK.split(head.strip())
    return _bare(first), frozenset(Counter(map(_bare, chunks)).items()), _bare(tail)


def _bare(text: str) -> tuple[str, ...]:
    words = (word.lower() for word in _TOKEN.findall(text))
    return tuple(next(iter(content_stems(word)), word) for word in words if word not in _ARTICLES)
