"""Where the initializers of an ONNX file lie.

A walk over the wire format of protocol buffers, as far as ModelProto.graph (field 7),
GraphProto.initializer (5) and TensorProto's dims (1), data_type (2), name (8) and raw_data (9)
need it: onnx.proto. Everything else is passed over.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from skerry.sync.delta.places import BF16, BYTES, F16, F32, F64, I8, MOST_TENSORS, WIDTHS, Place

_GRAPH, _INITIALIZER = 7, 5
_DIMS, _TYPE, _NAME, _RAW = 1, 2, 8, 9
_VARINT, _EIGHT, _LENGTH, _FOUR = 0, 1, 2, 5
_KINDS = {1: F32, 2: I8, 3: I8, 10: F16, 11: F64, 16: BF16}
_MOST_NAME = 4096


class _Field(NamedTuple):
    """A field: its number, its value if it is an integer, and where its bytes are."""

    number: int
    value: int
    start: int
    end: int


def onnx_tensors(path: Path) -> list[Place]:
    """The initializers whose data is in the file; none where it is no ONNX file.

    Raises:
        OSError: the file cannot be read.
    """
    if not path.stat().st_size:
        return []
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        try:
            return [
                place
                for graph in _fields(data, 0, len(data))
                if graph.number == _GRAPH
                for one in _fields(data, graph.start, graph.end)
                if one.number == _INITIALIZER
                for place in _place(data, one)
            ][:MOST_TENSORS]
        except ValueError:
            return []


def _place(data: mmap.mmap, tensor: _Field) -> Iterator[Place]:
    kind, name, raw, shape = BYTES, "", None, []
    for one in _fields(data, tensor.start, tensor.end):
        if one.number == _TYPE:
            kind = _KINDS.get(one.value, BYTES)
        elif one.number == _NAME and one.end - one.start <= _MOST_NAME:
            name = data[one.start : one.end].decode("utf-8", "replace")
        elif one.number == _RAW:
            raw = one
        elif one.number == _DIMS:
            shape.append(one.value)
    if raw is not None:
        length = raw.end - raw.start
        whole = kind == BYTES or length % WIDTHS[kind] == 0
        yield Place(name, kind if whole else BYTES, tuple(shape), raw.start, length)


def _fields(data: mmap.mmap, at: int, end: int) -> Iterator[_Field]:
    """The fields between two places. Raises ValueError where there are none."""
    while at < end:
        tag, at = _varint(data, at, end)
        number, kind = tag >> 3, tag & 7
        value, start = 0, at
        if kind == _VARINT:
            value, at = _varint(data, at, end)
        elif kind == _LENGTH:
            length, start = _varint(data, at, end)
            at = start + length
        elif kind in (_EIGHT, _FOUR):
            at += 8 if kind == _EIGHT else 4
        else:
            raise ValueError("no such kind of field")
        if at > end:
            raise ValueError("a field ends after its message")
        yield _Field(number, value, start, at)


def _varint(data: mmap.mmap, at: int, end: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= end:
            break
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
    raise ValueError("an integer has no end")
