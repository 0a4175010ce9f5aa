"""Searches one cloud collection without an answer; policy, redaction, approval and receipt stay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from skerry.edge.assembly import work_on
from skerry.edge.collections.asking import widened
from skerry.edge.deciding import decided_on
from skerry.edge.errors import EdgeError
from skerry.edge.index.types import Hit
from skerry.edge.record import Record
from skerry.edge.trace import Trace

if TYPE_CHECKING:
    from skerry.edge.parts import Parts
    from skerry.edge.receipts import CollectionAsked, Receipt
    from skerry.edge.request import Request


@dataclass(frozen=True, slots=True)
class Looked:
    """What one collection has on a question, best first, what came of asking it, and the receipt.

    A passage that gives orders to a model is left out of `hits`.
    """

    hits: Sequence[Hit]
    asked: CollectionAsked
    receipt: Receipt


def look_in(name: str, request: Request, parts: Parts) -> Looked:
    """Asks the collection `name`, whether the documents here answer or not.

    Raises:
        ConfigError: no gateway is configured.
        InputError, IndexFault, StateError: as `Runtime.stream`.
    """
    parts.receipts.check_writable()
    trace = Trace()
    decided = replace(decided_on(request, parts, trace), hits=[])
    work = work_on(request, decided, parts)
    error: EdgeError | None = None
    try:
        with trace.step("collections"):
            work, decided = widened(work, decided, parts, [name])
    except EdgeError as raised:
        error = raised
        raise
    finally:
        record = Record(decided.given, decided.policy, decided.encoder, work, trace, error=error)
        receipt = parts.keep_receipt(record.receipt())
    return Looked(decided.hits, work.collections[-1], receipt)
