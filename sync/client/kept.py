"""Small records that a device cannot do without: checked when read, and mended from a copy.

A file is its content and a line with the SHA-256 of that. A flipped bit is seen; the copy beside it
takes its place.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from skerry.sync.durable import write_file

_DIGEST = 64


def seal(data: bytes) -> bytes:
    """`data`, and the line that checks it."""
    return data + b"\n" + hashlib.sha256(data).hexdigest().encode() + b"\n"


def unseal(data: bytes) -> bytes | None:
    """What was sealed; None where it is not whole."""
    body, digest = data[: -_DIGEST - 2], data[-_DIGEST - 1 : -1]
    return body if hashlib.sha256(body).hexdigest().encode() == digest else None


def keep(path: Path, data: bytes) -> None:
    """Puts a record and its copy in their places; raises OSError."""
    write_file(_copy(path), seal(data))
    write_file(path, seal(data))


def recall(path: Path) -> bytes | None:
    """The record, mended from its copy where it must be; None where neither is whole."""
    for found in (path, _copy(path)):
        body = _read(found)
        if body is not None:
            for other in (path, _copy(path)):
                if _read(other) != body:
                    write_file(other, seal(body))
            return body
    return None


def _read(path: Path) -> bytes | None:
    try:
        return unseal(path.read_bytes())
    except OSError:
        return None


def _copy(path: Path) -> Path:
    return path.with_name(f"{path.name}.copy")
