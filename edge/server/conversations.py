"""The conversations that this device keeps, for the page: their list, one with its receipts and
citations, and their end."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from skerry.edge.errors import ReceiptNotFound, StateCorrupt
from skerry.edge.events import Citation
from skerry.edge.fields import citation_fields, receipt_fields
from skerry.edge.index.types import Chunk
from skerry.edge.receipts import ChunkUsed, Receipt, digest
from skerry.edge.runtime import Runtime
from skerry.edge.server.page_api import state_of
from skerry.edge.server.service import Service, service_of
from skerry.edge.server.sse import Json
from skerry.edge.session import Opening, SessionInfo, Turn

router = APIRouter(prefix="/api/sessions")
Served = Annotated[Service, Depends(service_of)]
Limit = Annotated[int, Query(ge=1, le=200)]
Last = Annotated[int, Query(ge=0, le=2000)]


@router.get("")
def conversations(service: Served, limit: Limit = 20) -> Json:
    """Those that the pipeline answered in, last used first; `stored`: they outlive the server."""
    store = service.runtime.parts.sessions
    found = [_opening_fields(one) for one in store.openings(limit)]
    return Json({"stored": store.on_disk, "sessions": found})


@router.get("/{session_id}")
def conversation(session_id: str, service: Served, last: Last = 100) -> Json:
    """A conversation with the `last` turns, oldest first."""
    parts = service.runtime.parts
    found = parts.sessions.get(session_id, last=last)
    turns = _turns(service.runtime, found.turns)
    return Json({"stored": parts.sessions.on_disk, **_info_fields(found.info), "said": turns})


@router.delete("/{session_id}")
def forget(session_id: str, service: Served) -> Json:
    """Deletes a conversation and its text for good; receipts stay."""
    service.runtime.parts.sessions.delete(session_id)
    return Json({"deleted": session_id})


def _info_fields(info: SessionInfo) -> dict[str, Any]:
    times = {"created_at": info.created_at, "updated_at": info.updated_at}
    return {"id": info.id, **times, "turns": info.turns}


def _opening_fields(opening: Opening) -> dict[str, Any]:
    return {**_info_fields(opening.info), "opening": opening.words}


def _turns(runtime: Runtime, turns: Sequence[Turn]) -> list[dict[str, Any]]:
    receipts = {turn.receipt_id: _receipt(runtime, turn.receipt_id) for turn in turns}
    there = _there(runtime, filter(None, receipts.values()))
    return [_turn_fields(turn, receipts[turn.receipt_id], there) for turn in turns]


def _receipt(runtime: Runtime, receipt_id: str | None) -> Receipt | None:
    """None where there is none any more, or none that can be read."""
    if receipt_id is None:
        return None
    try:
        return runtime.parts.receipts.get(receipt_id)
    except (ReceiptNotFound, StateCorrupt):
        return None


def _there(runtime: Runtime, receipts: Iterable[Receipt]) -> dict[int, Chunk]:
    """The sources that answers cite, by id, as far as they are still there to be read."""
    if not runtime.parts.has_documents:
        return {}
    used = (one for receipt in receipts for one in receipt.chunks)
    cited = {one.id for one in used if one.cited and not one.collection}
    chunks = runtime.index.chunks(cited, labels=runtime.parts.settings.labels)
    return {chunk.id: chunk for chunk in chunks}


def _turn_fields(turn: Turn, receipt: Receipt | None, there: Mapping[int, Chunk]) -> dict[str, Any]:
    used = [one for one in receipt.chunks if one.cited] if receipt else []
    return {
        "role": turn.role,
        "text": turn.text,
        "digest": digest(turn.text),
        "at": turn.at,
        "citations": [_citation_fields(one, there.get(one.id)) for one in used],
        "receipt": receipt_fields(receipt) if receipt else None,
    }


def _citation_fields(used: ChunkUsed, chunk: Chunk | None) -> dict[str, Any]:
    """As of a fresh answer, with the state of its document now; `document` is null where the
    source is gone, or in a cloud collection, whose state is not known here. Ids are of one index:
    in another they may be anything's."""
    if chunk is not None and (chunk.source, chunk.version) == (used.source, used.version):
        state = state_of(chunk, time.time())
        return {**citation_fields(Citation(used.mark, chunk, 0.0, 0.0)), "state": state}
    return {
        "mark": used.mark,
        "title": used.title,
        "heading": list(used.heading),
        "source": used.source,
        "version": used.version,
        "collection": used.collection,
        "document": None,
        **({} if used.collection else {"state": "gone"}),
    }
