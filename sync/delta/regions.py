"""A file as regions: tensors where its format is known, and the bytes between them.

Formats are read here only as far as tensors lie: name, type, place. What cannot be read as its
format is one region of bytes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from skerry.bundles.gguf.container import read_gguf
from skerry.bundles.gguf.errors import GgufError

BYTES = 255


@dataclass(frozen=True, slots=True)
class Region:
    """`length` bytes at `offset`. `kind` is a type of ggml, or 255 for bytes of no known meaning;
    `shape` is that of a tensor."""

    name: str
    kind: int
    shape: tuple[int, ...]
    offset: int
    length: int


def regions(path: Path) -> list[Region]:
    """The regions of the file, in its order; together they are the whole file.

    Raises:
        OSError: the file cannot be read.
    """
    size = path.stat().st_size
    tensors = _tensors(path)
    return list(_covered(sorted(tensors, key=lambda one: one.offset), size))


def _tensors(path: Path) -> list[Region]:
    with path.open("rb") as file:
        start = file.read(8)
    if start.startswith(b"GGUF"):
        return _gguf(path)
    return []


def _gguf(path: Path) -> list[Region]:
    try:
        found = read_gguf(path)
    except GgufError:
        return []
    return [
        Region(one.name, one.kind.number, one.shape, one.offset, one.size_bytes)
        for one in found.tensors
    ]


def _covered(tensors: Iterable[Region], size: int) -> Iterable[Region]:
    """The tensors, and what is between them; none where they overlap."""
    at, before = 0, ""
    rows = []
    for one in tensors:
        if one.offset < at or one.offset + one.length > size:
            return [Region("", BYTES, (), 0, size)] if size else []
        if one.offset > at:
            rows.append(Region(f"after {before}", BYTES, (), at, one.offset - at))
        rows.append(one)
        at, before = one.offset + one.length, one.name
    if size > at:
        rows.append(Region(f"after {before}", BYTES, (), at, size - at))
    return rows
