"""Where a tensor lies in a file."""

from __future__ import annotations

from typing import NamedTuple

BYTES = 255
"""The kind of what has no known meaning; other kinds are the types of ggml."""
F32, F16, I8, I16, I32, I64, F64, BF16 = 0, 1, 24, 25, 26, 27, 28, 30
WIDTHS = {F32: 4, F16: 2, I8: 1, I16: 2, I32: 4, I64: 8, F64: 8, BF16: 2}
"""Bytes of a value of the types that store values one by one."""
MOST_TENSORS = 1 << 20


class Place(NamedTuple):
    """A tensor of `kind` in `length` bytes at `offset`."""

    name: str
    kind: int
    shape: tuple[int, ...]
    offset: int
    length: int
