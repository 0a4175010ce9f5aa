"""Texts within a text: base64, hexadecimal, ROT13, and what is written backwards.

Only where something is odd: a long run of code letters, or a sentence of words that nobody knows.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import re
from collections.abc import Iterator

import numpy as np

from skerry.guardrails.wording.words import Words

_CODE = re.compile(r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/_-]{16,}={0,2}")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2}[ :]?){12,}")
_LEAST_WORDS = 3
_UNKNOWN = 0.3
_READABLE = 0.9

Hidden = tuple[int, int, str]


def texts(text: str, words: Words) -> Iterator[Hidden]:
    """What is hidden at [start, end) of `text`, a plain copy with these words; in linear time."""
    for found in _CODE.finditer(text):
        if plain := _from_hex(found.group()) or _from_base64(found.group()):
            yield *found.span(), plain
    for found in _HEX.finditer(text):
        if plain := _from_hex(found.group()):
            yield *found.span(), plain
    odd = (words.unknown >= _UNKNOWN) & (words.lasts - words.firsts >= _LEAST_WORDS)
    for at in np.flatnonzero(odd).tolist():
        start, end = words.spans[at]
        yield start, end, codecs.encode(text[start:end], "rot13")
        yield start, end, text[start:end][::-1]


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


def _readable(content: bytes) -> str:
    """The content as text if nearly all of it is printable ASCII, else nothing."""
    text = content.decode("ascii", "ignore")
    printable = sum(one.isprintable() or one.isspace() for one in text)
    return text if content and printable >= _READABLE * len(content) else ""
