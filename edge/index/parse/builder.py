"""Lays out the blocks of a document as text. Every format's reader feeds one Builder.

Blocks are separated by an empty line. A list item is a line that begins with its marker, nested
items are indented, a table row is one line `| a | b |`: forms that a person, a language model
and a splitter all read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from skerry.edge.index.parse.parsed import Block, BlockKind

_GAP = "\n\n"
_INDENT = "  "
_DEEPEST_INDENT = 12
_CONTROLS = "\x00-\x08\x0e-\x1f\x7f\u00ad\ufeff\ufffe\uffff"
# Zero width, bidirectional overrides and tag characters: text that no reader sees.
_CONTROLS += "\u200b\u2060-\u2064\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f"
_BREAKS = "\x0b\x0c\r\x85\u2028\u2029"
_ODD = re.compile(f"[{_CONTROLS}{_BREAKS}\ud800-\udfff]")
_UNPRINTABLE = re.compile(f"[{_CONTROLS}]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_LINE_BREAK = re.compile(f"\r\n|[{_BREAKS}]")
_BLANKS = re.compile(r"[^\S\n]{2,}|[^\S\n ]")
_LINE_EDGE = re.compile(r" ?\n\s*")


def clean(text: str) -> str:
    """Text with one kind of line break and without characters that no reader sees."""
    if not _ODD.search(text):
        return text
    text = _LINE_BREAK.sub("\n", text)
    return _SURROGATE.sub("\ufffd", _UNPRINTABLE.sub("", text))


def squeeze(text: str) -> str:
    """Running text: every run of white space is one space, or one line break if it had one."""
    return _LINE_EDGE.sub("\n", _BLANKS.sub(" ", text)).strip()


@dataclass(slots=True)
class _List:
    """An open list. `number` counts an ordered one's items; None marks a bullet list."""

    number: int | None
    marker: str = ""


@dataclass(slots=True)
class _Group:
    """An open outermost list or quotation, gathered as lines."""

    kind: BlockKind
    lines: list[str] = field(default_factory=list)
    items: list[int] = field(default_factory=list)


class Builder:
    """Collects blocks in document order; `text()` and `blocks` are the result.

    Lists and quotations nest; the outermost one makes the block. Everything inside is laid
    out as its lines, so that a block's text is never broken up by an inner one's.
    """

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self._parts: list[str] = []
        self._length = 0
        self._group: _Group | None = None
        self._lists: list[_List] = []
        self._open = 0

    @property
    def next_start(self) -> int:
        """Where the next block will begin in the text."""
        return self._length + (len(_GAP) if self._parts else 0)

    def text(self) -> str:
        return "".join(self._parts)

    def heading(self, level: int, text: str) -> None:
        if self._group is not None:
            self.paragraph(text)
        else:
            self._add(BlockKind.HEADING, squeeze(clean(text)).replace("\n", " "), level=level)

    def paragraph(self, text: str) -> None:
        """Running text; its line breaks are kept, other white space is squeezed."""
        text = squeeze(clean(text))
        if self._group is not None:
            self._lines(text.split("\n") if text else [])
        else:
            self._add(BlockKind.PARAGRAPH, text)

    def code(self, text: str) -> None:
        """Preformatted text, kept as it is."""
        lines = clean(text).strip("\n").rstrip().split("\n")
        if self._group is not None:
            self._lines([line for line in lines if line.strip()])
        else:
            self._rows(BlockKind.CODE, lines, header=False)

    def table(self, rows: Sequence[Sequence[str]], *, header: bool) -> None:
        """Rows of cells; `header` says that the first row names the columns."""
        lines = [_row(cells) for cells in rows if any(cell.strip() for cell in cells)]
        named = header and len(lines) > 1 and any(cell.strip() for cell in rows[0])
        if self._group is not None:
            self._lines(lines)
        else:
            self._rows(BlockKind.TABLE, lines, header=named)

    def open_list(self, number: int | None = None) -> None:
        """Begins a list; `number` is the first item's in an ordered one."""
        self._enter(BlockKind.LIST)
        self._lists.append(_List(number))

    def open_item(self, marker: str = "") -> None:
        """Begins an item of the innermost list; outside any list it does nothing.

        `marker` is the item's own, in place of a dash or the next number.
        """
        if not self._lists:
            return
        current = self._lists[-1]
        counted = "-" if current.number is None else f"{current.number}."
        current.marker = f"{marker or counted} "
        if current.number is not None:
            current.number += 1

    def close_list(self) -> None:
        self._lists.pop()
        self._leave()

    def open_quote(self) -> None:
        self._enter(BlockKind.QUOTE)

    def close_quote(self) -> None:
        self._leave()

    def _enter(self, kind: BlockKind) -> None:
        self._open += 1
        if self._group is None:
            self._group = _Group(kind)

    def _leave(self) -> None:
        self._open -= 1
        if self._open or self._group is None:
            return
        group, self._group = self._group, None
        self._add(group.kind, "\n".join(group.lines), cuts=_starts(group.lines, group.items))

    def _lines(self, lines: Sequence[str]) -> None:
        """Adds lines to the open group, the first with its item's marker if that is due."""
        assert self._group is not None
        for line in lines:
            marker = self._take_marker()
            if marker and len(self._lists) == 1:
                self._group.items.append(len(self._group.lines))
            depth = len(self._lists) - bool(marker)
            self._group.lines.append(_INDENT * min(depth, _DEEPEST_INDENT) + marker + line)

    def _take_marker(self) -> str:
        if not self._lists:
            return ""
        marker, self._lists[-1].marker = self._lists[-1].marker, ""
        return marker

    def _rows(self, kind: BlockKind, lines: Sequence[str], *, header: bool) -> None:
        """Adds a block that may be split before each of its lines."""
        rows = range(1, len(lines))
        offsets = _starts(lines, rows)
        body = self.next_start + offsets[0] if header and offsets else None
        self._add(kind, "\n".join(lines), cuts=offsets[1:] if header else offsets, body=body)

    def _add(
        self,
        kind: BlockKind,
        text: str,
        *,
        level: int = 0,
        cuts: Sequence[int] = (),
        body: int | None = None,
    ) -> None:
        if not text.strip():
            return
        start = self.next_start
        if self._parts:
            self._parts.append(_GAP)
        self._parts.append(text)
        self._length = start + len(text)
        shifted = tuple(start + cut for cut in cuts)
        self.blocks.append(Block(kind, level, start, self._length, shifted, body))


def _row(cells: Sequence[str]) -> str:
    flat = (" ".join(clean(cell).split()) for cell in cells)
    return "| " + " | ".join(flat) + " |"


def _starts(lines: Sequence[str], wanted: Sequence[int]) -> tuple[int, ...]:
    """Where the lines numbered `wanted` begin in their joined text; never the first line."""
    offsets, at = [], 0
    for line in lines:
        offsets.append(at)
        at += len(line) + 1
    return tuple(offsets[number] for number in wanted if number > 0)
