"""Cuts documents of an index into the parts that travel to a cloud collection. Pure.

The same document gives the same parts, in any folder: a source is told by its path below the
folder that all of them are in, and no path of this machine leaves it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from skerry.cloud.collections.wire import MOST_CHARACTERS, MOST_IN_PART, Governed, Part, Passage
from skerry.edge.encoder.base import TextEncoder
from skerry.edge.index.sharing import Shared
from skerry.edge.index.types import Chunk, Document

_SHORT = 1_000  # characters, as the wire has them
_MOST_HEADINGS = 32


@dataclass(frozen=True, slots=True)
class Folder:
    """The folder that all sources are in; empty where there is none."""

    path: str

    @classmethod
    def of(cls, sources: Sequence[str]) -> Folder:
        try:
            return cls(os.path.commonpath([os.path.dirname(one) for one in sources]))  # noqa: PTH120
        except ValueError:  # no sources, or of several drives
            return cls("")

    def below(self, source: str) -> str:
        """A source by its path below the folder, with slashes; else by its name alone."""
        path = Path(source)
        if self.path and path.is_relative_to(self.path):
            return path.relative_to(self.path).as_posix()[-_SHORT:]
        return path.name[-_SHORT:]


def parts_of(given: Shared, folder: Folder, encoder: TextEncoder) -> Iterator[Part]:
    """A chunk without words that people read, of thousands of characters, is left out."""
    document = _governed(given.document, folder)
    rows = [row for row, one in enumerate(given.chunks) if 0 < len(one.text) <= MOST_CHARACTERS]
    for start in range(0, len(rows), MOST_IN_PART):
        several = rows[start : start + MOST_IN_PART]
        passages = tuple(_passage(given.chunks[row]) for row in several)
        codes = given.codes[several].tobytes()
        yield Part(encoder.id, encoder.dimensions, document, passages, codes)


def _governed(document: Document, folder: Folder) -> Governed:
    return Governed(
        title=document.title[:_SHORT],
        source=folder.below(document.source),
        version=document.version[:_SHORT],
        valid_from=document.valid_from,
        expires_at=document.expires_at,
        superseded_at=document.superseded_at,
        domain=document.domain[:_SHORT],
    )


def _passage(chunk: Chunk) -> Passage:
    heading = tuple(line[:_SHORT] for line in chunk.heading[-_MOST_HEADINGS:])
    return Passage(chunk.text, heading, chunk.start, chunk.end)
