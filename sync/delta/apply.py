"""Makes the new file of a delta, a step at a time, in little memory.

Every step's output is checked against its digest before it is kept, and the file as a whole before
it gets its name. What was made before a power cut is checked, and kept as far as it is right. So is
what another download brought of the new file: the steps that it already has are not made again.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from skerry.sync.delta import generic
from skerry.sync.delta.container import DIGEST, Delta, Kind, Step, read_head
from skerry.sync.delta.errors import (
    DeltaInvalid,
    DeltaUnreadable,
    NoRoom,
    OutputExists,
    SourceMismatch,
)
from skerry.sync.delta.files import (
    Told,
    folder_to_disk,
    nothing,
    opened,
    to_disk,
    version_of,
    written,
)
from skerry.sync.delta.window import decode_window

_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Applied:
    """What was made: bytes of the new file, and of these how many were there already."""

    path: Path
    size: int
    sha256: str
    kept: int


def apply_delta(
    delta: Path, olds: Sequence[Path], out: Path, *,
    partial: Path | None = None, told: Told = nothing,
) -> Applied:  # fmt: skip
    """Writes to `out` the new file of `delta`, made from `olds`, in the order in which it was made.

    `partial` may hold the first bytes of the new file, from a download that did not finish; what
    an earlier call left at `out` with `.part` after its name is used as well. `told` hears of
    further bytes.

    Raises:
        DeltaNotFound, DeltaUnreadable: a file is not there, or cannot be read or written.
        DeltaInvalid: the delta is damaged or hostile.
        SourceMismatch: the old files are others than those of the delta.
        OutputExists: `out` is there, or another process makes it.
        NoRoom: the disk is full. What was made is kept for the next call.
    """
    if out.exists():
        raise OutputExists(f"{out} is there", hint="remove it, or give another name")
    with ExitStack() as stack:
        file = stack.enter_context(opened(delta))
        head = read_head(file)
        sources = [stack.enter_context(opened(path)) for path in olds]
        check_sources(head, sources, delta)
        beside = stack.enter_context(opened(partial)) if partial else None
        applier = Applier(head, file, sources, delta.stat().st_size)
        with written(out), _unfinished(out, head.target.size) as part:
            kept = applier.write(part, beside, told)
            to_disk(part)
            _name(out).replace(out)
            folder_to_disk(out.parent)
    return Applied(out, head.target.size, head.target.sha256.hex(), kept)


def check_sources(head: Delta, sources: Sequence[BinaryIO], delta: Path) -> None:
    if len(sources) != len(head.sources):
        raise SourceMismatch(
            f"{delta} was made from {len(head.sources)} files, and {len(sources)} are given"
        )
    for number, (file, wanted) in enumerate(zip(sources, head.sources, strict=True)):
        if os.fstat(file.fileno()).st_size != wanted.size:
            raise _other_source(number)


def _other_source(number: int) -> SourceMismatch:
    return SourceMismatch(
        f"old file {number + 1} is not the one that the delta was made from",
        hint="`skerry sync delta show` names the digests of those; `plan` finds what fits",
    )


def _name(out: Path) -> Path:
    return out.with_name(f"{out.name}.part")


@contextmanager
def _unfinished(out: Path, size: int) -> Iterator[BinaryIO]:
    """The file that will be `out`, with what an earlier call left in it; one process has it."""
    name = _name(out)
    handle = os.open(name, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o644)
    with os.fdopen(handle, "r+b") as file:
        _lock(file, out)
        there = os.fstat(file.fileno()).st_size
        if (free := shutil.disk_usage(name.parent).free) < size - there:
            raise NoRoom(f"{out} needs {size - there} bytes, and {free} are free",
                         hint="free some space; what is there is kept")  # fmt: skip
        yield file


def _lock(file: BinaryIO, out: Path) -> None:
    try:
        import fcntl
    except ImportError:  # Windows: two processes at one file are the caller's to avoid
        return
    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise OutputExists(f"another process makes {out}", hint="wait for it") from error


class Applier:
    """Makes the output of a delta step by step.

    `file` is the delta, open; `sources` are its old files, open. Needs no other memory than that
    of one step.
    """

    def __init__(
        self, head: Delta, file: BinaryIO, sources: Sequence[BinaryIO], size: int | None = None
    ) -> None:
        """Raises DeltaInvalid: the delta, of `size` bytes, has others than its steps say."""
        self._head = head
        self._file = file
        self._sources = sources
        if size is not None and head.body + sum(one.payload for one in head.steps) != size:
            raise DeltaInvalid("the delta is damaged: it is cut off", hint="fetch it again")

    def write(self, out: BinaryIO, beside: BinaryIO | None = None, told: Told = nothing) -> int:
        """Writes the whole new file into `out`, open for both; returns how many of its bytes were
        right in `out` or `beside` already."""
        whole, at, payload, kept = hashlib.sha256(), 0, self._head.body, 0
        for step in self._head.steps:
            found = _found(step, at, out) or (beside and _found(step, at, beside))
            pieces = _pieces(found, at, step.length) if found else self._make(step, payload)
            if found is out:
                for piece in pieces:
                    whole.update(piece)
            else:
                self._write_step(out, at, step, pieces, whole)
            kept += step.length if found else 0
            at += step.length
            payload += step.payload
            told(step.length)
        out.truncate(at)
        if whole.digest() != self._head.target.sha256:
            raise self._blame()
        return kept

    def _write_step(
        self,
        out: BinaryIO,
        at: int,
        step: Step,
        pieces: Iterator[bytes | memoryview],
        whole: hashlib._Hash,
    ) -> None:
        digest = hashlib.sha256()
        out.seek(at)
        try:
            for piece in pieces:
                digest.update(piece)
                whole.update(piece)
                out.write(piece)
        except DeltaInvalid as error:  # another old file can make a sound delta look damaged
            raise self._blame(error) from error
        if digest.digest()[:DIGEST] != step.digest:
            out.truncate(at)
            raise self._blame()

    def _make(self, step: Step, at: int) -> Iterator[bytes | memoryview]:
        if step.kind is Kind.COPY:
            yield from _pieces(self._sources[step.source], step.offset, step.length)
            return
        payload = _read(self._file, at, step.payload)
        if step.kind is Kind.STORED:
            yield payload
        elif step.kind is Kind.PLAIN:
            yield generic.unpack(payload, step.length)
        elif step.kind is Kind.PATCH:
            old = self._read_old(step.source, step.offset, step.old_length)
            yield generic.unpack(payload, step.length, old)
        else:
            yield decode_window(payload, self._head.sources, self._read_old, step.length)

    def _read_old(self, source: int, offset: int, length: int) -> bytes:
        return _read(self._sources[source], offset, length)

    def _blame(self, found: DeltaInvalid | None = None) -> SourceMismatch | DeltaInvalid:
        """Who is to blame for a wrong digest: an old file that is another one, or the delta, in
        which something may have been found."""
        for number, (file, wanted) in enumerate(
            zip(self._sources, self._head.sources, strict=True)
        ):
            if version_of(file).sha256 != wanted.sha256:
                return _other_source(number)
        return found or DeltaInvalid("the delta does not make what it says", hint="fetch it again")


def _found(step: Step, at: int, file: BinaryIO) -> BinaryIO | None:
    """`file`, if it has the output of the step at its place."""
    if os.fstat(file.fileno()).st_size < at + step.length:
        return None
    digest = hashlib.sha256()
    for piece in _pieces(file, at, step.length):
        digest.update(piece)
    return file if digest.digest()[:DIGEST] == step.digest else None


def _pieces(file: BinaryIO, at: int, length: int) -> Iterator[bytes]:
    for start in range(at, at + length, _PIECE):
        yield _read(file, start, min(_PIECE, at + length - start))


def _read(file: BinaryIO, at: int, length: int) -> bytes:
    data = os.pread(file.fileno(), length, at)
    if len(data) < length:
        raise DeltaUnreadable(
            "a file is shorter than it was", hint="nothing may change it meanwhile"
        )
    return data
