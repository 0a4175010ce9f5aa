"""The container of a delta: what it is made from, what it makes, and the steps between.

docs/delta-format.md has it byte by byte. Every size that a delta declares is checked against a
limit, and against the files, before anything is read or allocated for it.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import BinaryIO

from skerry.sync.delta import generic
from skerry.sync.delta.errors import DeltaInvalid
from skerry.sync.delta.fields import Reader, Writer

MAGIC = b"SKRYDLTA"
VERSION = 1
MOST_BYTES = 1 << 42
"""Of a file."""
MOST_SOURCES = 16
MOST_STEPS = 1 << 20
MOST_TABLE = 1 << 26
MOST_WINDOW = 1 << 24
"""Of the output of one step that is decoded, and of what that step reads of an old file."""
DIGEST = 16
"""Bytes of SHA-256 that are kept of a step's output."""

_HEAD = struct.Struct("<8sHHIIQ32s")
_SOURCE = struct.Struct("<Q32s")


class Kind(IntEnum):
    """How a step makes its output."""

    COPY = 0
    """It is there in an old file."""
    WEIGHTS = 1
    """Tensors by what they were (docs/delta-format.md, "Weights")."""
    PATCH = 2
    """A zstd frame whose dictionary is a part of an old file."""
    PLAIN = 3
    """A zstd frame."""
    STORED = 4
    """As it is."""


@dataclass(frozen=True, slots=True)
class Version:
    """A file: `size` in bytes and its SHA-256."""

    size: int
    sha256: bytes


@dataclass(frozen=True, slots=True)
class Step:
    """`length` bytes of output with the digest `digest`, from `payload` bytes of the delta and, of
    the old file `source`, `old_length` bytes at `offset`."""

    kind: Kind
    length: int
    payload: int
    digest: bytes
    source: int = 0
    offset: int = 0
    old_length: int = 0


@dataclass(frozen=True, slots=True)
class Delta:
    """The head of a delta. `body` is where the payload of the first step begins."""

    sources: tuple[Version, ...]
    target: Version
    steps: tuple[Step, ...]
    body: int


def write_head(sources: Sequence[Version], target: Version, steps: Sequence[Step]) -> bytes:
    table = Writer()
    table.uint(len(steps))
    for step in steps:
        table.raw(bytes([step.kind]))
        table.uint(step.length)
        table.uint(step.payload)
        if step.kind in (Kind.COPY, Kind.PATCH):
            table.uint(step.source)
            table.uint(step.offset)
        if step.kind is Kind.PATCH:
            table.uint(step.old_length)
    for step in steps:
        table.raw(step.digest)
    whole = table.bytes()
    packed = generic.pack(whole)
    head = _HEAD.pack(
        MAGIC, VERSION, len(sources), len(packed), len(whole), target.size, target.sha256
    )
    return head + b"".join(_SOURCE.pack(one.size, one.sha256) for one in sources) + packed


def read_head(file: BinaryIO) -> Delta:
    """Reads the head of a delta from the start of `file`.

    Raises:
        DeltaInvalid: it is not a delta, is cut off, or declares what cannot be.
    """
    head = file.read(_HEAD.size)
    if len(head) < _HEAD.size or not head.startswith(MAGIC):
        raise DeltaInvalid("it is not a delta", hint="`skerry sync delta make` makes one")
    _, version, count, packed, whole, size, sha256 = _HEAD.unpack(head)
    if version != VERSION:
        raise DeltaInvalid(f"the delta is of version {version}", hint="update Skerry on the device")
    if count > MOST_SOURCES or packed > MOST_TABLE or whole > MOST_TABLE or size > MOST_BYTES:
        raise _damaged("it declares more than can be")
    sources = tuple(_source(file) for _ in range(count))
    table = Reader(generic.unpack(_exactly(file, packed), whole))
    steps = tuple(_steps(table))
    table.finish()
    delta = Delta(sources, Version(size, sha256), steps, file.tell())
    _check(delta)
    return delta


def _source(file: BinaryIO) -> Version:
    size, sha256 = _SOURCE.unpack(_exactly(file, _SOURCE.size))
    if size > MOST_BYTES:
        raise _damaged("it declares more than can be")
    return Version(size, sha256)


def _steps(table: Reader) -> list[Step]:
    rows = [_row(table) for _ in range(table.uint(MOST_STEPS))]
    return [Step(row[0], row[1], row[2], table.raw(DIGEST), *row[3:]) for row in rows]


def _row(table: Reader) -> tuple[Kind, int, int, int, int, int]:
    number = table.raw(1)[0]
    if number >= len(Kind):
        raise _damaged(f"it has a step of the kind {number}")
    kind = Kind(number)
    length = table.uint(MOST_BYTES if kind is Kind.COPY else MOST_WINDOW)
    payload = table.uint(0 if kind is Kind.COPY else 2 * MOST_WINDOW)
    source = offset = old_length = 0
    if kind in (Kind.COPY, Kind.PATCH):
        source, offset = table.uint(MOST_SOURCES), table.uint(MOST_BYTES)
    if kind is Kind.PATCH:
        old_length = table.uint(MOST_WINDOW)
    return kind, length, payload, source, offset, old_length


def _check(delta: Delta) -> None:
    """Raises DeltaInvalid where steps do not make the target, or read outside their sources."""
    if sum(step.length for step in delta.steps) != delta.target.size:
        raise _damaged("its steps do not make a file of the size that it declares")
    for step in delta.steps:
        read = step.length if step.kind is Kind.COPY else step.old_length
        if step.kind in (Kind.COPY, Kind.PATCH):
            check_range(delta.sources, step.source, step.offset, read)
        if step.kind is Kind.STORED and step.payload != step.length:
            raise _damaged("a step stores another size than it makes")


def check_range(sources: Sequence[Version], source: int, offset: int, length: int) -> None:
    """Raises DeltaInvalid unless the old file `source` has these bytes."""
    if source >= len(sources) or offset + length > sources[source].size:
        raise _damaged("it reads outside of an old file")


def _exactly(file: BinaryIO, length: int) -> bytes:
    data = file.read(length)
    if len(data) < length:
        raise _damaged("it is cut off")
    return data


def _damaged(what: str) -> DeltaInvalid:
    return DeltaInvalid(f"the delta is damaged: {what}", hint="fetch it again")
