"""What the index takes and gives: documents, chunks, queries and hits. Plain data.

Two kinds of knowledge have two governances. *Anchored* documents (guidelines, manuals) have
versions: a newer one supersedes an older, which is kept and can be asked for by date.
*Fluid* records (rota, stock, messages) come as events, are weighted by recency and expire.

Times are Unix seconds, UTC.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol


class Kind(StrEnum):
    ANCHORED = "anchored"
    FLUID = "fluid"


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a document, as retrieved.

    `start` and `end` are offsets in code points of the document's extracted text. `heading` is
    the path of headings above the chunk, outermost first. `source` is the path or
    feed that it came from. An empty `labels` is readable by everyone. `collection` is the cloud
    collection that it is from, empty for the device's own; such a chunk has negative ids.
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
    collection: str = ""


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
    `floor` is the least similarity of a hit that does not have the query's words; None takes the
    index's own.
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
class BelowFloor:
    """What a search left out because it was below the floor.

    `best` is the highest cosine, `lower` a floor that lets `hits` of them through.
    """

    floor: float
    best: float
    lower: float
    hits: int


@dataclass(frozen=True, slots=True)
class Event:
    """A fluid record: a later one with the same `source` and `key` replaces it.

    `title`, `labels` and `domain` that are None are those of the record it replaces, if there is
    one. Otherwise the title is the key, and there are no labels and no domain.
    """

    source: str
    key: str
    text: str
    title: str | None = None
    at: float | None = None
    ttl_seconds: float | None = None
    labels: frozenset[str] | None = None
    domain: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Metadata:
    """What the caller of `add` declares of documents.

    None declares nothing: what an earlier `add` of the same source declared goes on holding, and
    where there is none the document itself or the default says. An empty title, version, domain or
    set of labels takes an earlier declaration back, and so does an `expires_at` of `math.inf`.
    `version` and `valid_from` are of one content: they hold until the file is changed.
    """

    title: str | None = None
    version: str | None = None
    valid_from: float | None = None
    expires_at: float | None = None
    labels: frozenset[str] | None = None
    domain: str | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """A document that could not be taken, and why."""

    source: str
    what: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class IngestWarning:
    """What is doubtful about a document that was taken, and what to do."""

    source: str
    what: str
    hint: str


@dataclass(frozen=True, slots=True)
class Progress:
    """One step of long work, for a progress bar.

    `source` is what is being worked on, `part` the share of it that is done, in [0, 1); `done` of
    `total` sources, or of chunks that are re-embedded, are behind it.
    """

    source: str
    done: int
    total: int
    chunks: int
    part: float = 0.0


@dataclass(frozen=True, slots=True)
class Superseded:
    """A version that is not in force any more, or never was, because `by` follows it.

    Both are sources; the versions are empty where a document names none.
    """

    source: str
    version: str
    by: str
    by_version: str


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What one `add` did: sources by what became of them.

    `unchanged` cost nothing; `skipped` counts the files in folders whose format is not supported.
    `links` lead out of their folder and were not followed. `labelled` took the access labels
    that the same content has elsewhere, `dated` its declared expiry or beginning: moved files, and
    copies. `unread` are the files that `skipped` counts, with how to convert them; `warnings` are
    about documents that were taken. `superseded` are the versions that ended with this, older ones
    or such as were taken now; `expired` were taken and have expired already: never served.
    """

    added: tuple[str, ...]
    updated: tuple[str, ...]
    unchanged: tuple[str, ...]
    failed: tuple[Failure, ...]
    chunks: int
    seconds: float
    skipped: int = 0
    labelled: tuple[str, ...] = ()
    dated: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    unread: tuple[Failure, ...] = ()
    warnings: tuple[IngestWarning, ...] = ()
    superseded: tuple[Superseded, ...] = ()
    expired: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What `verify` looked at, and every problem it found, in words."""

    documents: int
    chunks: int
    problems: tuple[str, ...]

    @property
    def ok(self) -> bool:
        return not self.problems


@dataclass(frozen=True, slots=True)
class SourceFreshness:
    """How old the newest record of a fluid source is, beside what was promised for it.

    `last_at` and `age_seconds` are None when nothing came yet. `alert` says in words that the
    promise is broken; it is empty when it is kept, or when none was made (`sla_seconds` None).
    """

    source: str
    last_at: float | None
    age_seconds: float | None
    sla_seconds: float | None
    alert: str = ""


@dataclass(frozen=True, slots=True)
class Stats:
    """What an index holds. `memory_bytes` is what its loaded vectors take in this process."""

    documents: int
    superseded: int
    expired: int
    chunks: int
    words: int
    encoder_id: str
    dimensions: int
    file_bytes: int
    memory_bytes: int


class Reranker(Protocol):
    """Puts the best hits in a better order, for example with a cross-encoder."""

    def rerank(self, text: str, hits: Sequence[Hit]) -> Sequence[Hit]:
        """The hits to keep, best first: some or all of `hits`, perhaps with other scores."""
        ...


@dataclass(frozen=True, slots=True)
class IndexSettings:
    """How an index cuts, weighs and forgets.

    Attributes:
        target_tokens, max_tokens: size of a chunk, in the encoder's tokens.
        table_tokens: size of a section with a table that is still one chunk.
        max_file_bytes: a larger file is listed as failed.
        dense_weight: share of the cosine in the fused score, in [0, 1]; words have the rest.
        floor: a chunk whose cosine with the query is below is no hit, unless it has the words.
        words_floor: the share of the query's telling words, by weight, that makes a chunk a hit
            whatever its cosine; above 1, none.
        named_floor: as `floor`, of a chunk that has what the query names, where few chunks do.
        rare_floor: as `floor`, of a chunk that has a word of the query that at most three have.
        pool: how many candidates each of dense and lexical search hands to fusion.
        ttl_seconds: hard expiry of a fluid record that names none.
        half_life_seconds: age at which a fluid record counts half, for a source that names none.
        busy_timeout_ms: how long to wait for another process before IndexLocked.
    """

    target_tokens: int = 180
    max_tokens: int = 240
    table_tokens: int = 256
    max_file_bytes: int = 64 * 2**20
    dense_weight: float = 0.5
    floor: float = 0.25
    words_floor: float = 0.8
    named_floor: float = 0.1
    rare_floor: float = 0.15
    pool: int = 100
    ttl_seconds: float = 30 * 86_400.0
    half_life_seconds: float = 7 * 86_400.0
    busy_timeout_ms: int = 5_000
