"""What is known of a grounded answer when it ends, as numbers. Pure; the weighing is `model`'s.

The statistics say how sure the model was of its words. The rest says how well question, sources
and answer fit each other: a small model is often sure of a sentence that answers something else.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from skerry.edge.engines.base import TokenStats
from skerry.guardrails.answer import Answer, Evidence
from skerry.guardrails.expected import beyond, expected
from skerry.guardrails.findings import FindingKind
from skerry.guardrails.gate import NEAREST
from skerry.guardrails.passages import passages
from skerry.guardrails.words import content_stems, numbers

_NAME = re.compile(r"\b[A-Z][\w-]*")
_COUNTED = re.compile(r"\bhow many ([a-z]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Source:
    """A source that the model saw, with retrieval's fused score and cosine, both in [0, 1]."""

    evidence: Evidence
    score: float
    similarity: float


@dataclass(frozen=True)
class Answered:
    """A grounded answer and what it came from.

    `sources` are in the order of retrieval, best first; at least one. `stats` are of the draft.
    """

    question: str
    answer: Answer
    sources: Sequence[Source]
    stats: TokenStats

    @cached_property
    def asked(self) -> frozenset[str]:
        return content_stems(self.question)

    @cached_property
    def said(self) -> str:
        """The answer without its marks, and without the runtime's own words before a quotation."""
        return re.sub(r"\[\d{1,3}\]", "", self.answer.text).removeprefix(NEAREST).strip(" “”")

    @cached_property
    def cited(self) -> Sequence[Source]:
        """The sources that the answer cites; the best one where it cites none."""
        marks = self.answer.marks
        return [one for one in self.sources if one.evidence.mark in marks] or self.sources[:1]

    @cached_property
    def cited_text(self) -> str:
        return "\n".join(whole(one.evidence) for one in self.cited)

    @cached_property
    def fits_kind(self) -> bool:
        """Whether the answer has what such a question asks for: a time, a place, a new name."""
        kind = expected(self.question)
        if kind is None:
            return bool(self.new_names or numbers(self.new_text))
        return kind.search(self.new_text) is not None

    @cached_property
    def counts_asked(self) -> bool:
        """Whether a new number stands before what the question wants counted."""
        found = _COUNTED.search(self.question)
        if found is None:
            return False
        counted = re.escape(found.group(1))
        return (
            re.search(rf"\b\d[\d,.]*(?:\s+[\w-]+){{0,3}}\s+{counted}\b", self.new_text) is not None
        )

    @cached_property
    def new_text(self) -> str:
        """The answer without its marks and without the numbers of the question."""
        return beyond(self.question, self.said)

    @cached_property
    def predicate(self) -> frozenset[str]:
        """The question's words beside the title of what the answer cites."""
        return self.asked - content_stems(self.cited[0].evidence.context)

    @cached_property
    def new_names(self) -> frozenset[str]:
        """Capitalised words after the first that the question does not have."""
        return names(self.said) - names(f". {self.question}")

    @cached_property
    def new_words(self) -> frozenset[str]:
        return content_stems(self.said) - self.asked

    @cached_property
    def told(self) -> frozenset[str]:
        """The words and numbers that the answer adds to the question."""
        return self.new_words | numbers(self.new_text)

    @cached_property
    def telling(self) -> frozenset[str]:
        """The words and numbers of the cited passage that has most of what is told.

        Of equals, the one that has most of what is asked.
        """
        found = [
            content_stems(one.spoken) | numbers(one.spoken)
            for source in self.cited
            for one in passages(source.evidence)
        ]
        return max(
            found,
            key=lambda one: (len(one & self.told), len(one & self.asked)),
            default=frozenset(),
        )

    @cached_property
    def is_quoted(self) -> bool:
        """Whether the answer is a source's own words."""
        said = _running(self.said)
        texts = [one.evidence.text for one in self.cited]
        rows = [row.spoken for one in self.cited for row in passages(one.evidence) if row.header]
        return any(said in _running(text) for text in (*texts, *rows))


def whole(evidence: Evidence) -> str:
    """A source's text under its title and headings."""
    return f"{evidence.context}\n{evidence.text}"


def names(text: str) -> frozenset[str]:
    """Capitalised words, lower-cased, that do not begin the text."""
    return frozenset(found.group().lower() for found in _NAME.finditer(text) if found.start())


def share(part: frozenset[str], of: frozenset[str]) -> float:
    """How much of `of` is in `part`; 0 where `of` is empty."""
    return len(part & of) / len(of) if of else 0.0


def taken_up(part: frozenset[str], of: frozenset[str]) -> float:
    """As `share`; 1 where `of` is empty, since then nothing is left to take up."""
    return share(part, of) if of else 1.0


def _running(text: str) -> str:
    """On one line, without the space that a mark leaves before a full stop."""
    return re.sub(r" (?=[.,;:!?])", "", " ".join(text.split()))


def best_passage(answered: Answered, sources: Sequence[Source]) -> float:
    """The largest share of the question's words in one passage and its context."""
    shares = (
        share(content_stems(f"{one.about}\n{one.spoken}"), answered.asked)
        for source in sources
        for one in passages(source.evidence)
    )
    return max(shares, default=0.0)


def _gap(answered: Answered) -> float:
    scores = sorted((one.score for one in answered.sources), reverse=True)
    return scores[0] - scores[1] if len(scores) > 1 else 0.0


def _findings(answered: Answered, kind: FindingKind) -> float:
    found = sum(one.kind is kind for one in answered.answer.findings)
    return float(min(found, 3))


_OF_STATS: Mapping[str, Callable[[TokenStats], float]] = {
    "mean_logprob": lambda stats: stats.mean_logprob,
    "min_logprob": lambda stats: stats.min_logprob,
    "mean_entropy": lambda stats: stats.mean_entropy,
    "mean_margin": lambda stats: stats.mean_margin,
}

_OF_GIVEN: Mapping[str, Callable[[Answered], float]] = {
    "top_score": lambda a: a.sources[0].score,
    "score_gap": _gap,
    "cited_similarity": lambda a: max(one.similarity for one in a.cited),
    "cites_best": lambda a: float(a.sources[0] in a.cited),
    "dropped": lambda a: _findings(a, FindingKind.GROUNDING),
    "miscited": lambda a: _findings(a, FindingKind.CITATION),
    "quoted": lambda a: float(a.is_quoted),
    "hedged": lambda a: float(a.answer.text.startswith(NEAREST)),
    "log_words": lambda a: math.log1p(len(a.said.split())),
    "title_in_asked": lambda a: share(a.asked, content_stems(a.cited[0].evidence.context)),
    "asked_in_passage": lambda a: best_passage(a, a.cited),
    "fits_kind": lambda a: float(a.fits_kind),
    "counts_asked": lambda a: float(a.counts_asked),
    "predicate_in_answer": lambda a: taken_up(content_stems(a.said), a.predicate),
    "told_in_passage": lambda a: share(a.telling, a.told),
    "asked_beside_told": lambda a: share(a.telling, a.asked),
    "predicate_beside_told": lambda a: taken_up(a.telling, a.predicate),
    "new_names_missing": lambda a: float(bool(a.new_names - names(f". {a.cited_text}"))),
}

_OF_NONE: Mapping[str, Callable[[Answered], float]] = {
    "none_given": lambda a: float(not a.answer.marks),
    "none_top_score": lambda a: a.sources[0].score,
    "none_score_gap": _gap,
    "none_similarity": lambda a: max(one.similarity for one in a.sources),
    "none_asked_in_passage": lambda a: best_passage(a, a.sources),
    "none_title_in_asked": lambda a: max(
        share(a.asked, content_stems(one.evidence.context)) for one in a.sources
    ),
}

NAMES: tuple[str, ...] = (*_OF_STATS, *_OF_GIVEN, *_OF_NONE)


def features(answered: Answered) -> NDArray[np.float64]:
    """The features of one answer, float64 [len(NAMES)].

    Those of what an answer says are 0 where it says that the documents do not, and those of that
    are 0 where it says something.
    """
    given = bool(answered.answer.marks)
    of_stats = [measure(answered.stats) for measure in _OF_STATS.values()]
    of_given = [measure(answered) if given else 0.0 for measure in _OF_GIVEN.values()]
    of_none = [0.0 if given else measure(answered) for measure in _OF_NONE.values()]
    return np.array([*of_stats, *of_given, *of_none])
