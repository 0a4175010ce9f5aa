"""Where the tensors of a safetensors file lie (https://github.com/huggingface/safetensors)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from skerry.sync.delta.places import BF16, BYTES, F16, F32, F64, I8, Place

_KINDS = {"F32": F32, "F16": F16, "BF16": BF16, "F64": F64, "I8": I8, "U8": I8}
_MOST_HEAD = 100 << 20
"""As the reference implementation has it."""


def safetensors_tensors(path: Path) -> list[Place]:
    """The tensors; none where the file is not what it looks like.

    Raises:
        OSError: the file cannot be read.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > min(_MOST_HEAD, size - 8):
            return []
        head = file.read(length)
    try:
        rows = json.loads(head)
        return [
            _place(name, row, 8 + length)
            for name, row in rows.items()
            if name != "__metadata__"
        ]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return []


def _place(name: str, row: dict[str, Any], body: int) -> Place:
    start, end = row["data_offsets"]
    if not 0 <= start <= end:
        raise ValueError(name)
    shape = tuple(map(int, row["shape"]))
    return Place(name, _KINDS.get(row["dtype"], BYTES), shape, body + start, end - start)
