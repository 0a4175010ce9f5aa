"""What a parsed document is: its extracted text and where its blocks lie in it. Plain data."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class BlockKind(StrEnum):
    HEADING = "heading"
    PARAGRAPH = "paragraph"
    LIST = "list"
    TABLE = "table"
    CODE = "code"
    QUOTE = "quote"


@dataclass(frozen=True, slots=True)
class Block:
    """A block of a document: `text[start:end]`, in code points.

    `level` is 1 to 6 for a heading and 0 for the rest. `cuts` are the offsets, within the block,
    where a further list item, table row or line of code begins: the places to split at when
    the block is too long. `body` is where a table's rows begin after its header row; None if it
    has no header.
    """

    kind: BlockKind
    level: int
    start: int
    end: int
    cuts: tuple[int, ...] = ()
    body: int | None = None


@dataclass(frozen=True, slots=True)
class Parsed:
    """A document as text.

    `text` is what chunk offsets refer to; blocks are in order, do not overlap, and leave out
    nothing but white space. `metadata` has only keys of `metadata.KEYS`. `pages` are the
    offsets where each page begins, empty for a format without pages. `misspelt` maps the keys
    of its front matter that are no keys, but nearly, to the key that each is most like.
    """

    text: str
    title: str
    blocks: tuple[Block, ...]
    media_type: str
    metadata: Mapping[str, str] = field(default_factory=dict)
    pages: tuple[int, ...] = ()
    misspelt: Mapping[str, str] = field(default_factory=dict)

    def page_at(self, offset: int) -> int | None:
        """The page, from 1, that the code point at `offset` is on; None without pages."""
        return bisect_right(self.pages, offset) or None
