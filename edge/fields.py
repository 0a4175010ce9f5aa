"""Replies, routes and events as JSON: the contracts of docs/json.md, for all who print them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from skerry.edge.events import (
    Citation,
    Event,
    Finished,
    Reply,
    RouteDecided,
    SourcesFound,
    TextReleased,
    TierFailed,
)
from skerry.edge.types import Route

if TYPE_CHECKING:
    from skerry.edge.receipts import Receipt


def receipt_fields(receipt: Receipt) -> dict[str, Any]:
    """A receipt as JSON: the contract `skerry.receipt/1`."""
    from skerry.edge.receipts import to_json

    fields: dict[str, Any] = json.loads(to_json(receipt))
    return fields


def reply_fields(reply: Reply) -> dict[str, Any]:
    """A reply as JSON: the contract `skerry.ask/1`."""
    return {
        "answer": reply.text,
        "citations": [citation_fields(one) for one in reply.citations],
        "verdict": reply.verdict,
        "finish": reply.finish,
        "doubtful": reply.doubtful,
        "unfounded": reply.unfounded,
        "receipt": receipt_fields(reply.receipt),
    }


def citation_fields(citation: Citation) -> dict[str, Any]:
    chunk = citation.chunk
    return {
        "mark": citation.mark,
        "title": chunk.title,
        "heading": list(chunk.heading),
        "source": chunk.source,
        "version": chunk.version,
        "document": None if chunk.collection else chunk.document_id,
        "start": chunk.start,
        "end": chunk.end,
        "text": chunk.text,
        "collection": chunk.collection,
    }


def route_fields(route: Route) -> dict[str, Any]:
    """A route as JSON: the contract `skerry.route/1`."""
    return {
        "tier": route.tier,
        "class": route.request_class,
        "confidence": round(route.confidence, 4),
        "reasons": [{"rule": reason.rule, "text": reason.text} for reason in route.reasons],
        "fallback": list(route.fallback),
        "needs_approval": route.needs_approval,
        "redact": route.redact,
        "budget": {"ttft_ms": route.budget.ttft_ms, "total_ms": route.budget.total_ms},
    }


def event_fields(event: Event) -> dict[str, Any]:
    """An event as JSON: the contract `skerry.event/1`."""
    match event:
        case RouteDecided(route):
            return {"event": "route", **route_fields(route)}
        case SourcesFound(sources, read_as, no_documents):
            return {
                "event": "sources",
                "sources": [citation_fields(one) for one in sources],
                "read_as": read_as,
                "no_documents": no_documents,
            }
        case TierFailed(tier, following, why):
            return {"event": "tier_failed", "tier": tier, "next": following, "why": why}
        case TextReleased(text):
            return {"event": "text", "text": text}
        case Finished(reply):
            return {"event": "finished", **reply_fields(reply)}
