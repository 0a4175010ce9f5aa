"""The parts of a source that a claim is laid beside: one to three sentences, with their headings.

A short source is one window. Of a long one, the windows that share most words and numbers with
the claim are taken, so that the cost of a check does not grow with the source.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from skerry.guardrails.passages import Passage
from skerry.guardrails.sentences import sentences
from skerry.guardrails.words import content_stems, numbers

WIDTH = 420
"""Characters of a window, about 100 tokens; a longer sentence is a window by itself."""
MOST = 3
_SENTENCES = 3
_SHORT = 200  # characters: lines of a conversation, items of a list
_TRIED = 3  # windows looked at for each one that is taken
_ENDS = re.compile(r"[.!?…;:,][\"'”’)\]*_]*$")
_APART = "\n\n"
_CONTEXT = 120
_MAX_CHARACTERS = 100_000  # of a source: what is looked through for windows


@dataclass(frozen=True, slots=True)
class Window:
    """`text` is what is read, with a table row spoken; `source[start:end]` is where it stands."""

    text: str
    start: int
    end: int


def windows(claim: str, source: str, most: int = MOST) -> list[Window]:
    """The `most` windows of `source` that are nearest to the claim by their words, best first."""
    units = _units(source[:_MAX_CHARACTERS])
    if sum(len(unit.text) + 1 for unit in units) <= WIDTH:
        return [_merged(units)] if units else []
    wanted = content_stems(claim) | numbers(claim)
    ranked = sorted(range(len(units)), key=lambda i: -_shared(wanted, units[i].text))
    chosen: list[Window] = []
    for i in ranked[: most * _TRIED]:
        window = _around(units, i)
        if not any(one.start <= window.start and window.end <= one.end for one in chosen):
            chosen.append(window)
    chosen.sort(key=lambda one: -_shared(wanted, one.text))
    return chosen[:most]


def copied(claim: str, source: str) -> Window | None:
    """The sentence or table row of `source` that is the claim, word for word."""
    said = _bare(claim)
    units = _units(source[:_MAX_CHARACTERS]) if any(map(str.isalnum, said)) else ()
    return next((unit for unit in units if _bare(unit.text) == said), None)


def _bare(text: str) -> str:
    return " ".join(text.split()).rstrip(".")


def beside(context: str, text: str) -> str:
    """What the model reads as evidence: the last headings, then the window."""
    headings = [line.strip().rstrip(".") for line in context.split("\n") if line.strip()]
    kept = ". ".join(headings)[-_CONTEXT:]
    return f"{kept}. {text}" if kept else text


@lru_cache(maxsize=16)
def _units(source: str) -> tuple[Window, ...]:
    """The sentences and table rows of the source; a row is spoken with its header."""
    units, header = [], ""
    for start, end in sentences(source):
        text = source[start:end]
        if not text.startswith("|"):
            header = ""
        elif not header:
            header = text
            continue
        elif not any(character.isalnum() for character in text):
            continue
        units.append(Window(Passage(text, "", header).spoken, start, end))
    return tuple(units)


def _shared(wanted: frozenset[str], text: str) -> int:
    return len(wanted & (content_stems(text) | numbers(text)))


def _around(units: Sequence[Window], i: int) -> Window:
    """Unit `i` with one after and one before it, or more of them while they are short."""
    first, last, size = i, i + 1, len(units[i].text)
    while last - first < _SENTENCES or size < _SHORT:
        after = len(units[last].text) if last < len(units) else WIDTH
        before = len(units[first - 1].text) if first else WIDTH
        if size + min(after, before) >= WIDTH:
            break
        onwards = size + after < WIDTH and (last - i <= i - first or size + before >= WIDTH)
        size += after if onwards else before
        first, last = (first, last + 1) if onwards else (first - 1, last)
    return _merged(units[first:last])


def _merged(units: Sequence[Window]) -> Window:
    """As one text; what ends as no sentence does, as a heading, stays apart from what follows."""
    text = "".join(f"{one.text}{' ' if _ENDS.search(one.text) else _APART}" for one in units)
    return Window(text.rstrip(), units[0].start, units[-1].end)
