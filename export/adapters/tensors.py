"""Safetensors as adapters need them: arrays by name, and files written one tensor at a time.

Reading and its checks are `skerry.export.gguf.safetensors`. Format:
https://github.com/huggingface/safetensors#format. Numpy has no bfloat16: such numbers are widened
to float32, which holds each of them exactly, and rounded to the nearest, ties to even, when they
are written.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from skerry.export.errors import OutputFailed, SourceRefused
from skerry.export.gguf.safetensors import Stored, floats, open_file, open_folder

Floats = NDArray[np.float32]

_BYTES = {"F32": 4, "F16": 2, "BF16": 2}
_METADATA = "__metadata__"


@dataclass(frozen=True, slots=True)
class Tensors(Mapping[str, Floats]):
    """The tensors of a file, or of a folder's files; each is read when it is asked for."""

    stored: Mapping[str, Stored]

    def __getitem__(self, name: str) -> Floats:
        """The tensor in float32."""
        one = self.stored[name]
        return floats(one.raw(), one.dtype)

    def __iter__(self) -> Iterator[str]:
        return iter(self.stored)

    def __len__(self) -> int:
        return len(self.stored)

    def raw(self, name: str) -> bytes:
        """Its bytes as they are stored."""
        return self.stored[name].raw().tobytes()


def read_tensors(file: Path) -> Tensors:
    """The tensors of one file.

    Raises:
        SourceRefused: there is no such file, or it is not a whole safetensors file of floats.
    """
    try:
        return Tensors(open_file(file))
    except OSError as error:
        raise SourceRefused(f"'{file}' cannot be read: {error.strerror}") from error
    except TypeError as error:
        raise SourceRefused(f"'{file}' does not say what its tensors are") from error


def read_metadata(file: Path) -> dict[str, str]:
    """The texts in the header of a file that `read_tensors` has checked."""
    with file.open("rb") as opened:
        header = json.loads(opened.read(int.from_bytes(opened.read(8), "little")))
    return dict(header.get(_METADATA) or {})


def read_folder(folder: Path) -> Tensors:
    """The weights of a Hugging Face folder.

    Raises:
        SourceRefused: there are none, a shard is missing or damaged, or names are not in it.
    """
    try:
        return Tensors(open_folder(folder))
    except OSError as error:
        raise SourceRefused(f"'{folder}' cannot be read: {error.strerror}") from error


def write_tensors(
    file: Path,
    layout: Mapping[str, tuple[str, tuple[int, ...]]],
    tensors: Iterable[tuple[str, Floats | bytes]],
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Writes a safetensors file beside `file`, flushes it to the disk, and renames it.

    Args:
        layout: (dtype, shape) by name, in the order of `tensors`.
        tensors: numbers, or bytes already of the dtype; may be made one at a time.

    Raises:
        OutputFailed: the disk is full, or the place cannot be written.
        ValueError: a tensor is not what the layout says.
    """
    partial = file.with_name(f".{file.name}.partial")
    try:
        with partial.open("wb") as opened:
            opened.write(_header_bytes(layout, metadata or {}))
            _write_all(opened, layout, tensors)
            opened.flush()
            os.fsync(opened.fileno())
        partial.replace(file)
    except OSError as error:
        raise OutputFailed(
            f"'{file}' cannot be written: {error.strerror}", hint="free some space, or give a place"
        ) from error
    finally:
        partial.unlink(missing_ok=True)


def _write_all(
    opened: IO[bytes],
    layout: Mapping[str, tuple[str, tuple[int, ...]]],
    tensors: Iterable[tuple[str, Floats | bytes]],
) -> None:
    written = []
    for name, value in tensors:
        dtype, shape = layout[name]
        data = value if isinstance(value, bytes) else _encoded(value, dtype)
        if len(data) != math.prod(shape) * _BYTES[dtype]:
            raise ValueError(f"'{name}' is not {dtype} of shape {shape}")
        opened.write(data)
        written.append(name)
    if written != list(layout):
        raise ValueError("tensors are not those of the layout, in its order")


def _encoded(value: Floats, dtype: str) -> bytes:
    if dtype == "BF16":
        bits = np.ascontiguousarray(value, np.float32).view(np.uint32)
        rounded = bits + 0x7FFF + ((bits >> 16) & 1)
        return (rounded >> 16).astype("<u2").tobytes()
    return value.astype({"F32": "<f4", "F16": "<f2"}[dtype]).tobytes()


def _header_bytes(
    layout: Mapping[str, tuple[str, tuple[int, ...]]], metadata: Mapping[str, str]
) -> bytes:
    rows: dict[str, Any] = {_METADATA: dict(metadata)} if metadata else {}
    at = 0
    for name, (dtype, shape) in layout.items():
        end = at + math.prod(shape) * _BYTES[dtype]
        rows[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [at, end]}
        at = end
    text = json.dumps(rows, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text
