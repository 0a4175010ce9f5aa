"""The bytes of a GGUF file's keys, as they stand in it: what names its tokenizer, and its tokens.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, versions 2 and 3. Every length is
checked against the file's before anything is read.
"""

from __future__ import annotations

import hashlib
import mmap
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from skerry.bundles.gguf.errors import GgufInvalid

_MAX_KEYS = 65_536
_WIDTHS = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
_STRING, _ARRAY = 8, 9
_TOKENIZER = b"tokenizer.ggml."
_TOKENS = b"tokenizer.ggml.tokens"


def tokenizer_digest(path: Path) -> str:
    """SHA-256 (hex) of every key that begins with `tokenizer.ggml.`, sorted: the key, a NUL, and
    its type and value as they stand in the file.

    Raises:
        GgufInvalid: it is no whole GGUF file, or cannot be read.
    """
    digest = hashlib.sha256()
    with _opened(path) as data:
        for key, start, end in sorted(_keys(data)):
            if key.startswith(_TOKENIZER):
                digest.update(key + b"\0" + data[start:end])
    return digest.hexdigest()


def token_texts(path: Path) -> list[bytes]:
    """The text of every token, in the order of their ids; none where the file has no tokens.

    Raises:
        GgufInvalid: it is no whole GGUF file, or cannot be read.
    """
    with _opened(path) as data:
        for key, start, _ in _keys(data):
            if key == _TOKENS:
                return list(_texts(data, start))
    return []


@contextmanager
def _opened(path: Path) -> Iterator[mmap.mmap]:
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            yield data
    except (OSError, ValueError, struct.error) as error:
        what = f"'{path}' is not a whole GGUF file: {error}"
        raise GgufInvalid(what, hint="fetch it again") from error


def _texts(data: mmap.mmap, place: int) -> Iterator[bytes]:
    """The strings of the array whose type stands at `place`."""
    kind, of, count = struct.unpack_from("<IIQ", data, place)
    if (kind, of) != (_ARRAY, _STRING):
        raise ValueError("its tokens are no texts")
    place += 16
    for _ in range(count):
        end = _after_string(data, place)
        yield data[place + 8 : end]
        place = end


def _keys(data: mmap.mmap) -> Iterator[tuple[bytes, int, int]]:
    """Each key with the place of its type and value."""
    magic, version, _, count = struct.unpack_from("<4sIQQ", data, 0)
    if magic != b"GGUF" or version not in (2, 3) or count > _MAX_KEYS:
        raise ValueError("its head is none of GGUF's")
    place = 24
    for _ in range(count):
        start = _after_string(data, place)
        key = data[place + 8 : start]
        (kind,) = struct.unpack_from("<I", data, start)
        place = _after_value(data, kind, start + 4)
        yield key, start, place


def _after_value(data: mmap.mmap, kind: int, place: int) -> int:
    if kind == _STRING:
        return _after_string(data, place)
    if kind == _ARRAY:
        return _after_array(data, place)
    if kind not in _WIDTHS:
        raise ValueError(f"a value of the unknown type {kind}")
    return _checked(data, place + _WIDTHS[kind])


def _after_array(data: mmap.mmap, place: int) -> int:
    kind, count = struct.unpack_from("<IQ", data, place)
    place += 12
    if kind in _WIDTHS:
        return _checked(data, place + _WIDTHS[kind] * count)
    if kind != _STRING or count > len(data):
        raise ValueError(f"an array of {count} values of the type {kind}")
    for _ in range(count):
        place = _after_string(data, place)
    return place


def _after_string(data: mmap.mmap, place: int) -> int:
    (length,) = struct.unpack_from("<Q", data, place)
    return _checked(data, place + 8 + length)


def _checked(data: mmap.mmap, place: int) -> int:
    if place > len(data):
        raise ValueError("a length goes beyond its end")
    return place
