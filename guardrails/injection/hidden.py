"""Texts within a text: base64, hexadecimal, escapes, ROT13, what is written backwards, and words
that are joined by something else than spaces.

Only where something is odd: a long run of code letters, of escapes or of joined words, or a
sentence of words that nobody knows. What is decoded may be coded again, a few times over.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import re
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from skerry.guardrails.wording.words import Words

_CODE = re.compile(r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/_-]{16,}={0,2}")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2}[ :]?){12,}")
_ESCAPE = (
    r"(?:\\u\{?[0-9a-fA-F]{4}\}?|\\x[0-9a-fA-F]{2}|\\[0-7]{3}|%[0-9a-fA-F]{2}"
    r"|U\+00[0-9a-fA-F]{2} ?)"
)
_ONE_ESCAPE = re.compile(_ESCAPE)
_ESCAPED = re.compile(
    rf"[^\s\\%]{{0,40}}{_ESCAPE}(?:[^\\%\n]{{0,12}}{_ESCAPE}){{3,}}[^\s\\%]{{0,40}}"
)
_JOINED = re.compile(
    r"(?<![A-Za-z0-9_])[A-Za-z]{1,20}(?:_+[A-Za-z]{1,20}){3,}"
    r"|(?<![A-Za-z0-9_])[A-Z][a-z]{1,20}(?:[A-Z][a-z]{0,20}){3,}"
)
_STACKED = re.compile(r"(?<!\w)\w{1,20}(?:[ \t]*\n\s{0,8}\w{1,20}){3,}(?!\w)")
_WORD_OF_JOINED = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_DEEPEST = 4
_LEAST_WORDS = 3
_UNKNOWN = 0.3
_READABLE = 0.9

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
    odd = (words.unknown >= _UNKNOWN) & (words.lasts - words.firsts >= _LEAST_WORDS)
    for at in np.flatnonzero(odd).tolist():
        start, end = words.spans[at]
        yield start, end, codecs.encode(text[start:end], "rot13")
        yield start, end, text[start:end][::-1]


def _coded(text: str, deep: int = 1) -> Iterator[Hidden]:
    """What runs of code letters and escapes stand for; and what stands for that, and so on.

    Each time it is shorter, so that all of it takes time linear in the text.
    """
    for pattern, decode in _CODES:
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


def _from_code(run: str) -> str:
    return _from_hex(run) or _from_base64(run)


def _from_base64(run: str) -> str:
    plain = run.rstrip("=").translate(str.maketrans("-_", "+/"))
    whole = plain[: len(plain) - (len(plain) % 4 == 1)]
    try:
        return _readable(base64.b64decode(whole + "=" * (-len(whole) % 4)))
    except (binascii.Error, ValueError):
        return ""


def _from_hex(run: str) -> str:
    digits = re.sub(r"[ :]", "", run)
    try:
        return _readable(bytes.fromhex(digits[: len(digits) // 2 * 2]))
    except ValueError:
        return ""


def _from_escapes(run: str) -> str:
    return _ONE_ESCAPE.sub(_character, run)


def _character(found: re.Match[str]) -> str:
    """What an escape stands for: one like `\\u0041`, `\\x41`, `\\101`, `%41` or `U+0041`."""
    digits = found.group().lstrip("\\uxU+%{").rstrip("} ")
    octal = found.group()[0] == "\\" and found.group()[1].isdecimal()
    return chr(int(digits, 8 if octal else 16))


def _readable(content: bytes) -> str:
    """The content as text if nearly all of it is printable ASCII, else nothing."""
    text = content.decode("ascii", "ignore")
    printable = sum(one.isprintable() or one.isspace() for one in text)
    return text if content and printable >= _READABLE * len(content) else ""


_CODES: tuple[tuple[re.Pattern[str], Callable[[str], str]], ...] = (
    (_CODE, _from_code),
    (_HEX, _from_hex),
    (_ESCAPED, _from_escapes),
)
