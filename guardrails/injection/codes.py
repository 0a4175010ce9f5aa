"""Runs of code in a text, and what they stand for: base64, base32, hexadecimal, character codes in
binary, octal or decimal, and escapes.

A decoder gives the empty text for what is no such code.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable

_CODE = re.compile(r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/_-]{16,}={0,6}")
_HEX = re.compile(r"(?:(?:0x)?[0-9a-fA-F]{2}[ :,]{0,2}){12,}")
_BITS = re.compile(r"(?<!\d)[01]{8}(?:[ ,]{0,2}[01]{8}){7,}(?!\d)")
_NUMBERS = re.compile(r"(?<![\d.])\d{2,3}(?:[ ,;]{1,2}\d{2,3}){11,}(?![\d.])")
_ESCAPE = (
    r"(?:\\{1,4}u\{?[0-9a-fA-F]{4}\}?|\\{1,4}x[0-9a-fA-F]{2}|\\{1,4}[0-7]{3}|%[0-9a-fA-F]{2}"
    r"|U\+00[0-9a-fA-F]{2} ?)"
)
_ONE_ESCAPE = re.compile(_ESCAPE)
_ESCAPED = re.compile(
    rf"[^\s\\%]{{0,40}}{_ESCAPE}(?:[^\\%\n]{{0,12}}{_ESCAPE}){{3,}}[^\s\\%]{{0,40}}"
)
_READABLE = 0.9


def _from_code(run: str) -> str:
    return _from_hex(run) or _from_base32(run) or _from_base64(run)


def _from_base64(run: str) -> str:
    plain = run.rstrip("=").translate(str.maketrans("-_", "+/"))
    whole = plain[: len(plain) - (len(plain) % 4 == 1)]
    try:
        return _readable(base64.b64decode(whole + "=" * (-len(whole) % 4)))
    except (binascii.Error, ValueError):
        return ""


def _from_base32(run: str) -> str:
    plain = run.rstrip("=")
    whole = plain[: len(plain) // 8 * 8]  # the rest of a cut code is a letter or two
    try:
        return _readable(base64.b32decode(whole))
    except (binascii.Error, ValueError):
        return ""


def _from_hex(run: str) -> str:
    digits = re.sub(r"0x|[ :,]", "", run)
    try:
        return _readable(bytes.fromhex(digits[: len(digits) // 2 * 2]))
    except ValueError:
        return ""


def _from_bits(run: str) -> str:
    bits = re.sub(r"[ ,]", "", run)
    return _readable(bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits), 8)))


def _from_numbers(run: str) -> str:
    """Decimal character codes, or octal ones."""
    numbers = re.findall(r"\d+", run)
    for base in (10, 8):
        try:
            made = _readable(bytes(int(one, base) for one in numbers))
        except ValueError:  # no such digit, or no byte
            continue
        if made:
            return made
    return ""


def _from_escapes(run: str) -> str:
    return _ONE_ESCAPE.sub(_character, run)


def _character(found: re.Match[str]) -> str:
    """What an escape stands for: one like `\\u0041`, `\\x41`, `\\101`, `%41` or `U+0041`."""
    escape = found.group()
    bare = escape.lstrip("\\")
    octal = bare != escape and bare[0].isdecimal()
    return chr(int(bare.lstrip("uxU+%{").rstrip("} "), 8 if octal else 16))


def _readable(content: bytes) -> str:
    """The content as text if nearly all of it is printable ASCII, else nothing."""
    text = content.decode("ascii", "ignore")
    printable = sum(one.isprintable() or one.isspace() for one in text)
    return text if content and printable >= _READABLE * len(content) else ""


CODES: tuple[tuple[re.Pattern[str], Callable[[str], str]], ...] = (
    (_CODE, _from_code),
    (_HEX, _from_hex),
    (_BITS, _from_bits),
    (_NUMBERS, _from_numbers),
    (_ESCAPED, _from_escapes),
)
"""How each kind of run looks, and what decodes it. Each is found in time linear in the text."""
