"""Which bytes of old files a part of the new file is made from."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

from skerry.sync.delta.container import MOST_WINDOW, Version
from skerry.sync.delta.places import BYTES
from skerry.sync.delta.regions import Region, regions
from skerry.sync.delta.window import kind_of, unit_of, weight_of

_PIECE = 1 << 22


@dataclass(frozen=True, slots=True)
class Chunk:
    """`length` bytes at `offset` of the new file.

    `same`: the old file `source` has them at `old`. `weighed`: it has as many there of the same
    type. Otherwise its `dictionary` bytes there are the most like them; 0: nothing is.
    """

    kind: int
    offset: int
    length: int
    source: int = 0
    old: int = 0
    same: bool = False
    weighed: bool = False
    dictionary: int = 0


class Matcher:
    """Old files, and where they have what a new one has."""

    def __init__(
        self, paths: Sequence[Path], files: Sequence[BinaryIO], sources: Sequence[Version]
    ) -> None:
        self._files = files
        self._sources = sources
        self._regions = [regions(path) for path in paths]
        self._named = {
            one.name: (source, one)
            for source in range(len(paths) - 1, -1, -1)
            for one in self._regions[source]
        }

    def read_old(self, source: int, offset: int, length: int) -> bytes:
        return os.pread(self._files[source].fileno(), length, offset)

    def chunks(self, new: Sequence[Region], file: BinaryIO, most: int) -> Iterator[Chunk]:
        """The regions of the new file, cut into chunks of at most `most` bytes."""
        for region in new:
            found = self._counterpart(region, file)
            kind = kind_of(region.kind, region.length)
            unit = unit_of(kind)
            step = most // weight_of(kind) // unit * unit
            for at in range(0, region.length, step):
                length = min(step, region.length - at)
                yield self._chunk(region, kind, at, length, found, file)

    def _counterpart(self, region: Region, file: BinaryIO) -> tuple[int, Region] | None:
        """The old region that the new one was: the same bytes, or the same name."""
        named = self._named.get(region.name)
        if named and (named[1].kind, named[1].length) == (region.kind, region.length):
            return named
        if region.kind != BYTES and region.length in self._lengths:
            moved = self._digests.get(_digest(file, region))
            if moved:
                return moved
        return named

    @cached_property
    def _lengths(self) -> frozenset[int]:
        return frozenset(one.length for found in self._regions for one in found)

    @cached_property
    def _digests(self) -> dict[bytes, tuple[int, Region]]:
        return {
            _digest(self._files[source], one): (source, one)
            for source, found in enumerate(self._regions)
            for one in found
            if one.kind != BYTES
        }

    def _chunk(
        self,
        region: Region,
        kind: int,
        at: int,
        length: int,
        found: tuple[int, Region] | None,
        file: BinaryIO,
    ) -> Chunk:
        offset = region.offset + at
        if found is None:
            return Chunk(kind, offset, length)
        source, old = found
        alike = (old.kind, old.length) == (region.kind, region.length)
        if alike:
            here = os.pread(file.fileno(), length, offset)
            same = here == self.read_old(source, old.offset + at, length)
            weighed = same or region.kind != BYTES
            if weighed or old.length <= 64:
                return Chunk(kind, offset, length, source, old.offset + at, same, True)
        start = max(0, min(at, old.length) - MOST_WINDOW // 4)
        reach = min(old.length - start, MOST_WINDOW)
        return Chunk(kind, offset, length, source, old.offset + start, dictionary=reach)


def _digest(file: BinaryIO, region: Region) -> bytes:
    digest = hashlib.sha256()
    for at in range(0, region.length, _PIECE):
        length = min(_PIECE, region.length - at)
        digest.update(os.pread(file.fileno(), length, region.offset + at))
    return digest.digest()
