"""Asks the questions of a collection as the runtime would: retrieve, assemble, draft, gate."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from skerry.edge import followup
from skerry.edge.confidence.model import NO_DRAFT
from skerry.edge.confidence.train.drafts import CONTEXT_TOKENS, RememberedDrafts
from skerry.edge.confidence.train.judge import is_answered, is_correct
from skerry.edge.confidence.train.questions import Collection, Question
from skerry.edge.encoder import TextEncoder
from skerry.edge.engines.base import Generation, TokenStats
from skerry.edge.index import Index, Metadata, Query
from skerry.edge.parts import worth_reading
from skerry.edge.prompt import PromptBudget, assemble
from skerry.edge.quoting import Reading
from skerry.edge.request import Request
from skerry.edge.tiers import Outcome, Work, evidence_of
from skerry.edge.types import LatencyBudget, RequestClass, Route, Tier
from skerry.guardrails.grounding import GroundingChecker
from skerry.guardrails.judging import Judge

MAX_TOKENS = 64
SOURCES = 4
_DAY = datetime(2026, 11, 23, tzinfo=UTC).timestamp()  # prompts name it: drafts outlive the day
_BUDGET = PromptBudget.of(CONTEXT_TOKENS, MAX_TOKENS)
_ROUTE = Route(Tier.DEVICE, RequestClass.QUESTION, 1.0, (), LatencyBudget(600_000, 600_000))


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with what retrieval found for it, ready to be answered."""

    source: str
    question: Question
    work: Work

    @property
    def answerable(self) -> bool:
        """Whether what the model sees holds the answer."""
        seen = [one.chunk for one in self.work.prompt.sources]
        about = [one.text for one in seen if one.title == self.question.about]
        return is_answered(self.question.gold, about)


@dataclass(frozen=True, slots=True)
class Example:
    """An answered question with its label. `stats` are of what was drafted."""

    asked: Asked
    outcome: Outcome
    stats: TokenStats
    correct: bool


def ask(collection: Collection, encoder: TextEncoder) -> list[Asked]:
    """Retrieves for every question of `collection` in an index of its pages."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "index.db"
        with Index.open(path, encoder) as index:
            _fill(index, collection, Path(folder))
            return [_ask(collection.name, one, index, encoder) for one in collection.questions]


def _fill(index: Index, collection: Collection, folder: Path) -> None:
    for page in collection.pages:
        file = folder / f"{page.name}.txt"
        file.write_text(page.text, encoding="utf-8")
        index.add([file], metadata=Metadata(title=page.title, valid_from=_DAY))


def _ask(source: str, question: Question, index: Index, encoder: TextEncoder) -> Asked:
    vector = encoder.encode([question.text])[0]
    hits = index.search(Query(question.text, limit=SOURCES, as_of=_DAY + 1), vector)
    prompt = assemble(
        question.text,
        worth_reading(hits),
        (),
        budget=_BUDGET,
        count_tokens=encoder.count_tokens,
        longest_chunk=encoder.max_tokens,
    )
    generation = Generation(messages=prompt.messages, max_tokens=MAX_TOKENS)

    reader = Reading(followup.Asked(question.text), vector, evidence_of(prompt), encoder)
    work = Work(
        Request(question.text),
        _ROUTE,
        prompt,
        generation,
        grounded=True,
        judge=Judge(question.text, evidence_of(prompt), reader=reader, checker=_checker),
    )
    return Asked(source, question, work)


@lru_cache(maxsize=1)
def _checker() -> GroundingChecker:
    return GroundingChecker.load()


def quote(asked: Sequence[Asked]) -> Iterator[Example]:
    """Answers what has sources with a quotation, where one is near."""
    for one in asked:
        if not one.work.prompt.sources:
            continue
        _, told = one.work.grounded_gate().quote()
        if told.marks:
            correct = is_correct(told, one.question.gold, answerable=one.answerable)
            yield Example(one, Outcome(told), NO_DRAFT, correct)


def answer(asked: Sequence[Asked], drafts: RememberedDrafts) -> Iterator[Example]:
    """Answers what has sources and a draft, through the device tier and its gate."""
    for one in asked:
        if not one.work.prompt.sources or not drafts.has(one.work.generation):
            continue
        outcome = drafts.outcome(one.work)
        if outcome.usage is None or outcome.usage.stats is None:
            raise ValueError("a draft has no token statistics")
        correct = is_correct(outcome.answer, one.question.gold, answerable=one.answerable)
        yield Example(one, outcome, outcome.usage.stats, correct)
