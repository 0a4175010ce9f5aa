"""A document on its way into the index: parsed, cut, governed, encoded. Not yet written."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from skerry.edge.encoder.base import TextEncoder, Vectors
from skerry.edge.index.chunking import Piece, chunk
from skerry.edge.index.parse import Parsed
from skerry.edge.index.screened import Passage, Row, Screener
from skerry.edge.index.types import IndexSettings, Kind, Metadata
from skerry.edge.index.words import WordSplitter, plain
from skerry.edge.sources import name_of

OnPart = Callable[[float], None]

_PART = 128  # chunks that are encoded between two signs of progress


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a document came from and what its content was when it was read.

    `key` tells the records of one feed apart; it is empty for a file. `digest` is the SHA-256 of
    the content, `modified_ns` the file's time of change. `declared` is what the caller
    said of it: the same content declared otherwise is not unchanged.
    """

    source: str
    key: str
    digest: str
    size_bytes: int
    modified_ns: int
    declared: str

    @property
    def name(self) -> str:
        """What a report calls the document."""
        return f"{self.source}#{self.key}" if self.key else self.source


@dataclass(frozen=True, slots=True)
class Governance:
    """What governs a document, all decided. Times in Unix seconds."""

    kind: Kind
    title: str
    version: str
    valid_from: float
    valid_from_stated: bool
    expires_at: float | None
    labels: frozenset[str]
    domain: str


@dataclass(frozen=True, slots=True)
class Draft:
    """All that is written of a document, in one transaction.

    `vectors` are float32 [len(pieces), dimensions]; `words` are the word counts of each piece,
    `screened` the records of what was found in each, or nothing.
    """

    origin: Origin
    governance: Governance
    text: str
    metadata: Mapping[str, str]
    pieces: Sequence[Piece]
    vectors: Vectors
    words: Sequence[Mapping[str, int]]
    screened: Sequence[Row] = ()


@dataclass(frozen=True, slots=True)
class Drafter:
    """Cuts and encodes documents; knows nothing of the file."""

    encoder: TextEncoder
    splitter: WordSplitter
    settings: IndexSettings
    screener: Screener | None = None

    def draft(
        self,
        origin: Origin,
        governance: Governance,
        parsed: Parsed,
        on_part: OnPart | None = None,
    ) -> Draft:
        pieces = self._pieces(parsed, governance.title)
        texts = [searchable(governance.title, piece.heading, piece.text) for piece in pieces]
        return Draft(
            origin=origin,
            governance=governance,
            text=plain(parsed.text),
            metadata=parsed.metadata,
            pieces=pieces,
            vectors=self._vectors(texts, on_part),
            words=self.splitter.counts(texts),
            screened=self._screened(governance.title, pieces),
        )

    def _screened(self, title: str, pieces: Sequence[Piece]) -> list[Row]:
        if self.screener is None:
            return []
        return self.screener.records(
            [Passage(plain(piece.text), name_of(title, piece.heading)) for piece in pieces]
        )

    def _vectors(self, texts: Sequence[str], on_part: OnPart | None) -> Vectors:
        """The texts encoded, those of a long document part by part."""
        parts = []
        for start in range(0, len(texts), _PART):
            if start and on_part is not None:
                on_part(start / len(texts))
            parts.append(self.encoder.encode(texts[start : start + _PART]))
        return np.concatenate(parts) if parts else self.encoder.encode([])

    def _pieces(self, parsed: Parsed, title: str) -> list[Piece]:
        """Pieces that the encoder can take whole, with the title before them."""
        count = self.encoder.count_tokens
        room = max(self.encoder.max_tokens - count(title), self.encoder.max_tokens // 2)
        longest = min(self.settings.max_tokens, room)
        target = min(self.settings.target_tokens, longest)
        return chunk(
            parsed,
            target_tokens=target,
            max_tokens=longest,
            table_tokens=min(self.settings.table_tokens, room),
            count_tokens=count,
        )


def searchable(title: str, heading: Sequence[str], text: str) -> str:
    """A chunk as it is encoded and its words counted: with the title and headings it lacks."""
    above = [line for line in dict.fromkeys((title, *heading)) if line not in text]
    return "\n".join([*above, text])


def decided(stated: Metadata, *, kind: Kind, now: float) -> Governance:
    """What governs a document of which all this is stated; the rest is by default."""
    return Governance(
        kind=kind,
        title=plain(stated.title or ""),
        version=plain(stated.version or ""),
        valid_from=now if stated.valid_from is None else stated.valid_from,
        valid_from_stated=stated.valid_from is not None,
        expires_at=stated.expires_at,
        labels=stated.labels or frozenset(),
        domain=plain(stated.domain or ""),
    )


def digest(content: bytes) -> str:
    """SHA-256, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()
