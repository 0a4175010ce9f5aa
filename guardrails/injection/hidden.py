"""Texts within a text: codes, ROT13, what is written backwards, words that are joined by something
else than spaces, and words that are cut by marks.

Only where something is odd: a long run of code (`codes`), of joined words or of letters, marks
within words, or a sentence of words that nobody knows. What is decoded may be coded again, a few
times over.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Sequence

import numpy as np

from skerry.guardrails.injection.codes import CODES
from skerry.guardrails.wording.words import Words

_JOINED = re.compile(
    r"(?<![A-Za-z0-9_])[A-Za-z]{1,20}(?:_+[A-Za-z]{1,20}){3,}"
    r"|(?<![A-Za-z0-9_])[A-Za-z][a-z]{1,20}(?:[A-Z][a-z]{0,20}){3,}"
)
_STACKED = re.compile(r"(?<!\w)\w{1,20}(?:[ \t]*\n\s{0,8}\w{1,20}){3,}(?!\w)")
_SPELT = re.compile(
    r"(?<!\w)\w(?:(?P<gap>[-._*~|+/])\w){2,20}(?:\s{1,4}\w(?:(?P=gap)\w){0,20}){2,}(?!\w)"
)
_LETTER_GAP = re.compile(r"(?<=\w)[-._*~|+/](?=\w)")
_MARK = r"(?:[*_`~]{1,3}|</?[a-zA-Z]{1,10}(?:\s[^<>\n]{0,40})?/?>|<!--[^<>\n]{0,80}-->)"
_ANY_MARK = re.compile(_MARK)
_MARK_WITHIN = re.compile(rf"(?<=\w){_MARK}{{1,3}}(?=\w)")
_LINE = re.compile(r"[^\n]+")
_WORD_OF_JOINED = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_DEEPEST = 4
_LEAST_WORDS = 3
_LEAST_MARKS = 3
_UNKNOWN = 0.3

Hidden = tuple[int, int, str]


def texts(text: str, words: Words) -> Iterator[Hidden]:
    """What is hidden at [start, end) of `text`, a plain copy with these words; in linear time."""
    coded = list(_coded(text))
    yield from coded
    text = _without(text, coded)
    for found in _JOINED.finditer(text):
        yield *found.span(), " ".join(_WORD_OF_JOINED.findall(found.group()))
    for found in _STACKED.finditer(text):
        yield *found.span(), " ".join(found.group().split())
    for found in _SPELT.finditer(text):
        yield *found.span(), _LETTER_GAP.sub("", found.group())
    yield from _marked(text)
    odd = (words.unknown >= _UNKNOWN) & (words.lasts - words.firsts >= _LEAST_WORDS)
    for at in np.flatnonzero(odd).tolist():
        start, end = words.spans[at]
        yield start, end, codecs.encode(text[start:end], "rot13")
        yield start, end, text[start:end][::-1]


def _marked(text: str) -> Iterator[Hidden]:
    """Lines with marks within their words, without these: "ig**no**re", "a_l_l"."""
    if len(_MARK_WITHIN.findall(text)) < _LEAST_MARKS:
        return
    for found in _LINE.finditer(text):
        line = found.group()
        if len(_MARK_WITHIN.findall(line)) >= _LEAST_MARKS:
            yield *found.span(), _ANY_MARK.sub("", line)


def _coded(text: str, deep: int = 1) -> Iterator[Hidden]:
    """What runs of code letters and escapes stand for; and what stands for that, and so on.

    Each time it is shorter, so that all of it takes time linear in the text.
    """
    for pattern, decode in CODES:
        for found in pattern.finditer(text):
            if plain := decode(found.group()):
                inner = list(_coded(plain, deep + 1)) if deep < _DEEPEST else []
                yield *found.span(), _without(plain, inner)
                yield from ((*found.span(), one) for _, _, one in inner)


def _without(text: str, coded: Sequence[Hidden]) -> str:
    """The text with spaces for its runs of code, which look like nothing that anybody says."""
    parts, cursor = [], 0
    for start, end in sorted({(start, end) for start, end, _ in coded}):
        first = max(start, cursor)
        parts += [text[cursor:first], " " * (end - first)]
        cursor = max(cursor, end)
    return "".join([*parts, text[cursor:]])
