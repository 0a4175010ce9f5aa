"""What the chat page asks beside the OpenAI API: documents, questions with all of their events,
receipts, and the state of the runtime."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi import Request as HttpRequest

from skerry.edge.index.types import Chunk, Document
from skerry.edge.receipts import to_json
from skerry.edge.runtime import Runtime
from skerry.edge.server import asking, models
from skerry.edge.server.answers import Step
from skerry.edge.server.errors import ApiError
from skerry.edge.server.service import Service, service_of
from skerry.edge.server.sse import EventStream, Json, frame
from skerry.edge.server.wire.ask import AskRequest
from skerry.edge.types import Network

router = APIRouter(prefix="/api")
Served = Annotated[Service, Depends(service_of)]
Offset = Annotated[int | None, Query(ge=0)]

EVENT_SCHEMA = "skerry.event/1"
_MOST_TEXT = 2_000_000


@router.post("/ask")
async def ask(body: AskRequest, http: HttpRequest, service: Served) -> EventStream:
    """The events of one answer (docs/json.md), as they happen."""
    cancel = threading.Event()
    answering = partial(asking.answer, service.runtime, body, cancel)
    return EventStream(_events(await service.begin(http, [answering], cancel)))


async def _events(steps: AsyncGenerator[Step, None]) -> AsyncGenerator[str, None]:
    async with aclosing(steps):
        async for step in steps:
            yield frame({"schema": EVENT_SCHEMA, **(step.extra or {})})


@router.get("/documents")
def documents(service: Served) -> Json:
    now = time.time()
    found = [document_fields(one, now) for one in _readable(service.runtime)]
    return Json({"documents": found})


@router.get("/documents/{document_id}/text")
def document_text(
    document_id: int, service: Served, start: Offset = None, end: Offset = None
) -> Json:
    """The extracted text between two offsets, in code points; all of it without them."""
    document = _document(service.runtime, document_id)
    labels = service.runtime.parts.settings.labels
    text = service.runtime.index.document_text(document_id, labels=labels)
    first = start or 0
    last = min(len(text) if end is None else end, len(text), first + _MOST_TEXT)
    return Json(
        {
            "document": document_fields(document, time.time()),
            "start": first,
            "end": last,
            "length": len(text),
            "text": text[first:last],
        }
    )


@router.get("/receipts/{key}")
def receipt(key: str, service: Served) -> Json:
    """The receipt whose id is or starts with `key`; `last` is the newest."""
    return Json(json.loads(to_json(service.runtime.parts.receipts.get(key))))


@router.get("/state")
def state(service: Served) -> Json:
    runtime = service.runtime
    settings, parts = runtime.parts.settings, runtime.parts
    return Json(
        {
            "model": settings.model,
            "models": [target.name for target in models.targets(runtime)],
            "profile": parts.profile.name,
            "offline": parts.network() is Network.OFFLINE,
            "consent": settings.consent,
            "cloud": {"configured": bool(settings.cloud_url), "model": settings.cloud_model},
            "encoder": parts.encoder.id,
            "documents": len(_readable(runtime)),
        }
    )


def document_fields(document: Document, now: float) -> dict[str, Any]:
    """A document without its text, and whether it is in force at `now` (Unix seconds)."""
    return {
        "id": document.id,
        "title": document.title,
        "source": document.source,
        "kind": document.kind,
        "version": document.version,
        "state": state_of(document, now),
        "valid_from": document.valid_from,
        "expires_at": document.expires_at,
        "superseded_at": document.superseded_at,
        "added_at": document.added_at,
        "labels": sorted(document.labels),
        "domain": document.domain,
        "chunks": document.chunks,
        "size_bytes": document.size_bytes,
    }


def state_of(document: Document | Chunk, now: float) -> str:
    """`in_force`, `pending`, `expired` or `superseded`."""
    if document.expires_at is not None and document.expires_at <= now:
        return "expired"
    if document.superseded_at is not None and document.superseded_at <= now:
        return "superseded"
    return "pending" if document.valid_from > now else "in_force"


def _readable(runtime: Runtime) -> list[Document]:
    """Every version that the user's labels let them read; none where there is no index yet."""
    if not runtime.parts.has_documents:
        return []
    labels = runtime.parts.settings.labels
    return runtime.index.documents(include_superseded=True, labels=labels)


def _document(runtime: Runtime, document_id: int) -> Document:
    for document in _readable(runtime):
        if document.id == document_id:
            return document
    raise ApiError(404, f"there is no document {document_id}.", code="not_found")
