"""Small records that a device cannot do without: checked when read, and mended from a copy.

A file is its content and a line with the SHA-256 of its name and that. A flipped bit is seen, and
so is the content of another file; the copy beside it takes its place.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from skerry.sync.durable import write_file

_DIGEST = 64


def seal(data: bytes, name: str) -> bytes:
    """`data` of the file `name`, and the line that checks both."""
    return data + b"\n" + _check(data, name) + b"\n"


def unseal(data: bytes, name: str) -> bytes | None:
    """What was sealed; None where it is not whole, or of another file."""
    body, digest = data[: -_DIGEST - 2], data[-_DIGEST - 1 : -1]
    return body if _check(body, name) == digest else None


def _check(data: bytes, name: str) -> bytes:
    return hashlib.sha256(name.encode() + b"\0" + data).hexdigest().encode()


def keep(path: Path, data: bytes) -> None:
    """Puts a record and its copy in their places; raises OSError."""
    for place in (_copy(path), path):
        write_file(place, seal(data, path.name))


def recall(path: Path) -> bytes | None:
    """The record, mended from its copy where it must be; None where neither is whole."""
    for found in (path, _copy(path)):
        body = _read(found, path.name)
        if body is not None:
            for other in (path, _copy(path)):
                if _read(other, path.name) != body:
                    write_file(other, seal(body, path.name))
            return body
    return None


def _read(path: Path, name: str) -> bytes | None:
    try:
        return unseal(path.read_bytes(), name)
    except OSError:
        return None


def _copy(path: Path) -> Path:
    return path.with_name(f"{path.name}.copy")
