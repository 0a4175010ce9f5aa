"""Cuts a parsed document into pieces along its structure, each short enough for the encoder.

It knows blocks and token counts, not formats and not the index.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from skerry.edge.index.parse.parsed import Block, BlockKind, Parsed
from skerry.guardrails.sentences import sentences

CountTokens = Callable[[str], int]

_CHARACTERS_PER_TOKEN = 16
"""A piece has at most this many code points per token of `max_tokens`: an encoder may give one
token to a word of any length."""
_LIKELY_CHARACTERS_PER_TOKEN = 4
_SPACE = re.compile(r"\s*")
_LONGEST_TITLE = 200
_PROSE = frozenset({BlockKind.PARAGRAPH, BlockKind.QUOTE})


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a document, before it is a chunk of the index.

    `text` ends with `parsed.text[start:end]` (offsets in code points). The two differ only where
    a long table goes on: then the table's header row is repeated before it. `heading`
    is the path of headings that the piece is under, outermost first, with its own.
    """

    text: str
    heading: tuple[str, ...]
    start: int
    end: int


def chunk(
    parsed: Parsed,
    *,
    target_tokens: int = 180,
    max_tokens: int = 240,
    table_tokens: int = 0,
    count_tokens: CountTokens,
) -> list[Piece]:
    """Pieces of `parsed` in order; together they have every character but white space.

    A heading begins a piece, unless only higher headings stand before it. Within a section
    neighbours are joined up to `target_tokens`, or up to `max_tokens` if that ends the section.
    A block is split only if it is longer than `max_tokens` by itself: a table between rows,
    a list between items, code between lines, running text between sentences; what is still too long
    is split between words, and a word between characters. (Running text is also split where
    its heading would else stand alone.) No piece has more than `max_tokens` tokens or 16 code
    points per such token; only a single character of more tokens than that is let through.

    A section with a table, of at most `table_tokens`, headings above it counted, is one piece: a
    part of a table answers no question about all of it.

    `count_tokens` gives the number of tokens of a text. It is called about once per block and once
    per piece.

    Raises:
        ValueError: not 0 < target_tokens <= max_tokens.
    """
    if not 0 < target_tokens <= max_tokens:
        raise ValueError(f"0 < {target_tokens=} <= {max_tokens=} does not hold")
    chunker = _Chunker(parsed.text, target_tokens, max_tokens, table_tokens, count_tokens)
    return [piece for section in _sections(parsed) for piece in chunker.pieces(section)]


@dataclass(frozen=True, slots=True)
class _Section:
    """What stands under one heading, with that heading and those just above it."""

    heading: tuple[str, ...]
    blocks: tuple[Block, ...]


def _sections(parsed: Parsed) -> Iterator[_Section]:
    path: list[tuple[int, str]] = []
    blocks: list[Block] = []
    for block in parsed.blocks:
        if block.kind is BlockKind.HEADING:
            if blocks and not _leads_to(blocks[-1], block):
                yield _Section(tuple(title for _, title in path), tuple(blocks))
                blocks = []
            path = [entry for entry in path if entry[0] < block.level]
            path.append((block.level, parsed.text[block.start : block.end][:_LONGEST_TITLE]))
        blocks.append(block)
    if blocks:
        yield _Section(tuple(title for _, title in path), tuple(blocks))


def _leads_to(before: Block, heading: Block) -> bool:
    """Whether `before` is a heading with nothing of its own above a lower `heading`."""
    return before.kind is BlockKind.HEADING and before.level < heading.level


@dataclass(frozen=True, slots=True)
class _Unit:
    """A span that is not split further. `head` is the table header to repeat before it."""

    start: int
    end: int
    tokens: int
    is_heading: bool = False
    head: _Unit | None = None

    @property
    def length(self) -> int:
        """In code points, with what is repeated before it."""
        return self.end - self.start + (self.head.length if self.head else 0)

    @property
    def head_tokens(self) -> int:
        return self.head.tokens if self.head else 0


class _Chunker:
    def __init__(
        self, text: str, target: int, limit: int, of_table: int, count: CountTokens
    ) -> None:
        self._text = text
        self._target = target
        self._limit = limit
        self._of_table = of_table
        self._longest = limit * _CHARACTERS_PER_TOKEN
        self._count = count

    def pieces(self, section: _Section) -> Iterator[Piece]:
        start, end = section.blocks[0].start, section.blocks[-1].end
        if self._unit(start, end, self._room(section)) is not None:
            yield Piece(self._text[start:end], section.heading, start, end)
            return
        for units in self._packed(list(self._units(section.blocks))):
            yield from self._checked(units, section.heading)

    def _room(self, section: _Section) -> int:
        """The most tokens of a section that is one piece."""
        if not any(block.kind is BlockKind.TABLE for block in section.blocks):
            return self._limit
        return max(self._limit, self._of_table - self._count("\n".join(section.heading)))

    def _unit(self, start: int, end: int, room: int, head: _Unit | None = None) -> _Unit | None:
        """The span as a unit if it has at most `room` tokens together with its `head`."""
        text = self._repeated(head) + self._text[start:end]
        if len(text) > self._longest:
            return None
        tokens = self._count(text)
        own = tokens - (head.tokens if head else 0)
        return _Unit(start, end, own, head=head) if tokens <= room else None

    def _repeated(self, head: _Unit | None) -> str:
        return self._text[head.start : head.end] if head else ""

    def _units(self, blocks: Iterable[Block]) -> Iterator[_Unit]:
        """Units of the blocks in order. Prose leaves room for the headings just before it."""
        lead = 0
        for block in blocks:
            is_heading = block.kind is BlockKind.HEADING
            room = self._limit - lead if block.kind in _PROSE else self._limit
            for unit in self._split_block(block, max(room, self._limit // 2)):
                lead += unit.tokens
                yield _Unit(unit.start, unit.end, unit.tokens, is_heading, unit.head)
            lead = lead if is_heading else 0

    def _split_block(self, block: Block, room: int) -> Iterator[_Unit]:
        if whole := self._unit(block.start, block.end, room):
            yield whole
            return
        head = self._table_head(block)
        for number, (start, end) in enumerate(pairwise((block.start, *block.cuts, block.end))):
            own_head = head if number else None
            trimmed = self._trimmed(start, end)
            if trimmed[0] >= trimmed[1]:
                continue
            if unit := self._unit(*trimmed, room, own_head):
                yield unit
            elif block.kind is BlockKind.CODE:
                yield from self._split_words(*trimmed, room, own_head)
            else:
                yield from self._split_sentences(*trimmed, room, own_head)

    def _table_head(self, block: Block) -> _Unit | None:
        """The header to repeat, if the table has one that leaves half of a piece to the rows."""
        if block.body is None:
            return None
        return self._unit(block.start, block.body, self._limit // 2)

    def _split_sentences(
        self, start: int, end: int, room: int, head: _Unit | None
    ) -> Iterator[_Unit]:
        for first, last in sentences(self._text[start:end]):
            if unit := self._unit(start + first, start + last, room, head):
                yield unit
            else:
                yield from self._split_words(start + first, start + last, room, head)

    def _split_words(self, start: int, end: int, room: int, head: _Unit | None) -> Iterator[_Unit]:
        size = room * _LIKELY_CHARACTERS_PER_TOKEN
        while start < end:
            stop = self._word_end(start, end, size)
            unit = self._unit(*self._trimmed(start, stop), room, head)
            if unit is None and size > 1:
                size = max(1, min(size, stop - start) // 2)
                continue
            yield unit or _Unit(start, stop, room)
            start = self._after_space(stop, end)

    def _word_end(self, start: int, end: int, size: int) -> int:
        """At most `size` characters after `start`: the last space there, if there is one."""
        if end - start <= size:
            return end
        space = max(self._text.rfind(char, start + 1, start + size + 1) for char in " \n\t")
        return space if space > start else start + size

    def _after_space(self, start: int, end: int) -> int:
        space = _SPACE.match(self._text, start, end)
        return space.end() if space else start

    def _trimmed(self, start: int, end: int) -> tuple[int, int]:
        part = self._text[start:end]
        return end - len(part.lstrip()), start + len(part.rstrip())

    def _packed(self, units: Sequence[_Unit]) -> Iterator[list[_Unit]]:
        """Joins neighbours into runs of about the target."""
        rest = sum(unit.tokens for unit in units)
        run: list[_Unit] = []
        size = 0
        for unit in units:
            if run and not self._joins(run, size, unit, rest):
                yield run
                run = []
            if not run:
                size = unit.head_tokens
            run.append(unit)
            size += unit.tokens
            rest -= unit.tokens
        if run:
            yield run

    def _joins(self, run: Sequence[_Unit], size: int, unit: _Unit, rest: int) -> bool:
        """Whether `unit` goes into `run` of `size` tokens; `rest` are those not yet in a run."""
        if run[0].length + unit.end - run[0].end > self._longest:
            return False
        joined = size + unit.tokens
        if joined <= self._target or size + rest <= self._limit:
            return True
        return joined <= self._limit and all(before.is_heading for before in run)

    def _checked(self, units: Sequence[_Unit], heading: tuple[str, ...]) -> Iterator[Piece]:
        """The piece of `units`, or two if joining them made more tokens than they have apart."""
        piece = self._piece(units, heading)
        if len(units) == 1 or self._surely_fits(units) or self._count(piece.text) <= self._limit:
            yield piece
            return
        middle = len(units) // 2
        yield from self._checked(units[:middle], heading)
        yield from self._checked(units[middle:], heading)

    def _surely_fits(self, units: Sequence[_Unit]) -> bool:
        """Whether they fit even if each white space between them is a token."""
        between = units[-1].end - units[0].start - sum(unit.end - unit.start for unit in units)
        tokens = units[0].head_tokens + sum(unit.tokens for unit in units)
        return tokens + between <= self._limit

    def _piece(self, units: Sequence[_Unit], heading: tuple[str, ...]) -> Piece:
        start, end = units[0].start, units[-1].end
        return Piece(self._repeated(units[0].head) + self._text[start:end], heading, start, end)
