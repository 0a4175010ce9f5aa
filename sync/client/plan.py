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
    """Makes one content. `digest` and `size` are of the result, `cost` is bytes to fetch."""

    @property
    def digest(self) -> str: ...

    @property
    def size(self) -> int: ...

    @property
    def cost(self) -> int: ...

    def make(self, out: Path, having: Having, told: Told) -> None:
        """Writes the content to `out`, going on with what is there.

        Raises:
            SourceFault: the source failed; the same step goes on later.
            Untrusted: what came cannot be right.
        """
        ...


class Planner(Protocol):
    """Chooses the cheapest steps."""

    def plan(self, old: Collection[File], new: Manifest, missing: Sequence[File]) -> list[Step]:
        """The steps that make `missing`, which `new` has and the device has not.

        Args:
            old: files of the bundle that the device runs; their content is there.
            new: the manifest that is to be installed.
            missing: its files whose content is not there, each content once.
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

    def make(self, out: Path, having: Having, told: Told) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
        handle = os.open(out, flags, 0o644)
        try:
            done = os.fstat(handle).st_size
            told(min(done, self.size))
            if done < self.size:
                self._append(handle, done, having, told)
        finally:
            os.close(handle)

    def _append(self, handle: int, done: int, having: Having, told: Told) -> None:
        for block in having.read(object_path(self.digest), done):
            done += len(block)
            if done > self.size:
                what = f"the source gives more for {self.digest[:12]} than the {self.size} signed"
                raise Untrusted(f"{what} bytes", hint="try another source")
            write_all(handle, block)
            told(len(block))


class FullDownloads:
    """The planner that knows no deltas."""

    def plan(
        self,
        old: Collection[File],  # noqa: ARG002
        new: Manifest,  # noqa: ARG002
        missing: Sequence[File],
    ) -> list[Step]:
        return [Full(file.sha256, file.size) for file in missing]
