"""Makes a delta: what the new file is, said by what old files are.

The new file is read a window at a time; memory does not grow with it. Each step is the smallest
of what was tried for it.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from skerry.sync.delta import generic
from skerry.sync.delta.container import (
    DIGEST,
    MOST_BYTES,
    MOST_SOURCES,
    Delta,
    Kind,
    Step,
    write_head,
)  # fmt: skip
from skerry.sync.delta.errors import DeltaError
from skerry.sync.delta.files import Told, nothing, opened, place_whole, version_of
from skerry.sync.delta.matching import Chunk, Matcher
from skerry.sync.delta.regions import regions
from skerry.sync.delta.window import Part, encode_window, part_of, weight_of

WINDOW = 12 << 20
"""Bytes of the new file that are coded together, at most; fewer of types that take more memory."""
_SMALL = 1 << 18
"""Shorter unchanged runs do not end a window."""
_LONGEST_COPY = 1 << 28
_QUICK = 3


@dataclass(frozen=True, slots=True)
class Made:
    """A delta that was made: its size and what its steps are; sizes in bytes. `output` and
    `payload` are by kind of step."""

    path: Path
    size: int
    delta: Delta
    output: dict[str, int]
    payload: dict[str, int]


def make_delta(
    olds: Sequence[Path], new: Path, out: Path, told: Callable[[int], None] = nothing
) -> Made:
    """Writes to `out` how to make `new` from `olds`; `told` hears of further bytes of `new`.

    Raises:
        DeltaNotFound, DeltaUnreadable: a file is not there, or cannot be read or written.
        OutputExists: `out` is there.
        DeltaError: there are more old files, or larger ones, than a delta can have.
    """
    if len(olds) > MOST_SOURCES:
        raise DeltaError(f"a delta has at most {MOST_SOURCES} old files")
    with ExitStack() as stack, place_whole(out) as file:
        old_files = [stack.enter_context(opened(path)) for path in olds]
        new_file = stack.enter_context(opened(new))
        sources = [version_of(one) for one in old_files]
        target = version_of(new_file)
        if max(target.size, *(one.size for one in sources), 0) > MOST_BYTES:
            raise DeltaError(f"a file has at most {MOST_BYTES} bytes")
        body = stack.enter_context(tempfile.TemporaryFile(dir=out.parent))
        matcher = Matcher(olds, old_files, sources)
        maker = _Maker(matcher, new_file, body, told)
        for chunk in matcher.chunks(regions(new), new_file, WINDOW):
            maker.take(chunk)
        steps = maker.finish()
        file.write(write_head(sources, target, steps))
        body_at = file.tell()
        body.seek(0)
        while piece := body.read(1 << 20):
            file.write(piece)
    delta = Delta(tuple(sources), target, tuple(steps), body_at)
    return Made(out, out.stat().st_size, delta, *_sums(steps))


def _sums(steps: Sequence[Step]) -> tuple[dict[str, int], dict[str, int]]:
    output: Counter[str] = Counter()
    payload: Counter[str] = Counter()
    for step in steps:
        output[step.kind.name.lower()] += step.length
        payload[step.kind.name.lower()] += step.payload
    return dict(output), dict(payload)


class _Maker:
    """Takes chunks in the order of the new file, and writes steps."""

    def __init__(self, matcher: Matcher, new: BinaryIO, body: BinaryIO, told: Told) -> None:
        self._matcher = matcher
        self._new = new
        self._body = body
        self._told = told
        self._steps: list[Step] = []
        self._window: list[Chunk] = []
        self._weight = 0
        self._copies: list[Chunk] = []

    def take(self, chunk: Chunk) -> None:
        if chunk.same and not (self._window and chunk.length < _SMALL):
            self._flush_window()
            self._copy(chunk)
            return
        self._flush_copies()
        weight = chunk.length * weight_of(chunk.kind)
        if self._window and self._weight + weight > WINDOW:
            self._flush_window()
        if chunk.weighed:
            self._window.append(chunk)
            self._weight += weight
            return
        self._flush_window()
        self._bytes(chunk)

    def finish(self) -> list[Step]:
        self._flush_window()
        self._flush_copies()
        return self._steps

    def _copy(self, chunk: Chunk) -> None:
        if self._copies:
            last = self._copies[-1]
            follows = (last.source, last.old + last.length) == (chunk.source, chunk.old)
            if not follows or sum(one.length for one in self._copies) > _LONGEST_COPY:
                self._flush_copies()
        self._copies.append(chunk)

    def _flush_copies(self) -> None:
        if not self._copies:
            return
        first, length = self._copies[0], sum(one.length for one in self._copies)
        digest = hashlib.sha256()
        for one in self._copies:
            digest.update(self._read(one))
        self._steps.append(
            Step(Kind.COPY, length, 0, digest.digest()[:DIGEST], first.source, first.old)
        )
        self._copies = []
        self._told(length)

    def _flush_window(self) -> None:
        """Writes what waits to be coded together; unchanged chunks at its end are copied."""
        window, self._window, self._weight = self._window, [], 0
        trailing: list[Chunk] = []
        while window and window[-1].same:
            trailing.insert(0, window.pop())
        if window:
            self._write_window(window)
        for chunk in trailing:
            self._copy(chunk)

    def _write_window(self, chunks: Sequence[Chunk]) -> None:
        new = b"".join(map(self._read, chunks))
        parts, at = [], 0
        for one in chunks:
            data = new[at : at + one.length]
            at += one.length
            parts.append(self._part(one, data))
        payload = encode_window(parts, self._matcher.read_old, new)
        step = Step(Kind.WEIGHTS, len(new), len(payload), _digest(new))
        self._write(*self._smaller(step, payload, chunks, new))

    def _part(self, chunk: Chunk, data: bytes) -> Part:
        old = self._matcher.read_old(chunk.source, chunk.old, chunk.length)
        return part_of(chunk.kind, chunk.source, chunk.old, old, data)

    def _smaller(
        self, step: Step, payload: bytes, chunks: Sequence[Chunk], new: bytes
    ) -> tuple[Step, bytes]:
        """The step, or a generic one for the same bytes; slow ones are tried where quick ones say
        that they may win."""
        first, last = chunks[0], chunks[-1]
        length = last.old + last.length - first.old
        if first.source != last.source or not 0 < length <= WINDOW:
            return step, payload
        old = self._matcher.read_old(first.source, first.old, length)
        if len(generic.pack(new, old, _QUICK)) > 1.3 * len(payload):
            return step, payload
        packed = generic.pack(new, old)
        if len(packed) >= len(payload):
            return step, payload
        return (
            Step(Kind.PATCH, len(new), len(packed), step.digest, first.source, first.old, length),
            packed,
        )

    def _bytes(self, chunk: Chunk) -> None:
        """Bytes of no known meaning: the smallest of patch, plain and stored."""
        new = self._read(chunk)
        digest = _digest(new)
        found = [(Step(Kind.STORED, len(new), len(new), digest), new)]
        plain = generic.pack(new)
        found.append((Step(Kind.PLAIN, len(new), len(plain), digest), plain))
        if chunk.dictionary:
            old = self._matcher.read_old(chunk.source, chunk.old, chunk.dictionary)
            patch = generic.pack(new, old)
            step = Step(
                Kind.PATCH, len(new), len(patch), digest, chunk.source, chunk.old, chunk.dictionary
            )
            found.append((step, patch))
        self._write(*min(found, key=lambda one: len(one[1])))

    def _write(self, step: Step, payload: bytes) -> None:
        self._body.write(payload)
        self._steps.append(step)
        self._told(step.length)

    def _read(self, chunk: Chunk) -> bytes:
        return os.pread(self._new.fileno(), chunk.length, chunk.offset)


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()[:DIGEST]
