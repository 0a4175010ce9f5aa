"""What `ask` and `chat` make of their options, and the JSON of what comes back."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from skerry.edge.errors import InputError
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
from skerry.edge.request import Request
from skerry.edge.types import Route

if TYPE_CHECKING:
    from skerry.edge.escalate import Preview

_LARGEST_FILE = 1 << 20


def build_request(
    question: str,
    *,
    session: str | None = None,
    as_of: datetime | None = None,
    schema: Path | None = None,
    grammar: Path | None = None,
    yes: bool = False,
) -> Request:
    """Raises InputError or GrammarError for a schema or grammar that cannot be used."""
    return Request(
        question,
        session=session,
        as_of=as_of.replace(tzinfo=UTC).timestamp() if as_of else None,
        grammar=_grammar(schema, grammar),
        approve=approver(yes=yes),
    )


def approver(*, yes: bool) -> Callable[[Preview], bool] | None:
    """Asks on a terminal; approves everything with `--yes`; None, which is no, on a pipe."""
    if yes:
        return _approve
    return _ask_person if click.get_text_stream("stdin").isatty() else None


def _approve(preview: Preview) -> bool:
    click.secho(
        f"sending {preview.size_bytes:,} bytes to {preview.destination}", dim=True, err=True
    )
    return True


def _ask_person(preview: Preview) -> bool:
    click.secho(f"This would leave the device, to {preview.destination}:", bold=True, err=True)
    for message in preview.messages:
        click.echo(f"  {message.role}: {message.text}", err=True)
    return click.confirm(f"Send {preview.size_bytes:,} bytes?", default=False, err=True)


def _grammar(schema: Path | None, grammar: Path | None) -> str | None:
    if schema is not None:
        from skerry.edge.engines.grammar import json_schema_to_gbnf

        try:
            return json_schema_to_gbnf(json.loads(_read(schema)))
        except ValueError as error:
            raise InputError(f"'{schema}' is not JSON: {error}", hint="mend the file") from None
    return _read(grammar) if grammar is not None else None


def _read(path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            return file.read(_LARGEST_FILE)
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read '{path}': {error}", hint="check the path") from None


def reply_fields(reply: Reply) -> dict[str, Any]:
    """A reply as JSON: the contract `skerry.ask/1`."""
    from skerry.edge.receipts import to_json

    return {
        "answer": reply.text,
        "citations": [citation_fields(one) for one in reply.citations],
        "verdict": reply.verdict,
        "finish": reply.finish,
        "receipt": json.loads(to_json(reply.receipt)),
    }


def citation_fields(citation: Citation) -> dict[str, Any]:
    chunk = citation.chunk
    return {
        "mark": citation.mark,
        "title": chunk.title,
        "heading": list(chunk.heading),
        "source": chunk.source,
        "version": chunk.version,
        "document": chunk.document_id,
        "start": chunk.start,
        "end": chunk.end,
        "text": chunk.text,
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
        case SourcesFound(sources):
            return {"event": "sources", "sources": [citation_fields(one) for one in sources]}
        case TierFailed(tier, following, why):
            return {"event": "tier_failed", "tier": tier, "next": following, "why": why}
        case TextReleased(text):
            return {"event": "text", "text": text}
        case Finished(reply):
            return {"event": "finished", **reply_fields(reply)}
