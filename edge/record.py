"""Makes the receipt of a request out of what its steps left behind. Pure."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from skerry.edge.confidence import (
    ConfidenceModel,
    Source,
    answer_confidence,
    quotation_confidence,
)
from skerry.edge.errors import EdgeError
from skerry.edge.events import TierFailed
from skerry.edge.model_tokens import CountTokens
from skerry.edge.policy import Policy, PolicyInput
from skerry.edge.receipts import (
    BundleUsed,
    ChunkUsed,
    Egress,
    ModelUsed,
    PolicyUsed,
    Question,
    Receipt,
    SplitUsed,
    TokenUsage,
    ToolUsed,
    digest,
    new_id,
)
from skerry.edge.tiers import Departure, Outcome, Work
from skerry.edge.trace import Trace
from skerry.edge.types import Tier
from skerry.guardrails.findings import Finding

if TYPE_CHECKING:
    from skerry.edge.index.types import Chunk
    from skerry.edge.tools import Result


@dataclass(frozen=True, slots=True)
class Record:
    """A request that ended: with an `outcome` of `tier`, or with an `error`.

    `policy` decided on it, and `encoder` is the id of what read it. `count_tokens` counts those of
    a quotation.
    """

    given: PolicyInput
    policy: Policy
    encoder: str
    work: Work
    trace: Trace
    failures: tuple[TierFailed, ...] = ()
    outcome: Outcome | None = None
    tier: Tier | None = None
    error: EdgeError | None = None
    count_tokens: CountTokens | None = None
    bundle: BundleUsed | None = None

    def _fell_back(self) -> Iterator[str]:
        """Why others answered than the route's tier, or answered to the end."""
        yield from (failure.why for failure in self.failures)
        splits = (departure.split for departure in self.work.ledger)
        yield from (one.broke for one in splits if one is not None and one.alone)

    def receipt(self) -> Receipt:
        """The receipt, with a new id and the time now."""
        work, outcome = self.work, self.outcome
        return Receipt(
            id=new_id(),
            created_at=time.time(),
            session=work.request.session,
            question=Question.of(work.request.question, work.query),
            input=self.given,
            route=work.route,
            policy=PolicyUsed(self.policy.version, self.policy.digest),
            answered_by=self.tier,
            fell_back="; ".join(self._fell_back()) or None,
            model=_model(outcome, work.generation.adapter),
            bundle=self.bundle,
            encoder=self.encoder,
            findings=(*self.given.findings, *(outcome.answer.findings if outcome else ())),
            chunks=tuple(_chunks(self)),
            usage=_usage(self),
            tools=tuple(map(_tool, work.toolbox.results if work.toolbox else ())),
            egress=tuple(_egress(departure, self) for departure in work.ledger),
            collections=tuple(work.collections),
            steps=tuple(self.trace.steps),
            ttft_ms=self.trace.ttft_ms,
            total_ms=self.trace.elapsed_ms(),
            answer_confidence=_confidence(self),
            verdict=outcome.answer.verdict if outcome else None,
            verdict_details=_details(outcome),
            finish=outcome.finish if outcome else None,
            output_digest=digest(outcome.answer.text) if outcome else None,
            error=self.error.what if self.error else None,
        )


_QUOTES = frozenset({Tier.RULES, Tier.DEVICE})


def _is_quoted(record: Record) -> bool:
    """Whether the answer is a source's own words, without a model."""
    outcome = record.outcome
    without = outcome is not None and outcome.model is None and bool(outcome.answer.marks)
    return without and record.tier in _QUOTES


def _confidence(record: Record) -> float | None:
    """How likely a grounded answer is right; None where nothing like it was fitted on: of another
    model, of a whole list or rows of a table, and of an answer that cites nothing, since that the
    documents do not say is no claim of theirs."""
    work, outcome = record.work, record.outcome
    if not (work.grounded and outcome and outcome.answer.marks):
        return None
    question = work.request.question
    if _is_quoted(record) and work.is_quoted_whole:
        return None
    if _is_quoted(record):
        return quotation_confidence(
            question=question, answer=outcome.answer, sources=sources_of(work)
        )
    if outcome.model is None or outcome.usage is None:
        return None
    if outcome.model.digest != ConfidenceModel.shipped().digest:
        return None
    return answer_confidence(
        outcome.usage.stats,
        question=question,
        answer=outcome.answer,
        sources=sources_of(work),
    )


def sources_of(work: Work) -> list[Source]:
    """What the model saw, with how well retrieval found it to fit."""
    return [
        Source(evidence, citation.score, citation.similarity)
        for evidence, citation in zip(work.evidence(), work.prompt.sources, strict=True)
    ]


def _model(outcome: Outcome | None, adapter: str | None) -> ModelUsed | None:
    if outcome is None or outcome.model is None:
        return None
    return ModelUsed(outcome.model.name, outcome.model.digest, adapter)


def _details(outcome: Outcome | None) -> tuple[str, ...]:
    """What stands in place of a draft, in words."""
    return (outcome.answer.instead,) if outcome and outcome.answer.instead else ()


def _usage(record: Record) -> TokenUsage | None:
    """What a model took; of a quotation without one the tokens of the question and of its text."""
    outcome, count = record.outcome, record.count_tokens
    if outcome is None:
        return None
    if usage := outcome.usage:
        return TokenUsage(usage.prompt_tokens, usage.cached_tokens, usage.completion_tokens)
    if count is None or not _is_quoted(record):
        return None
    return TokenUsage(count(record.work.request.question), 0, count(outcome.answer.text))


def _tool(result: Result) -> ToolUsed:
    said = json.dumps(dict(result.arguments), ensure_ascii=False)
    return ToolUsed(
        result.tool, result.outcome.value, result.ms, result.confirmed, digest(said), said
    )


def _chunks(record: Record) -> Iterator[ChunkUsed]:
    cited = record.outcome.answer.marks if record.outcome else ()
    for source in record.work.prompt.sources:
        chunk = source.chunk
        yield ChunkUsed(
            id=chunk.id,
            title=chunk.title,
            version=chunk.version,
            source=chunk.source,
            mark=source.mark,
            heading=tuple(chunk.heading),
            cited=source.mark in cited,
            findings=_labels(chunk, record.given.findings),
            collection=chunk.collection,
        )


def _labels(chunk: Chunk, findings: Sequence[Finding]) -> tuple[str, ...]:
    """What was found in this source, each once."""
    of_it = (one for one in findings if one.place is not None and one.place.chunk == chunk.id)
    return tuple(sorted({finding.label for finding in of_it}))


def _sent(departure: Departure, work: Work) -> tuple[str, ...]:
    """The parts that left."""
    if departure.vector is not None:
        return ("vector",)
    marks = ",".join(str(source.mark) for source in work.prompt.sources)
    history = len(work.prompt.messages) > 2
    return ("question", *([f"chunks:[{marks}]"] if marks else ()), *(["history"] * history))


def _egress(departure: Departure, record: Record) -> Egress:
    return Egress(
        destination=departure.egress.destination,
        bytes_sent=departure.egress.bytes_sent,
        bytes_received=departure.egress.bytes_received,
        what=_sent(departure, record.work),
        redactions=departure.preview.redactions,
        replaced=departure.replaced,
        consent=record.given.consent,
        approved=departure.approved,
        attempts=departure.egress.attempts,
        split=SplitUsed(**asdict(departure.split)) if departure.split else None,
        vector=departure.vector,
    )
