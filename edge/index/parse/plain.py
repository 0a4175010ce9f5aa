"""Reads plain text and reStructuredText: titles, paragraphs, underlined headings, simple lists."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby

from skerry.edge.index.parse.builder import Builder

_ITEM = re.compile(r"[ \t]*(?:([-*•‣+])|(\d{1,3})[.)])[ \t]+(.*)$")
_UNDERLINE = re.compile(r"([=\-~^\"'#*+.:_`])\1{2,}$")
_LONGEST_HEADING = 200
_LONGEST_TITLE = 80  # of a first line that nothing marks as a title
_ENDS = ".,;:!"  # of sentences and what introduces a list


def read_plain(text: str, builder: Builder) -> None:
    """Feeds the blocks of `text` to `builder`. Line breaks inside a paragraph are kept."""
    styles: list[str] = []
    paragraphs = _paragraphs(text)
    if _opens_with_title(paragraphs):
        builder.heading(1, paragraphs.pop(0)[0])
        styles.append("first line")
    for lines in paragraphs:
        rest = _take_headings(lines, styles, builder)
        if rest and _ITEM.match(rest[0]):
            _list(rest, builder)
        elif rest:
            builder.paragraph("\n".join(rest))


def _paragraphs(text: str) -> list[list[str]]:
    """Runs of lines that are not blank."""
    runs = groupby(text.split("\n"), key=lambda line: bool(line.strip()))
    return [list(lines) for has_text, lines in runs if has_text]


def _opens_with_title(paragraphs: Sequence[Sequence[str]]) -> bool:
    """Whether the first line stands alone and is called like a title, and text follows.

    Where all the lines stand alone, as in a list of things to do, the first is one of them.
    """
    like_titles = [_is_like_title(lines) for lines in paragraphs]
    return like_titles[:1] == [True] and not all(like_titles)


def _is_like_title(lines: Sequence[str]) -> bool:
    if len(lines) != 1 or _ITEM.match(lines[0]):
        return False
    line = lines[0].strip()
    has_letter = any(character.isalpha() for character in line)
    return (
        len(line) <= _LONGEST_TITLE and line[0].isalnum() and has_letter and line[-1] not in _ENDS
    )


def _take_headings(lines: list[str], styles: list[str], builder: Builder) -> list[str]:
    """Adds the underlined (or also overlined) titles that begin `lines`; gives the lines after.

    As in reStructuredText the levels are the order in which the underlines are first used.
    """
    while title := _title(lines):
        text, style, taken = title
        if style not in styles:
            styles.append(style)
        builder.heading(min(styles.index(style) + 1, 6), text)
        lines = lines[taken:]
    return lines


def _title(lines: Sequence[str]) -> tuple[str, str, int] | None:
    """(title, style, lines taken) if the lines begin with an underlined title."""
    over = len(lines) > 2 and lines[0].rstrip() == lines[2].rstrip() and _is_line(lines[0])
    body = lines[1:3] if over else lines[:2]
    if len(body) < 2 or _is_line(body[0]) or not _is_line(body[1]):
        return None
    text = body[0].strip()
    if len(text) > _LONGEST_HEADING or len(body[1].rstrip()) < len(text):
        return None
    return text, body[1][0] * (2 if over else 1), 3 if over else 2


def _is_line(line: str) -> bool:
    return _UNDERLINE.match(line.rstrip()) is not None


def _list(lines: Sequence[str], builder: Builder) -> None:
    """A list whose items begin with a bullet or a number; other lines continue the item."""
    first = _ITEM.match(lines[0])
    assert first is not None  # the caller looked
    builder.open_list(int(first[2]) if first[2] else None)
    item: list[str] = []
    for line in lines:
        begun = _ITEM.match(line)
        if begun:
            builder.paragraph("\n".join(item))
            builder.open_item()
            item = [begun[3]]
        else:
            item.append(line)
    builder.paragraph("\n".join(item))
    builder.close_list()
