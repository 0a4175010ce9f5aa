"""What may be seen and what is in force: pure decisions over plain data, without I/O.

*In force* is an anchored version from its `valid_from` until it is superseded or expires. A
fluid record counts from its time until its hard expiry, and less the older it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skerry.edge.index.types import Chunk, Document, Kind, Query

Mask = NDArray[np.bool_]
Floats64 = NDArray[np.float64]

_NUMBER = re.compile(r"(\d+)")


@dataclass(frozen=True, slots=True)
class Version:
    """What supersession looks at: where a version came from, what it is called, when it begins."""

    source: str
    version: str
    valid_from: float


@dataclass(frozen=True, slots=True)
class Supersession:
    """When versions end: the new one (None: it does not), and those already there, by id."""

    new_ends_at: float | None
    others_end_at: Mapping[int, float]


def supersession(
    new: Version, others: Mapping[int, Version], ends: Mapping[int, float | None]
) -> Supersession:
    """How a version that is added now changes what was in force.

    A version ends when the next begins. `others` are those of the same source, and those of the
    same title that carry a version of their own; `ends` is when each of them ends so far.
    """
    later = [other.valid_from for other in others.values() if _precedes(new, other)]
    closing = {
        id_: new.valid_from if end is None else min(end, new.valid_from)
        for id_, end in ends.items()
        if _precedes(others[id_], new, added_before=True)
    }
    return Supersession(min(later, default=None), closing)


def superseded(
    new: Version,
    others: Mapping[int, Version],
    ends: Mapping[int, float | None],
    outcome: Supersession,
) -> list[tuple[Version, Version]]:
    """The versions that end by `outcome` and did not before, each with what follows it.

    The new one is among them where it is older than one that is there.
    """
    ended = [(others[id_], new) for id_, at in outcome.others_end_at.items() if at != ends[id_]]
    following = (one for one in others.values() if one.valid_from == outcome.new_ends_at)
    follower = next((one for one in following if _precedes(new, one)), None)
    return ended if follower is None else [*ended, (new, follower)]


def _precedes(older: Version, newer: Version, *, added_before: bool = False) -> bool:
    """Whether `newer` supersedes `older`.

    From one source the later date wins, and the later added on the same date. Between sources
    the versions decide: two files that are called alike say nothing.
    """
    if older.source == newer.source:
        if older.valid_from == newer.valid_from:
            return added_before
        return older.valid_from < newer.valid_from
    if not older.version or not newer.version:
        return False
    return version_key(older.version) < version_key(newer.version)


def version_key(version: str) -> tuple[tuple[int, int, str], ...]:
    """Orders versions as people do: `v2.10` after `v2.9`, `2026-02` after `2025-11`."""
    parts = _NUMBER.split(version.strip().casefold().removeprefix("v"))
    return tuple((1, int(part), "") if part.isdigit() else (0, 0, part) for part in parts if part)


@dataclass(frozen=True, slots=True)
class DocumentTable:
    """What governs each document, as columns of one length, by row.

    `begins`, `expires` and `superseded` are Unix seconds, infinite for never; `label_set`, `domain`
    and `source` number the entries of `label_sets`, `domains` and `sources`. `half_life` is in
    seconds and infinite for anchored documents.
    """

    ids: NDArray[np.int64]
    alive: Mask
    fluid: Mask
    begins: Floats64
    expires: Floats64
    superseded: Floats64
    half_life: Floats64
    label_set: NDArray[np.int32]
    domain: NDArray[np.int32]
    source: NDArray[np.int32]
    label_sets: Sequence[frozenset[str]]
    domains: Sequence[str]
    sources: Sequence[str]


def visible(documents: DocumentTable, query: Query, now: float) -> Mask:
    """Which documents `query` may see, bool [documents].

    A fluid record that has expired by `now` is not seen, whatever time the query asks about.
    """
    at = now if query.as_of is None else query.as_of
    in_force = (documents.begins <= at) & (at < documents.expires) & (at < documents.superseded)
    seen = documents.alive & in_force & ~(documents.fluid & (documents.expires <= now))
    if query.kinds != frozenset(Kind):
        seen &= np.where(documents.fluid, Kind.FLUID in query.kinds, Kind.ANCHORED in query.kinds)
    if query.domain is not None:
        seen &= _entries(documents.domain, (query.domain == name for name in documents.domains))
    if any(documents.label_sets):
        seen &= _entries(documents.label_set, (it <= query.labels for it in documents.label_sets))
    return seen


def document_in_force(document: Document, at: float, now: float) -> bool:
    """Whether a document was in force at the time `at`; the same rule as `visible`."""
    ends = [end for end in (document.expires_at, document.superseded_at) if end is not None]
    if not (document.valid_from <= at and all(at < end for end in ends)):
        return False
    return not gone(document, now)


def gone(document: Document | Chunk, now: float) -> bool:
    """Whether a fluid record's hard expiry has passed."""
    expires = document.expires_at
    return document.kind is Kind.FLUID and expires is not None and expires <= now


def _entries(column: NDArray[np.int32], chosen: Iterable[bool]) -> Mask:
    """The rows whose numbered entry is chosen."""
    mask: Mask = np.fromiter(chosen, np.bool_)[column]
    return mask


def recency(documents: DocumentTable, rows: NDArray[np.int32], now: float) -> Floats64:
    """The weight of documents by age, in (0, 1]: a half for each half-life; anchored have 1."""
    ages = np.maximum(now - documents.begins[rows], 0.0)
    weights: Floats64 = np.exp2(-ages / documents.half_life[rows])
    return weights


def freshness_alert(source: str, age_seconds: float | None, sla_seconds: float | None) -> str:
    """The alert for a source, in words; empty while its promise is kept or none was made."""
    if sla_seconds is None or (age_seconds is not None and age_seconds <= sla_seconds):
        return ""
    if age_seconds is None:
        return f"'{source}' has sent nothing yet; promised every {sla_seconds:.0f} s"
    return f"'{source}' is {age_seconds:.0f} s old; promised every {sla_seconds:.0f} s"
