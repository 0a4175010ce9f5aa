"""Takes fluid records in: each replaces the one before it, and each expires."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import replace
from functools import partial

from skerry.edge.errors import DocumentError, InputError
from skerry.edge.index import declarable
from skerry.edge.index.drafts import Governance, Origin, digest
from skerry.edge.index.freshness import heard_from
from skerry.edge.index.intake import Intake, Tally, insist, same
from skerry.edge.index.parse import parse_data
from skerry.edge.index.store import Known
from skerry.edge.index.types import Event, IngestReport, Kind
from skerry.edge.index.words import plain


def ingest_events(intake: Intake, events: Iterable[Event]) -> IngestReport:
    """Takes in fluid records; see `Index.ingest`."""
    tally = Tally()
    for event in events:
        try:
            insist(partial(_ingest, intake, event, tally), _name(event))
        except DocumentError as error:
            tally.fail(_name(event), error)
    intake.settle(tally)
    return tally.report()


def _ingest(intake: Intake, event: Event, tally: Tally) -> bool:
    """Whether the index has the record now, or need not have it."""
    now = intake.clock()
    _check(event)
    known = intake.known(plain(event.source), plain(event.key))
    event = _completed(event, known)
    governed = _governance(event, now, intake.drafter.settings.ttl_seconds)
    origin = _origin(event, governed)
    parsed = parse_data(plain(event.text).encode(), "record.txt")
    if _expired(governed, now) or _late(known, governed):
        tally.skipped += 1
    elif known is not None and same(known.origin, origin):
        tally.unchanged.append(_name(event))
    else:
        content = replace(parsed, metadata=dict(event.metadata))
        if not intake.take(origin, governed, content, known, tally):
            return False
    heard_from(intake.database, plain(event.source), governed.valid_from)
    return True


def _completed(event: Event, known: Known | None) -> Event:
    """The event with what it leaves open as in the record that it replaces."""
    if known is None:
        return event
    return replace(
        event,
        title=known.title if event.title is None else event.title,
        labels=known.labels if event.labels is None else event.labels,
        domain=known.domain if event.domain is None else event.domain,
    )


def _governance(event: Event, now: float, default_ttl_seconds: float) -> Governance:
    at = now if event.at is None else event.at
    ttl = default_ttl_seconds if event.ttl_seconds is None else event.ttl_seconds
    if not event.source or not event.key:
        raise DocumentError("a record has no source or no key", hint="Give it both.")
    if not (math.isfinite(at) and math.isfinite(ttl) and ttl > 0):
        what = f"the record '{_name(event)}' has at={at} and ttl_seconds={ttl}"
        raise DocumentError(what, hint="Both are finite seconds, and ttl_seconds is above 0.")
    return Governance(
        kind=Kind.FLUID,
        title=plain(event.title or event.key),
        version="",
        valid_from=at,
        valid_from_stated=True,
        expires_at=at + ttl,
        labels=event.labels or frozenset(),
        domain=plain(event.domain or ""),
    )


def _check(event: Event) -> None:
    """Raises DocumentError for names and labels that a document may not have either."""
    try:
        for name in ("title", "domain", "source", "key"):
            declarable.check_length(name, getattr(event, name) or "")
        declarable.check_labels(event.labels or ())
    except InputError as error:
        raise DocumentError(error.what, hint=error.hint) from error


def _origin(event: Event, governed: Governance) -> Origin:
    content = plain(event.text).encode()
    declared = json.dumps(
        [governed.title, governed.valid_from, governed.expires_at, governed.domain]
    )
    return Origin(
        source=plain(event.source),
        key=plain(event.key),
        digest=digest(content),
        size_bytes=len(content),
        modified_ns=int(governed.valid_from * 1e9),
        declared=f"{declared} {sorted(governed.labels)}",
    )


def _expired(governed: Governance, now: float) -> bool:
    return governed.expires_at is not None and governed.expires_at <= now


def _late(known: Known | None, governed: Governance) -> bool:
    """Whether a newer record of the same key is already there."""
    return known is not None and governed.valid_from < known.valid_from


def _name(event: Event) -> str:
    return f"{event.source}#{event.key}"
