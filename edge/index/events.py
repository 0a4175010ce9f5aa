"""Takes fluid records in: each replaces the one before it, and each expires."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import replace

from skerry.edge.errors import DocumentError
from skerry.edge.index.drafts import Governance, Origin, digest
from skerry.edge.index.freshness import heard_from
from skerry.edge.index.intake import Intake, Tally
from skerry.edge.index.parse import parse_data
from skerry.edge.index.types import Event, IngestReport, Kind
from skerry.edge.index.words import plain


def ingest_events(intake: Intake, events: Iterable[Event]) -> IngestReport:
    """Takes in fluid records; see `Index.ingest`."""
    tally = Tally()
    for event in events:
        try:
            _ingest(intake, event, tally)
        except DocumentError as error:
            tally.fail(_name(event), error)
    intake.settle(tally)
    return tally.report()


def _ingest(intake: Intake, event: Event, tally: Tally) -> None:
    now = intake.clock()
    governed = _governance(event, now, intake.drafter.settings.ttl_seconds)
    parsed = parse_data(plain(event.text).encode(), "record.txt")
    if _expired(governed, now) or _late(intake, event, governed):
        tally.skipped += 1
    else:
        metadata = dict(event.metadata)
        intake.take(
            _name(event),
            _origin(event, governed),
            governed,
            replace(parsed, metadata=metadata),
            tally,
        )
    heard_from(intake.database, plain(event.source), governed.valid_from)


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
        labels=event.labels,
        domain=plain(event.domain),
    )


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
        declared=f"{declared} {sorted(event.labels)}",
    )


def _expired(governed: Governance, now: float) -> bool:
    return governed.expires_at is not None and governed.expires_at <= now


def _late(intake: Intake, event: Event, governed: Governance) -> bool:
    """Whether a newer record of the same key is already there."""
    known = intake.known(plain(event.source), plain(event.key))
    return known is not None and governed.valid_from < known.valid_from


def _name(event: Event) -> str:
    return f"{event.source}#{event.key}"
