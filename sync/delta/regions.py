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
from skerry.sync.delta.onnx import onnx_tensors
from skerry.sync.delta.places import BYTES, Place
from skerry.sync.delta.safetensors import safetensors_tensors


@dataclass(frozen=True, slots=True)
class Region:
    """`length` bytes at `offset`. `kind` is a type of ggml, or 255 for bytes of no known meaning;
    a tensor has a `shape`."""

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
    tensors = [Region(*one) for one in _tensors(path)]
    return _covered(sorted(tensors, key=lambda one: one.offset), size)


def _tensors(path: Path) -> list[Place]:
    with path.open("rb") as file:
        start = file.read(16)
    if start.startswith(b"GGUF"):
        return _gguf(path)
    if start[8:9] == b"{":
        return safetensors_tensors(path)
    if start[:1] == b"\x08":
        return onnx_tensors(path)
    return []


def _gguf(path: Path) -> list[Place]:
    try:
        found = read_gguf(path)
    except GgufError:
        return []
    return [
        Place(one.name, one.kind.number, one.shape, one.offset, one.size_bytes)
        for one in found.tensors
    ]


def _covered(tensors: Iterable[Region], size: int) -> list[Region]:
    """The tensors, and what is between them; one region where tensors overlap."""
    at, before = 0, ""
    rows: list[Region] = []
    for one in tensors:
        if one.offset < at or one.offset + one.length > size:
            return [Region("", BYTES, (), 0, size)] if size else []
        if one.offset > at:
            rows.append(Region(f"after {before}", BYTES, (), at, one.offset - at))
        if one.length:
            rows.append(one)
        at, before = one.offset + one.length, one.name
    if size > at:
        rows.append(Region(f"after {before}", BYTES, (), at, size - at))
    return rows
