"""Refuses what is no model before any tool opens it. Pure Python and numpy; nothing is unpickled.

The layout of safetensors: 8 bytes of header length, little endian, a JSON header, then the data
(https://github.com/huggingface/safetensors#format).
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from skerry.export.errors import SourceRefused

T = TypeVar("T", dict[str, Any], list[Any])

_MAX_JSON_BYTES = 64 << 20
_INDEX = "model.safetensors.index.json"
_WIDTHS = {"F32": 4, "F16": 2, "BF16": 2}
_CHUNK_BYTES = 8 << 20
_HINT = "give a GGUF file, or a Hugging Face folder with config.json and safetensors"


@dataclass(frozen=True, slots=True)
class Tensor:
    """Where a tensor's numbers are: bytes `start` to `end` of `file`."""

    file: Path
    name: str
    dtype: str
    shape: tuple[int, ...]
    start: int
    end: int


def check_source(path: Path, architectures: Set[str], *, gguf: bool) -> None:
    """Raises SourceRefused unless `path` is a model that can be taken.

    Args:
        path: a GGUF file or a Hugging Face folder.
        architectures: values of `model_type` that are taken; none for all.
        gguf: whether a GGUF file is taken. What is in it is for its reader to refuse.
    """
    if path.is_file():
        _check_gguf(path, gguf)
        return
    if not (path / "config.json").is_file():
        raise SourceRefused(f"'{path}' is no model", hint=_HINT)
    check_folder(path, architectures)


def check_folder(path: Path, architectures: Set[str] = frozenset()) -> None:
    """Raises SourceRefused unless the folder has whole weights of finite numbers."""
    config = read_json(path / "config.json")
    found = config.get("model_type")
    if architectures and found not in architectures:
        can = ", ".join(sorted(architectures))
        raise SourceRefused(f"'{path}' is a model of type {found!r}", hint=f"can: {can}")
    for file in weight_files(path):
        for tensor in tensors(file):
            _check_finite(tensor)


def weight_files(folder: Path) -> tuple[Path, ...]:
    """The safetensors files of a model, all there.

    Raises:
        SourceRefused: there are none, or a shard is missing.
    """
    index = folder / _INDEX
    if index.is_file():
        return _shards(folder, read_json(index))
    if (folder / "model.safetensors").is_file():
        return (folder / "model.safetensors",)
    pickles = [file.name for file in folder.glob("*.bin")]
    if pickles:
        what = f"'{folder}' has its weights in a pickle ('{pickles[0]}'), which may run code"
        raise SourceRefused(what, hint="convert it to safetensors where you trust it")
    raise SourceRefused(f"'{folder}' has no model.safetensors", hint=_HINT)


def read_json(path: Path, kind: type[T] = dict) -> T:  # type: ignore[assignment]
    """A JSON object, or a list where `kind` is one.

    Raises:
        SourceRefused: the file is not that, or is far too long.
    """
    try:
        if path.stat().st_size > _MAX_JSON_BYTES:
            raise ValueError("far too long")
        document = json.loads(path.read_text("utf-8"))
        if not isinstance(document, kind):
            raise ValueError(f"no {kind.__name__}")
    except (OSError, ValueError, RecursionError) as error:
        raise SourceRefused(f"'{path}' is not readable: {error}", hint="fetch it again") from error
    return document


def tensors(file: Path) -> Iterator[Tensor]:
    """What a safetensors file says it holds; the data is not read.

    Raises:
        SourceRefused: the header does not fit the file, or a tensor is no float.
    """
    header, start = _header(file)
    size = file.stat().st_size
    for name, entry in header.items():
        if name != "__metadata__":
            yield _tensor(file, name, entry, start, size)


def _header(file: Path) -> tuple[Mapping[str, Any], int]:
    try:
        with file.open("rb") as weights:
            length = int.from_bytes(weights.read(8), "little")
            if not 0 < length <= min(_MAX_JSON_BYTES, file.stat().st_size - 8):
                raise ValueError(f"a header of {length} bytes")
            header = json.loads(weights.read(length))
            if not isinstance(header, dict):
                raise ValueError("a header that is not an object")
    except (OSError, ValueError, RecursionError) as error:
        what = f"'{file}' is not a whole safetensors file: {error}"
        raise SourceRefused(what, hint="fetch it again") from error
    return header, 8 + length


def _tensor(file: Path, name: str, entry: Any, start: int, size: int) -> Tensor:
    try:
        dtype, shape = entry["dtype"], tuple(map(int, entry["shape"]))
        first, last = map(int, entry["data_offsets"])
    except (KeyError, TypeError, ValueError) as error:
        raise SourceRefused(f"'{file}': tensor '{name}' is not described", hint=_HINT) from error
    if dtype not in _WIDTHS and dtype != "I64":  # BERT's position ids
        raise SourceRefused(f"'{file}': tensor '{name}' is {dtype}", hint="use float weights")
    wanted = math.prod(shape) * _WIDTHS.get(dtype, 8)
    if first < 0 or last - first != wanted or start + last > size:
        what = f"'{file}': tensor '{name}' does not fit: the file was cut off or damaged"
        raise SourceRefused(what, hint="fetch it again")
    return Tensor(file, name, dtype, shape, start + first, start + last)


def _shards(folder: Path, index: Mapping[str, Any]) -> tuple[Path, ...]:
    names = sorted({str(name) for name in dict(index.get("weight_map", {})).values()})
    if not names or any(Path(name).name != name for name in names):
        raise SourceRefused(f"'{folder / _INDEX}' names no shards", hint="fetch it again")
    for name in names:
        if not (folder / name).is_file():
            raise SourceRefused(f"the shard '{folder / name}' is missing", hint="fetch it again")
    return tuple(folder / name for name in names)


def _check_finite(tensor: Tensor) -> None:
    if tensor.dtype == "I64":
        return
    with tensor.file.open("rb") as weights:
        weights.seek(tensor.start)
        for start in range(tensor.start, tensor.end, _CHUNK_BYTES):
            block = weights.read(min(_CHUNK_BYTES, tensor.end - start))
            if not _finite(block, tensor.dtype):
                what = f"'{tensor.file}': tensor '{tensor.name}' has numbers that are not finite"
                raise SourceRefused(what, hint="the training went wrong: take another checkpoint")


def _finite(block: bytes, dtype: str) -> bool:
    if dtype == "BF16":  # all bits of the exponent set: infinity or no number
        return not bool(np.any((np.frombuffer(block, "<u2") & 0x7F80) == 0x7F80))
    return bool(np.isfinite(np.frombuffer(block, "<f4" if dtype == "F32" else "<f2")).all())


def _check_gguf(path: Path, taken: bool) -> None:
    with path.open("rb") as file:
        if file.read(4) != b"GGUF":
            raise SourceRefused(f"'{path}' is no model", hint=_HINT)
    if not taken:
        raise SourceRefused(f"'{path}' is GGUF, which this does not read", hint="give the folder")
