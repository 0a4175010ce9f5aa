"""From bytes to text: which encoding it is, and whether it is text at all."""

from __future__ import annotations

import codecs

from skerry.edge.errors import DocumentError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CONTROL = bytes(set(range(32)) - set(b"\t\n\r\f\x0b\x1b")) + b"\x7f"
_STRAY_CONTROLS = 4
_BINARY_SHARE = 0.02
_SIGNATURES = {b"%PDF-": "a PDF", b"PK\x03\x04": "a ZIP or Office file", b"\x89PNG": "an image"}


def decode(data: bytes, name: str, *, declared: str = "") -> str:
    """The text of `data`.

    The encoding is that of its byte order mark, else UTF-8, else `declared` (what the file itself
    names), else Windows-1252 or Latin-1. Bytes that it does not allow become U+FFFD; a few control
    characters stay, for the caller to drop, but no text has a NUL.

    Raises:
        DocumentError: the bytes are not text.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, errors="replace")
    _refuse_binary(data, name)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return _decode_declared(data, declared) or _decode_damaged(data)


def _decode_declared(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding) if encoding else None
    except (LookupError, UnicodeError):
        return None


def _refuse_binary(data: bytes, name: str) -> None:
    for signature, what in _SIGNATURES.items():
        if data.startswith(signature):
            raise DocumentError(
                f"{name} is {what}, not text", hint="give the file the suffix of its format"
            )
    controls = len(data) - len(data.translate(None, _CONTROL))
    if b"\0" in data or controls > _STRAY_CONTROLS + _BINARY_SHARE * len(data):
        raise DocumentError(
            f"{name} is a binary file, not text",
            hint="save it as UTF-8 text, or give the file the suffix of its format",
        )


def _decode_damaged(data: bytes) -> str:
    """Text that is not valid UTF-8: damaged UTF-8 if most of it is, else a Western code page."""
    repaired = data.decode("utf-8", errors="replace")
    beyond_ascii = len(repaired) - len(repaired.encode("ascii", errors="ignore"))
    if 2 * repaired.count("\ufffd") < beyond_ascii:
        return repaired
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError:
        return data.decode("latin-1")
