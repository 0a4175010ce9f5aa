"""Reads safetensors files: headers checked to the last byte, weights mapped and never loaded whole.

Format: https://github.com/huggingface/safetensors#format: eight bytes of header length, a JSON
object of names to dtype, shape and offsets, the data. A model may be one file or several with an
index. Pickles (.bin, .pt) are not read: loading one runs the program that is in it.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skerry.export.errors import SourceRefused

SINGLE, INDEX = "model.safetensors", "model.safetensors.index.json"
MAX_HEADER_BYTES = 100_000_000
"""The format's own limit."""

_MAX_INDEX_BYTES = 100_000_000
_MAX_DIMENSIONS = 8
_LENGTH = struct.Struct("<Q")
_DTYPES: dict[str, np.dtype[Any]] = {
    "F32": np.dtype("<f4"),
    "F16": np.dtype("<f2"),
    "BF16": np.dtype("<u2"),
}
PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl")
_FETCH = "fetch the file again and compare its digest"


@dataclass(frozen=True, slots=True)
class Stored:
    """One tensor of a file; `offset` in bytes from the start of the file."""

    path: Path
    name: str
    dtype: str
    shape: tuple[int, ...]
    offset: int

    @property
    def values(self) -> int:
        return math.prod(self.shape)

    @property
    def size_bytes(self) -> int:
        return self.values * _DTYPES[self.dtype].itemsize

    def raw(self) -> NDArray[Any]:
        """The file's bytes, mapped: shape `shape`; BF16 as uint16."""
        dtype = _DTYPES[self.dtype]
        if not self.values:
            return np.empty(self.shape, dtype)
        mapped: NDArray[Any] = np.memmap(self.path, dtype, "r", self.offset, self.shape)
        return mapped


def floats(raw: NDArray[Any], dtype: str) -> NDArray[np.float32]:
    """Exactly the values of a part of `Stored.raw()`, as a new float32 array."""
    if dtype == "BF16":
        return (raw.astype(np.uint32) << 16).view(np.float32)
    return raw.astype(np.float32)


def open_folder(folder: Path) -> dict[str, Stored]:
    """All tensors of a model's folder, by name.

    Raises:
        SourceRefused: no safetensors, a part is missing, or a file is damaged or hostile.
    """
    single, index = folder / SINGLE, folder / INDEX
    if single.is_file():
        return open_file(single)
    if index.is_file():
        return _open_parts(folder, index)
    raise _none(folder)


def open_file(path: Path) -> dict[str, Stored]:
    """All tensors of one file; SourceRefused as `open_folder`."""
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(_LENGTH.size)
        length = _LENGTH.unpack(start)[0] if len(start) == _LENGTH.size else size
        if length > min(MAX_HEADER_BYTES, size - _LENGTH.size):
            raise _damaged(path, f"its header claims {length} bytes of a file of {size}")
        header = _json(path, file.read(length))
    rows = {name: row for name, row in header.items() if name != "__metadata__"}
    data = _LENGTH.size + length
    stored = {name: _stored(path, name, row, data) for name, row in rows.items()}
    _check_layout(path, list(stored.values()), data, size)
    return stored


def _none(folder: Path) -> SourceRefused:
    pickles = sorted(path.name for path in folder.glob("*") if path.suffix in PICKLES)
    if pickles:
        return SourceRefused(
            f"'{folder}' has its weights as a pickle ({pickles[0]}), which is never loaded: it "
            "could run any program",
            hint="get the model as safetensors; save_pretrained(..., safe_serialization=True)",
        )
    return SourceRefused(f"'{folder}' has no {SINGLE}", hint="fetch the model's weights")


def _open_parts(folder: Path, index: Path) -> dict[str, Stored]:
    if index.stat().st_size > _MAX_INDEX_BYTES:
        raise _damaged(index, "it is larger than any index")
    places = _json(index, index.read_bytes()).get("weight_map")
    if not isinstance(places, dict) or not all(isinstance(name, str) for name in places.values()):
        raise _damaged(index, "it has no weight_map of names to files")
    parts = sorted(set(places.values()))
    _check_parts(folder, parts)
    files = {name: open_file(folder / name) for name in parts}
    absent = [name for name, part in places.items() if name not in files[part]]
    if absent:
        raise _damaged(index, f"{places[absent[0]]} has no tensor {absent[0]}")
    return {name: files[part][name] for name, part in places.items()}


def _check_parts(folder: Path, parts: list[str]) -> None:
    """An index may name files beside it, and nothing else."""
    if outside := [name for name in parts if Path(name).name != name]:
        raise _damaged(folder / INDEX, f"it names a file elsewhere: {outside[0]}")
    if missing := [name for name in parts if not (folder / name).is_file()]:
        raise SourceRefused(
            f"'{folder}' lacks {len(missing)} of {len(parts)} parts: {', '.join(missing[:3])}",
            hint="fetch the missing files",
        )


def _json(path: Path, data: bytes) -> dict[str, Any]:
    try:
        parsed = json.loads(data, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise _damaged(path, f"no JSON: {error}") from error
    if not isinstance(parsed, dict):
        raise _damaged(path, "its JSON is no object")
    return parsed


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("a name occurs twice")
    return made


def _stored(path: Path, name: str, row: Any, data: int) -> Stored:
    """One row of the header; the offsets are from the start of the data."""
    try:
        dtype, shape, (start, end) = row["dtype"], tuple(row["shape"]), row["data_offsets"]
    except (TypeError, KeyError, ValueError) as error:
        raise _damaged(path, f"the row of {name} is no tensor") from error
    numbers = (*shape, start, end)
    if len(shape) > _MAX_DIMENSIONS or not all(type(one) is int and one >= 0 for one in numbers):
        raise _damaged(path, f"{name} has impossible lengths")
    if not isinstance(dtype, str) or dtype not in _DTYPES:
        raise SourceRefused(
            f"{path}: {name} is {dtype!r}; weights are taken as {', '.join(_DTYPES)}",
            hint="export from the model in float, before it was quantized",
        )
    stored = Stored(path, name, dtype, shape, data + start)
    if end - start != stored.size_bytes:
        raise _damaged(path, f"{name} of shape {list(shape)} claims {end - start} bytes")
    return stored


def _check_layout(path: Path, stored: list[Stored], data: int, size: int) -> None:
    """The tensors follow each other without gap or overlap, to the end of the file."""
    at = data
    for tensor in sorted(stored, key=lambda one: (one.offset, one.size_bytes)):
        if tensor.offset != at:
            what = "overlaps another" if tensor.offset < at else "leaves a gap before it"
            raise _damaged(path, f"{tensor.name} {what}")
        at += tensor.size_bytes
    if at > size:
        raise _damaged(path, f"it is cut off: {at} bytes are claimed, {size} are there")
    if at < size:
        raise _damaged(path, f"{size - at} bytes at its end belong to no tensor")


def _damaged(path: Path, what: str) -> SourceRefused:
    return SourceRefused(f"'{path}' is damaged: {what}", hint=_FETCH)


def float_type(stored: Mapping[str, Stored]) -> str:
    """The narrowest of "f16", "bf16" and "f32" that holds all tensors exactly."""
    kinds = {one.dtype for one in stored.values()}
    return kinds.pop().lower() if len(kinds) == 1 else "f32"
