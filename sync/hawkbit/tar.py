"""A tar file that is nowhere: headers in memory, content in the files that it is made of.

Any part of it can be read, so that a download goes on where it stopped. The same files make the
same bytes.
"""

from __future__ import annotations

import hashlib
import tarfile
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

_BLOCK = 512
_RECORD = 10_240
_READ = 1 << 18


@dataclass(frozen=True, slots=True)
class Member:
    """A file of the tar: its name, and its content or where that is."""

    name: str
    content: bytes | Path
    size: int


@dataclass(frozen=True, slots=True)
class Hashes:
    """In hex; what devices of the DDI compare."""

    size: int
    sha1: str
    md5: str
    sha256: str


class VirtualTar:
    """Raises ValueError: a name is too long for a tar."""

    def __init__(self, members: Sequence[Member]) -> None:
        self._parts: list[bytes | Path] = []
        self._starts: list[int] = []
        self._lengths: list[int] = []
        self.size = 0
        for member in members:
            self._add(_header(member), None)
            self._add(member.content, member.size)
            self._add(b"\0" * (-member.size % _BLOCK), None)
        self._add(b"\0" * (2 * _BLOCK), None)
        self._add(b"\0" * (-self.size % _RECORD), None)

    def read(self, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Blocks of the bytes from `start` up to `end`.

        Raises:
            OSError: a file is not there any more, or is shorter.
        """
        end = self.size if end is None else min(end, self.size)
        at = max(0, bisect_right(self._starts, start) - 1)
        while start < end and at < len(self._parts):
            inside = start - self._starts[at]
            length = min(end - start, self._lengths[at] - inside)
            if length > 0:
                yield from _read(self._parts[at], inside, length)
                start += length
            at += 1

    def hashes(self) -> Hashes:
        """Reads all of it once."""
        sums = [hashlib.sha1(usedforsecurity=False), hashlib.md5(usedforsecurity=False)]
        whole = hashlib.sha256()
        for block in self.read():
            for one in (*sums, whole):
                one.update(block)
        return Hashes(self.size, sums[0].hexdigest(), sums[1].hexdigest(), whole.hexdigest())

    def _add(self, part: bytes | Path, size: int | None) -> None:
        length = len(part) if isinstance(part, bytes) else (size or 0)
        if length:
            self._parts.append(part)
            self._starts.append(self.size)
            self._lengths.append(length)
            self.size += length


def _header(member: Member) -> bytes:
    info = tarfile.TarInfo(member.name)
    info.size, info.mode, info.mtime = member.size, 0o644, 0
    return info.tobuf(tarfile.GNU_FORMAT)


def _read(part: bytes | Path, start: int, length: int) -> Iterator[bytes]:
    if isinstance(part, bytes):
        yield part[start : start + length]
        return
    with part.open("rb") as file:
        file.seek(start)
        while length:
            block = file.read(min(_READ, length))
            if not block:
                raise OSError(f"'{part}' is shorter than it was")
            yield block
            length -= len(block)
