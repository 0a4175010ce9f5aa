"""A text as the heads read it: words and marks, how each is written, and which sentence it is in.

Sentences are cut more coarsely than `sentences` does and an order of magnitude faster: what counts
here is that an order stands beside little else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skerry.guardrails.wording.spelling import meant
from skerry.guardrails.wording.table import WordTable

LONGEST = 80
"""Words after which a sentence without an end is cut."""
SHAPES = 8
_LOWER, _TITLE, _UPPER, _MIXED, _NUMBER, _MARK, _FOREIGN, _UNKNOWN = range(SHAPES)
_REPEATED = 3
_LONGEST_WORD = 40
_MARGIN = 2
EDGE = "\n"
"""The word that stands between sentences."""

_WORD = re.compile(
    r"[^\W_\u3040-\u9fff\uac00-\ud7af]+(?:['’](?:s|t|re|ve|ll|d|m)\b)?"
    r"|[\u3040-\u9fff\uac00-\ud7af]"
    r"|([^\w\s]|_)\1*"
)
_CODE = re.compile(r"(?=[A-Z]*\d)(?=\d*[A-Z])[A-Z\d]{5,12}")
_BREAK = re.compile(
    r"(?<=[.!?…。！？])[\"'”’)\]]*\s+(?=[^a-z])|\n\s*\n|\n(?=[ \t]*[-*#|>\[<{`\"'=+~%\d•])"
)


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a text, with `_MARGIN` edges before, between and after sentences.

    `rows` int32 and `shapes` uint8, [words]; `firsts` int64 [sentences] is where each begins and
    `lasts` one past its last word; `spans` are offsets of each in the text.
    """

    rows: NDArray[np.int32]
    shapes: NDArray[np.uint8]
    firsts: NDArray[np.int64]
    lasts: NDArray[np.int64]
    spans: list[tuple[int, int]]

    @property
    def unknown(self) -> NDArray[np.float64]:
        """The share of words, not marks, that the table does not know, [sentences]."""
        odd = np.append(np.cumsum(self.shapes == _UNKNOWN), 0)
        real = np.append(np.cumsum((self.shapes != _MARK) & (self.shapes != _NUMBER)), 0)
        before, last = self.firsts - 1, self.lasts - 1
        share: NDArray[np.float64] = (odd[last] - odd[before]) / np.maximum(
            1, real[last] - real[before]
        )
        return share


def read(text: str, table: WordTable) -> Words:
    """The words of `text`, which is a plain copy (`normal.normalise`)."""
    edge = table.row(EDGE)[0]
    rows, shapes = [edge] * _MARGIN, [_MARK] * _MARGIN
    firsts, lasts, spans = [], [], []
    for matches in _sentences(text):
        seen = [_seen(match, table) for match in matches]
        if (code := _only_code(matches, seen)) is not None:
            seen[code] = table.row("0000")[0], _NUMBER
        firsts.append(len(rows))
        lasts.append(len(rows) + len(seen))
        spans.append((matches[0].start(), matches[-1].end()))
        rows += [row for row, _ in seen] + [edge] * _MARGIN
        shapes += [shape for _, shape in seen] + [_MARK] * _MARGIN
    return Words(
        np.array(rows, np.int32),
        np.array(shapes, np.uint8),
        np.array(firsts, np.int64),
        np.array(lasts, np.int64),
        spans,
    )


def _only_code(matches: list[re.Match[str]], seen: list[tuple[int, int]]) -> int | None:
    """Where the one code of a sentence is, as in "Cancel the appointment 7TZ8X2".

    It is read as a number is. Several are words that are written with digits.
    """
    unknown = (at for at, (_, shape) in enumerate(seen) if shape == _UNKNOWN)
    codes = [at for at in unknown if _CODE.fullmatch(matches[at].group())]
    return codes[0] if len(codes) == 1 else None


def _seen(match: re.Match[str], table: WordTable) -> tuple[int, int]:
    """Row and shape of a word."""
    word = match.group()
    if match[1] is not None:
        return table.row(word[:_REPEATED])[0], _MARK
    if word.isdecimal():
        return table.row("0" * min(len(word), 4))[0], _NUMBER
    row, known = _row(word.lower()[:_LONGEST_WORD], table)
    return row, _shape(word) if known else _FOREIGN if not word.isascii() else _UNKNOWN


def _row(word: str, table: WordTable) -> tuple[int, bool]:
    """The row of a word in lower case, or of what it was meant to be, and whether it is known."""
    row, known = table.row(word)
    spelt = "" if known else meant(word)
    return table.row(spelt) if spelt else (row, known)


def _shape(word: str) -> int:
    if word.islower():
        return _LOWER
    if word.isupper():
        return _UPPER if len(word) > 1 else _TITLE
    return _TITLE if word.istitle() else _MIXED


def _sentences(text: str) -> Iterator[list[re.Match[str]]]:
    """The words of each sentence that has some; at most `LONGEST` at once."""
    start = 0
    for found in _BREAK.finditer(text):
        yield from _parts(list(_WORD.finditer(text, start, found.start())))
        start = found.end()
    yield from _parts(list(_WORD.finditer(text, start)))


def _parts(matches: list[re.Match[str]]) -> Iterator[list[re.Match[str]]]:
    for at in range(0, len(matches), LONGEST):
        yield matches[at : at + LONGEST]
