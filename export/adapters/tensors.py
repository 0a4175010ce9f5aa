"""Reads and writes safetensors files one tensor at a time, every length checked. No pickles.

Format: 8 bytes of length, little endian, a header in JSON, then the numbers of all tensors
(https://github.com/huggingface/safetensors#format). Numpy has no bfloat16: such numbers are
widened to float32, which holds each of them exactly, and rounded to the nearest, ties to even,
when they are written.
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

Floats = NDArray[np.float32]

_MOST_HEADER_BYTES = 100_000_000  # as the safetensors library has it
_BYTES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2}
_OTHER_BYTES = {"I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}
_METADATA = "__metadata__"


@dataclass(frozen=True, slots=True)
class Stored:
    """Where a tensor is: `begin` in bytes from the start of its file."""

    file: Path
    dtype: str
    shape: tuple[int, ...]
    begin: int

    @property
    def size_bytes(self) -> int:
        return math.prod(self.shape) * (_BYTES | _OTHER_BYTES)[self.dtype]


@dataclass(frozen=True, slots=True)
class Tensors(Mapping[str, Floats]):
    """The tensors of a file, or of a folder's files; each is read when it is asked for."""

    stored: Mapping[str, Stored]
    metadata: Mapping[str, str]

    def __getitem__(self, name: str) -> Floats:
        """The tensor in float32.

        Raises:
            SourceRefused: it is not of floating-point numbers.
        """
        return _floats(name, self.stored[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self.stored)

    def __len__(self) -> int:
        return len(self.stored)

    def raw(self, name: str) -> bytes:
        """Its bytes as they are stored."""
        one = self.stored[name]
        with one.file.open("rb") as file:
            file.seek(one.begin)
            return file.read(one.size_bytes)


def read_tensors(file: Path) -> Tensors:
    """The tensors of one file.

    Raises:
        SourceRefused: there is no such file, or it is not a whole safetensors file.
    """
    try:
        with file.open("rb") as opened:
            size = os.fstat(opened.fileno()).st_size
            header, begin = _header(file, opened, size)
    except OSError as error:
        raise SourceRefused(f"'{file}' cannot be read: {error.strerror}") from error
    metadata = header.pop(_METADATA, None)
    known = {} if not isinstance(metadata, dict) else metadata
    stored = {name: _stored(file, name, row, begin, size) for name, row in header.items()}
    return Tensors(stored, {str(key): str(value) for key, value in known.items()})


def read_folder(folder: Path) -> Tensors:
    """The weights of a Hugging Face folder: model.safetensors, or the shards of its index.

    Raises:
        SourceRefused: there are none, a shard is missing or damaged, or names are not in it.
    """
    index = folder / "model.safetensors.index.json"
    if not index.is_file():
        return read_tensors(folder / "model.safetensors")
    places = _index(index)
    shards = {name: read_tensors(folder / name) for name in sorted(set(places.values()))}
    for name, shard in places.items():
        if name not in shards[shard]:
            raise SourceRefused(f"'{folder / shard}' lacks the tensor '{name}' of the index")
    return Tensors({name: shards[shard].stored[name] for name, shard in places.items()}, {})


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
        if len(data) != math.prod(shape) * (_BYTES | _OTHER_BYTES)[dtype]:
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
    return value.astype({"F64": "<f8", "F32": "<f4", "F16": "<f2"}[dtype]).tobytes()


def _header_bytes(
    layout: Mapping[str, tuple[str, tuple[int, ...]]], metadata: Mapping[str, str]
) -> bytes:
    rows: dict[str, Any] = {_METADATA: dict(metadata)} if metadata else {}
    at = 0
    for name, (dtype, shape) in layout.items():
        end = at + math.prod(shape) * (_BYTES | _OTHER_BYTES)[dtype]
        rows[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [at, end]}
        at = end
    text = json.dumps(rows, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def _floats(name: str, one: Stored) -> Floats:
    if one.dtype not in _BYTES:
        raise SourceRefused(f"the tensor '{name}' in '{one.file}' is {one.dtype}, not of floats")
    count = math.prod(one.shape)
    if one.dtype == "BF16":
        halves = np.fromfile(one.file, "<u2", count, offset=one.begin)
        return (halves.astype(np.uint32) << 16).view(np.float32).reshape(one.shape)
    kind = {"F64": "<f8", "F32": "<f4", "F16": "<f2"}[one.dtype]
    values = np.fromfile(one.file, kind, count, offset=one.begin)
    return values.astype(np.float32, copy=False).reshape(one.shape)


def _header(file: Path, opened: IO[bytes], size: int) -> tuple[dict[str, Any], int]:
    """The header, and where the numbers begin."""
    length = int.from_bytes(opened.read(8), "little")
    if size < 8 or length > min(size - 8, _MOST_HEADER_BYTES):
        raise SourceRefused(
            f"'{file}' is not a whole safetensors file", hint="fetch or save it again"
        )
    try:
        header = json.loads(opened.read(length))
    except (ValueError, RecursionError) as error:
        raise SourceRefused(f"the header of '{file}' is not JSON") from error
    if not isinstance(header, dict):
        raise SourceRefused(f"the header of '{file}' is not an object")
    return header, 8 + length


def _stored(file: Path, name: str, row: Any, begin: int, size: int) -> Stored:
    try:
        shape = tuple(_count(one) for one in row["shape"])
        start, end = (_count(one) for one in row["data_offsets"])
        one = Stored(file, row["dtype"], shape, begin + start)
        fits = end - start == one.size_bytes and begin + end <= size
    except (KeyError, TypeError, ValueError) as error:
        raise SourceRefused(f"'{file}' does not say what its tensor '{name}' is") from error
    if not fits:
        raise SourceRefused(f"the tensor '{name}' is not whole in '{file}'", hint="fetch it again")
    return one


def _count(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError("not a count")
    return value


def _index(file: Path) -> dict[str, str]:
    try:
        places: dict[str, str] = json.loads(file.read_bytes())["weight_map"]
        plain = all(
            isinstance(name, str) and isinstance(shard, str) and Path(shard).name == shard
            for name, shard in places.items()
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise SourceRefused(f"'{file}' is not an index of shards") from error
    if not plain:
        raise SourceRefused(f"'{file}' names shards outside its folder")
    return places
