"""Reads the head of a GGUF file: key-values and tensor table, with every length checked.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, versions 2 and 3, little
endian. It knows the container only; what the keys mean is for `header.py`.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from skerry.bundles.gguf.errors import GgufInvalid, GgufNotFound, GgufUnreadable
from skerry.bundles.gguf.ggml import TYPES, TensorType

Scalar = int | float | bool | str
Value = Scalar | tuple[Scalar, ...]

_MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_MAX_KEYS = 65_536
_MAX_TENSORS = 1_048_576
_MAX_KEY_BYTES = 65_535
_MAX_DIMENSIONS = 4
_KEPT_ITEMS = 4096
"""Longer arrays (vocabularies, merges) are checked and counted, not kept."""

_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q",
            12: "d"}  # fmt: skip
_STRING, _ARRAY = 8, 9

_OTHER_FORMATS = {
    b"version https://git-lfs": "it is a Git LFS pointer; fetch the file with `git lfs pull`",
    b"PK\x03\x04": "it is a ZIP archive or a PyTorch checkpoint; convert it to GGUF",
    b"lmgg": "it is of the old ggml format; convert it to GGUF",
    b"FUGG": "it is a big-endian GGUF; get the little-endian build",
}


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """One row of the tensor table; `offset` is in bytes from the start of the file."""

    name: str
    shape: tuple[int, ...]
    kind: TensorType
    offset: int

    @property
    def values(self) -> int:
        count = 1
        for size in self.shape:
            count *= size
        return count

    @property
    def size_bytes(self) -> int:
        return self.kind.size_bytes(self.values)


class StringArray(NamedTuple):
    """`longest` in bytes; `repeated` is whether a string that is not empty occurs twice."""

    longest: int
    repeated: bool


@dataclass(frozen=True, slots=True)
class Gguf:
    """A GGUF file without its weights.

    `lengths` holds the number of items of every array and `strings` sums up every array of
    strings; strings and the items of long arrays are not kept.
    """

    path: Path
    size_bytes: int
    metadata: dict[str, Value]
    lengths: dict[str, int]
    strings: dict[str, StringArray]
    tensors: tuple[TensorInfo, ...]


def read_gguf(path: Path) -> Gguf:
    """Reads and checks the head of `path`.

    Raises:
        GgufNotFound: there is no such file.
        GgufInvalid: it is not GGUF, is cut off, or has impossible lengths.
        GgufUnreadable: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            start = file.read(64)
            _check_magic(path, start)
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                return _Reader(path, data).read()
    except FileNotFoundError as error:
        raise GgufNotFound(
            f"there is no model file {path}", hint="check the path; `skerry models` lists models"
        ) from error
    except IsADirectoryError as error:
        raise GgufInvalid(f"{path} is a folder", hint="name the .gguf file in it") from error
    except OSError as error:
        raise GgufUnreadable(
            f"the model file {path} cannot be read: {error.strerror}",
            hint="check the permissions of the file and its folders",
        ) from error


def _check_magic(path: Path, start: bytes) -> None:
    if start.startswith(_MAGIC):
        return
    if not start:
        raise GgufInvalid(f"{path} is empty", hint="download the model again")
    for magic, hint in _OTHER_FORMATS.items():
        if start.startswith(magic):
            raise GgufInvalid(f"{path} is not a GGUF model", hint=hint)
    raise GgufInvalid(
        f"{path} is not a GGUF model: it begins with {start[:8]!r}",
        hint="give a model file of the GGUF format; the name alone does not make it one",
    )


class _Reader:
    """Walks the head of one file; every step stays inside it."""

    def __init__(self, path: Path, data: mmap.mmap) -> None:
        self._path = path
        self._data = data
        self._size = len(data)
        self._at = len(_MAGIC)
        self._lengths: dict[str, int] = {}
        self._strings: dict[str, StringArray] = {}

    def read(self) -> Gguf:
        version = self._scalar("I")
        if version not in _VERSIONS:
            raise self._invalid(f"GGUF version {version} is not supported")
        tensors = self._count("Q", _MAX_TENSORS, "tensors")
        keys = self._count("Q", _MAX_KEYS, "keys")
        metadata = dict(self._pair() for _ in range(keys))
        table = self._table(tensors, metadata)
        return Gguf(self._path, self._size, metadata, self._lengths, self._strings, table)

    def _pair(self) -> tuple[str, Value]:
        key = self._string(_MAX_KEY_BYTES)
        kind = self._scalar("I")
        if kind == _ARRAY:
            return key, self._array(key)
        return key, self._value(kind)

    def _value(self, kind: int) -> Scalar:
        if kind == _STRING:
            return self._string(self._size)
        if kind not in _SCALARS:
            raise self._invalid(f"value type {kind} is unknown")
        value: Scalar = self._scalar(_SCALARS[kind])
        return value

    def _array(self, key: str) -> tuple[Scalar, ...]:
        kind = self._scalar("I")
        count = self._count("Q", self._size, f"items of {key}")
        self._lengths[key] = count
        if kind == _STRING:
            self._strings[key] = self._sum_up(count)
            return ()
        if kind not in _SCALARS:
            raise self._invalid(f"{key} is an array of type {kind}")
        items = f"<{count}{_SCALARS[kind]}"
        start = self._take(struct.calcsize(items))
        return struct.unpack_from(items, self._data, start) if count <= _KEPT_ITEMS else ()

    def _sum_up(self, count: int) -> StringArray:
        """Reads past strings, quickly: a vocabulary has a hundred thousand of them."""
        at, data, longest, empty = self._at, self._data, 0, 0
        seen: set[bytes] = set()
        unpack: Callable[..., tuple[int, ...]] = struct.Struct("<Q").unpack_from
        try:
            for _ in range(count):
                start = at + 8
                at = start + unpack(data, at)[0]
                seen.add(data[start:at])
                longest = max(longest, at - start)
                empty += at == start
        except (struct.error, OverflowError) as error:
            raise self._truncated() from error
        if at > self._size:
            raise self._truncated()
        self._at = at
        seen.discard(b"")
        return StringArray(longest, repeated=len(seen) + empty < count)

    def _table(self, count: int, metadata: dict[str, Value]) -> tuple[TensorInfo, ...]:
        alignment = metadata.get("general.alignment", 32)
        if not isinstance(alignment, int) or alignment < 1 or alignment & (alignment - 1):
            raise self._invalid(f"general.alignment is {alignment}")
        rows = [self._row() for _ in range(count)]
        start = -(-self._at // alignment) * alignment
        tensors = tuple(
            TensorInfo(name, shape, kind, start + offset) for name, shape, kind, offset in rows
        )
        for tensor in tensors:
            self._check_tensor(tensor, alignment)
        return tensors

    def _row(self) -> tuple[str, tuple[int, ...], TensorType, int]:
        name = self._string(_MAX_KEY_BYTES)
        dimensions = self._count("I", _MAX_DIMENSIONS, f"dimensions of {name}")
        shape = tuple(self._scalar("Q") for _ in range(dimensions))
        kind = TYPES.get(number := self._scalar("I"))
        if kind is None:
            raise self._invalid(f"tensor {name} has the unknown type {number}")
        return name, shape, kind, self._scalar("Q")

    def _check_tensor(self, tensor: TensorInfo, alignment: int) -> None:
        if not tensor.shape or min(tensor.shape) < 1 or tensor.shape[0] % tensor.kind.block:
            raise self._invalid(f"tensor {tensor.name} has the impossible shape {tensor.shape}")
        if tensor.offset % alignment:
            raise self._invalid(f"tensor {tensor.name} is not aligned")
        if tensor.offset + tensor.size_bytes > self._size:
            raise self._truncated()

    def _string(self, limit: int) -> str:
        length = self._count("Q", limit, "bytes of a string")
        start = self._take(length)
        return self._data[start : start + length].decode("utf-8", "replace")

    def _count(self, code: str, limit: int, what: str) -> int:
        count: int = self._scalar(code)
        if count > limit:
            raise self._invalid(f"it claims {count} {what}")
        return count

    def _scalar(self, code: str) -> Any:
        start = self._take(struct.calcsize(f"<{code}"))
        return struct.unpack_from(f"<{code}", self._data, start)[0]

    def _take(self, length: int) -> int:
        start = self._at
        if start + length > self._size:
            raise self._truncated()
        self._at = start + length
        return start

    def _truncated(self) -> GgufInvalid:
        return GgufInvalid(
            f"the model file {self._path} is cut off at {self._size} bytes",
            hint="the download did not finish; fetch it again and compare its digest",
        )

    def _invalid(self, what: str) -> GgufInvalid:
        return GgufInvalid(
            f"the model file {self._path} is damaged: {what}",
            hint="fetch it again and compare its digest",
        )
