"""How what a device lacks comes to it. A planner says the steps; each makes one content.

Steps are not trusted: whatever one makes is compared with its digest. Where one fails for another
reason than the source, the whole content is fetched instead.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from skerry.bundles import File, Manifest
from skerry.bundles.hashing import Told
from skerry.sync.client.objects import Objects
from skerry.sync.durable import write_all
from skerry.sync.errors import Untrusted
from skerry.sync.names import object_path

Read = Callable[[str, int], Iterator[bytes]]
"""Reads a name from a byte on, at the pace that the device's rules allow."""


@dataclass(frozen=True, slots=True)
class Having:
    """What a step may use: the old content by digest, and the source."""

    objects: Objects
    read: Read


class Step(Protocol):
    """Makes one content. `digest` and `size` are of the result, `cost` is bytes to fetch, `room`
    is bytes of disk that making it takes."""

    @property
    def digest(self) -> str: ...

    @property
    def size(self) -> int: ...

    @property
    def cost(self) -> int: ...

    @property
    def room(self) -> int: ...

    def came(self, objects: Objects) -> int:
        """How many bytes of `cost` are there."""
        ...

    def make(self, out: Path, having: Having, told: Told) -> None:
        """Writes the content to `out`, going on with what is there.

        Raises:
            SourceFault: the source failed; the same step goes on later.
            Untrusted: what came cannot be right.
        """
        ...


class Planner(Protocol):
    """Chooses the cheapest steps."""

    def plan(
        self, old: Collection[File], new: Manifest, missing: Sequence[File], having: Having
    ) -> list[Step]:
        """The steps that make `missing`, which `new` has and the device has not.

        Args:
            old: files of the bundle that the device runs; their content is there.
            new: the manifest that is to be installed.
            missing: its files whose content is not there, each content once.
            having: what steps may use.

        Raises:
            SourceFault: the source cannot be asked.
        """
        ...


@dataclass(frozen=True, slots=True)
class Full:
    """Fetches the whole content, from the byte on where it stopped."""

    digest: str
    size: int

    @property
    def cost(self) -> int:
        return self.size

    @property
    def room(self) -> int:
        return self.size

    def came(self, objects: Objects) -> int:
        return min(self.size, objects.incoming_size(self.digest))

    def make(self, out: Path, having: Having, told: Told) -> None:
        append(out, object_path(self.digest), self.size, having, told)


def append(out: Path, name: str, size: int, having: Having, told: Told) -> None:
    """Fetches what `out` lacks of the `size` bytes of a name.

    Raises:
        SourceFault: the source failed; the same call goes on later.
        Untrusted: it gives more.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
    handle = os.open(out, flags, 0o644)
    try:
        done = os.fstat(handle).st_size
        told(min(done, size))
        if done < size:
            _append(handle, done, having.read(name, done), size, told)
    finally:
        os.close(handle)


def _append(handle: int, done: int, blocks: Iterator[bytes], size: int, told: Told) -> None:
    for block in blocks:
        done += len(block)
        if done > size:
            what = f"the source gives more than the {size} bytes that were to come"
            raise Untrusted(what, hint="try another source")
        write_all(handle, block)
        told(len(block))


class FullDownloads:
    """The planner that knows no deltas."""

    def plan(
        self,
        old: Collection[File],  # noqa: ARG002
        new: Manifest,  # noqa: ARG002
        missing: Sequence[File],
        having: Having,  # noqa: ARG002
    ) -> list[Step]:
        return [Full(file.sha256, file.size) for file in missing]
