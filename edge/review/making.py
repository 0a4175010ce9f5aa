"""Makes reviews: of a request that just ended, or of one that left a receipt. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from skerry.edge.events import Citation
from skerry.edge.receipts import Receipt
from skerry.edge.review.types import Review, Source, Status
from skerry.edge.types import RequestClass
from skerry.guardrails.findings import Finding, FindingKind, Where

_GRAVE = frozenset({"self_harm", "clinical_red_flag"})
_HIGH = 0.97
"""Score from which what the small network finds counts as much as what a pattern does."""


def waiting(
    receipt: Receipt, question: str, shown: str, sources: Sequence[Citation], within_s: float
) -> Review:
    """A request that a person must answer within so many seconds."""
    return Review(
        id=receipt.id,
        created_at=receipt.created_at,
        deadline_at=receipt.created_at + within_s,
        status=Status.WAITING,
        question=question,
        why=_why(receipt),
        shown=shown,
        sources=tuple(_source(one) for one in sources),
        session=receipt.session,
        urgency=urgency_of(receipt),
    )


def urgency_of(receipt: Receipt) -> float:
    """How urgent a request is, in [0, 3]: a rank, and beside those of its rank its score.

    Rank 2 has a sign of self-harm or a clinical red flag that a pattern found, or the small network
    with a high score; 1 any other sign of danger; 0 none, where the score is the router's
    probability of danger.
    """
    found = [_weight(one) for one in receipt.findings if _is_danger(one)]
    likely = receipt.input.classification.scores.get(RequestClass.SAFETY, 0.0)
    return max(found, default=min(likely, 0.999))


def _is_danger(finding: Finding) -> bool:
    return finding.kind is FindingKind.SAFETY and finding.where is Where.INPUT


def _weight(finding: Finding) -> float:
    network = finding.rule.startswith("network:")
    grave = finding.label in _GRAVE and (not network or finding.score >= _HIGH)
    return (2 if grave else 1) + min(finding.score, 0.999)


def review_of(receipt: Receipt, shown: str) -> Review:
    """An answer that was given, before a person judges it: `shown`, where it is still known.

    A receipt names its sources and does not repeat them.
    """
    return Review(
        id=receipt.id,
        created_at=receipt.created_at,
        deadline_at=None,
        status=Status.ANSWERED,
        question=receipt.question.text or "",
        why="",
        shown=shown,
        sources=tuple(
            Source(one.mark, one.title, one.version, one.heading, "") for one in receipt.chunks
        ),
        session=receipt.session,
    )


def _why(receipt: Receipt) -> str:
    """The first reason: policy gives those that decided first."""
    return receipt.route.reasons[0].text if receipt.route.reasons else ""


def _source(citation: Citation) -> Source:
    chunk = citation.chunk
    return Source(citation.mark, chunk.title, chunk.version, tuple(chunk.heading), chunk.text)
