"""From the lines of PDF pages to headings, paragraphs and lists. No I/O.

A PDF says where letters stand, not what they are: larger type is taken for a heading, a wider gap
for a new paragraph, a bullet or number for a list item. Tables stay lines of text.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from skerry.edge.index.parse.builder import Builder

_HEADING_RATIO = 1.2
_GAP_RATIO = 1.6
_LONGEST_HEADING = 200
_ITEM = re.compile(r"\s*(?:[•‣◦▪●–*-]|\((?:\d{1,2}|[a-z])\)|\d{1,2}[.)])\s+(?=\S)")
_WORD_BREAK = re.compile("(?<=[^\\W\\d])[\ufffe\x02](?=[^\\W\\d])")
_OTHER_HYPHEN = re.compile("[\ufffe\x02]")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text; `top` and `height` in points, `top` from the lower edge of the page."""

    text: str
    top: float
    height: float


def lay_out(pages: Sequence[Sequence[Line]], builder: Builder) -> tuple[int, ...]:
    """Feeds the blocks of the pages to `builder`; gives where each page begins in its text."""
    body = _body_height([line for page in pages for line in page])
    levels = _heading_levels([line for page in pages for line in page], body)
    starts = []
    for page in pages:
        starts.append(builder.next_start)
        for lines in _paragraphs(page):
            _add(lines, levels.get(_rounded(lines[0].height)), builder)
    return tuple(starts)


def _rounded(height: float) -> float:
    return round(height * 2) / 2


def _body_height(lines: Sequence[Line]) -> float:
    """The height that most characters are set in."""
    weights: Counter[float] = Counter()
    for line in lines:
        weights[_rounded(line.height)] += len(line.text)
    return weights.most_common(1)[0][0]


def _heading_levels(lines: Sequence[Line], body: float) -> dict[float, int]:
    """Heading level by height: the highest is 1."""
    heights = {_rounded(line.height) for line in lines if line.height >= _HEADING_RATIO * body}
    return {
        height: min(rank, 6) for rank, height in enumerate(sorted(heights, reverse=True), start=1)
    }


def _paragraphs(page: Sequence[Line]) -> list[list[Line]]:
    paragraphs: list[list[Line]] = []
    for line in page:
        if paragraphs and _continues(paragraphs[-1][-1], line):
            paragraphs[-1].append(line)
        else:
            paragraphs.append([line])
    return paragraphs


def _continues(before: Line, line: Line) -> bool:
    """Whether `line` belongs to the paragraph of the line `before` it."""
    gap = before.top - line.top
    same_size = _rounded(before.height) == _rounded(line.height)
    return same_size and -line.height / 2 <= gap <= _GAP_RATIO * line.height


def _add(lines: Sequence[Line], level: int | None, builder: Builder) -> None:
    text = " ".join(_mended(line.text) for line in lines)
    if level is not None and len(text) <= _LONGEST_HEADING:
        builder.heading(level, text)
        return
    for is_list, run in groupby(_items(lines), key=lambda item: item[0]):
        texts = [text for _, text in run]
        if is_list:
            _add_list(texts, builder)
        else:
            builder.paragraph("\n".join(texts))


def _items(lines: Sequence[Line]) -> list[tuple[bool, str]]:
    """(is a list item, text) of each item or of the running text before the first item."""
    items: list[tuple[bool, str]] = []
    for line in lines:
        text = _mended(line.text)
        if _ITEM.match(text) or not items:
            items.append((_ITEM.match(text) is not None, text))
        else:
            items[-1] = (items[-1][0], f"{items[-1][1]} {text.strip()}")
    return items


def _add_list(items: Sequence[str], builder: Builder) -> None:
    """Adds items with the numbers or letters that the page gives them."""
    builder.open_list()
    for item in items:
        marker = _ITEM.match(item)
        assert marker is not None  # `_items` looked
        own = marker.group().strip()
        builder.open_item(marker=own if own[-1] in ".)" else "-")
        builder.paragraph(item[marker.end() :])
    builder.close_list()


def _mended(text: str) -> str:
    """Text with words joined that PDFium reports as broken at the end of a line."""
    return _OTHER_HYPHEN.sub("-", _WORD_BREAK.sub("", text))
