"""What the index takes and gives: documents, chunks, queries and hits. Plain data.

Two kinds of knowledge have two governances. *Anchored* documents (guidelines, manuals) have
versions: a newer one supersedes an older, which is kept and can be asked for by date.
*Fluid* records (rota, stock, messages) come as events, are weighted by recency and expire.

Times are Unix seconds, UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    ANCHORED = "anchored"
    FLUID = "fluid"


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a document, as retrieved.

    `start` and `end` are offsets in code points of the document's extracted text. `heading` is
    the path of headings above the chunk, outermost first. `source` is the path or
    feed that it came from. An empty `labels` is readable by everyone.
    """

    id: int
    document_id: int
    text: str
    heading: tuple[str, ...]
    start: int
    end: int
    title: str
    source: str
    kind: Kind
    version: str
    valid_from: float
    expires_at: float | None
    superseded_at: float | None
    labels: frozenset[str] = frozenset()
    domain: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """A document version as `skerry index ls` shows it."""

    id: int
    title: str
    source: str
    kind: Kind
    version: str
    digest: str
    added_at: float
    valid_from: float
    expires_at: float | None
    superseded_at: float | None
    labels: frozenset[str]
    domain: str
    chunks: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Query:
    """What to search for.

    `labels` are the access labels that the caller holds; a chunk with labels is seen only by a
    caller who holds all of them. `as_of` asks what was in force at that time; None is now.
    `floor` is the least similarity a hit may have; None takes the index's own.
    """

    text: str
    limit: int = 6
    kinds: frozenset[Kind] = frozenset(Kind)
    labels: frozenset[str] = frozenset()
    domain: str | None = None
    as_of: float | None = None
    floor: float | None = None
    per_source: int = 4


@dataclass(frozen=True, slots=True)
class Hit:
    """A chunk with its fused `score` in [0, 1] and the two it came from.

    `similarity` is the cosine of query and chunk; `bm25` is the lexical score (higher is better),
    None if the words did not match.
    """

    chunk: Chunk
    score: float
    similarity: float
    bm25: float | None


@dataclass(frozen=True, slots=True)
class Event:
    """A fluid record: a later one with the same `source` and `key` replaces it."""

    source: str
    key: str
    text: str
    title: str = ""
    at: float | None = None
    ttl_seconds: float | None = None
    labels: frozenset[str] = frozenset()
    domain: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Metadata:
    """What governs the documents of one `add`. None lets the document or the default say."""

    title: str | None = None
    version: str | None = None
    valid_from: float | None = None
    expires_at: float | None = None
    labels: frozenset[str] = frozenset()
    domain: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """A document that could not be taken, and why."""

    source: str
    what: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """One step of long work, for a progress bar."""

    source: str
    done: int
    total: int
    chunks: int


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What one `add` did. `unchanged` cost nothing."""

    added: tuple[str, ...]
    updated: tuple[str, ...]
    unchanged: tuple[str, ...]
    failed: tuple[Failure, ...]
    chunks: int
    seconds: float
