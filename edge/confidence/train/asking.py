"""Asks the questions of a collection as the runtime would: retrieve, assemble, draft, gate."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from skerry.edge import tiers
from skerry.edge.confidence.train.drafts import RememberedDrafts
from skerry.edge.confidence.train.judge import is_answered, is_correct
from skerry.edge.confidence.train.questions import Collection, Question
from skerry.edge.encoder import TextEncoder
from skerry.edge.engines.base import Engine, Generation, TokenStats
from skerry.edge.events import TextReleased
from skerry.edge.index import Hit, Index, IndexSettings, Metadata, Query
from skerry.edge.prompt import PromptBudget, assemble
from skerry.edge.quoting import best_passage
from skerry.edge.request import Request
from skerry.edge.tiers import Outcome, Work
from skerry.edge.types import LatencyBudget, RequestClass, Route, Tier
from skerry.guardrails.answer import Evidence

MAX_TOKENS = 48
SOURCES = 3
# Smaller chunks than the index's own: reading the prompt is most of what a draft costs.
_CHUNKS = IndexSettings(target_tokens=80, max_tokens=110)
_DAY = datetime(2026, 11, 23, tzinfo=UTC).timestamp()  # prompts name it: drafts outlive the day
_BUDGET = PromptBudget(total=1024, sources=340, history=0)
_ROUTE = Route(Tier.DEVICE, RequestClass.QUESTION, 1.0, (), LatencyBudget(60_000, 60_000))


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with what retrieval found for it, ready to be answered."""

    source: str
    question: Question
    hits: tuple[Hit, ...]
    work: Work

    @property
    def answerable(self) -> bool:
        """Whether what the model sees holds the answer."""
        seen = [one.chunk for one in self.work.prompt.sources]
        about = [one.text for one in seen if one.title == self.question.about]
        return is_answered(self.question.gold, about)


@dataclass(frozen=True, slots=True)
class Example:
    """An answered question with its label.

    `stats` are of the whole draft, also of what the gate did not wait for.
    """

    asked: Asked
    outcome: Outcome
    stats: TokenStats
    correct: bool


def ask(collection: Collection, encoder: TextEncoder) -> list[Asked]:
    """Retrieves for every question of `collection` in an index of its pages."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "index.db"
        with Index.open(path, encoder, settings=_CHUNKS) as index:
            _fill(index, collection, Path(folder))
            return [_ask(collection.name, one, index, encoder) for one in collection.questions]


def _fill(index: Index, collection: Collection, folder: Path) -> None:
    for page in collection.pages:
        file = folder / f"{page.name}.txt"
        file.write_text(page.text, encoding="utf-8")
        index.add([file], metadata=Metadata(title=page.title, valid_from=_DAY))


def _ask(source: str, question: Question, index: Index, encoder: TextEncoder) -> Asked:
    hits = index.search(Query(question.text, limit=SOURCES, as_of=_DAY + 1))
    prompt = assemble(question.text, hits, (), budget=_BUDGET, count_tokens=encoder.count_tokens)
    generation = Generation(messages=prompt.messages, max_tokens=MAX_TOKENS)
    vector = encoder.encode([question.text])[0]

    def quote(text: str, evidence: Sequence[Evidence]) -> tuple[str, int] | None:
        return best_passage(text, vector, evidence, encoder)

    work = Work(Request(question.text), _ROUTE, prompt, generation, grounded=True, quote=quote)
    return Asked(source, question, tuple(hits), work)


def answer(asked: Sequence[Asked], drafts: RememberedDrafts) -> Iterator[Example]:
    """Answers what has sources and a draft, through the device tier and its gate."""
    for one in asked:
        generation = one.work.generation
        if not one.work.prompt.sources or not drafts.has(generation):
            continue
        outcome = _outcome(tiers.generate_here(one.work, cast(Engine, drafts)))
        correct = is_correct(outcome.answer, one.question.gold, answerable=one.answerable)
        yield Example(one, outcome, drafts.stats(generation), correct)


def _outcome(run: tiers.TierRun) -> Outcome:
    released: list[TextReleased] = []
    try:
        while True:
            released.append(next(run))
    except StopIteration as stop:
        outcome: Outcome = stop.value
        return outcome
