"""Makes reviews: of a request that just ended, or of one that left a receipt. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from skerry.edge.events import Citation
from skerry.edge.receipts import Receipt
from skerry.edge.review.types import Review, Source, Status


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
    )


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
