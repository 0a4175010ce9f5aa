"""Content that is made from what a device has: the planner that asks for deltas.

A delta lies under the names of both contents, so that none has to be announced. It is not signed:
what it makes is compared with the signed digest, and the whole content is fetched where a delta is
not there or does not do.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from skerry.bundles import File, Manifest
from skerry.bundles.hashing import Told
from skerry.sync.client.plan import Full, Having, Step
from skerry.sync.delta import DeltaError, apply_delta
from skerry.sync.durable import remove_tree, write_all
from skerry.sync.errors import NotThere, Untrusted
from skerry.sync.names import delta_path

LEAST_BYTES = 1 << 16
"""Smaller files are fetched whole: a delta would save less than asking for it costs."""


@dataclass(frozen=True, slots=True)
class FromDelta:
    """Fetches the delta between two contents, and applies it."""

    digest: str
    size: int
    old: str

    @property
    def cost(self) -> int:
        """At most: how large a delta is shows when it comes."""
        return self.size

    def make(self, out: Path, having: Having, told: Told) -> None:
        """As of `Step`.

        Raises:
            NotThere: there is no such delta; the whole content is to be fetched.
            Untrusted: the delta does not do.
        """
        if out.exists():  # a download of the whole that began goes on
            raise NotThere(f"a part of {self.digest[:12]} is there already")
        delta = out.with_name(f"{out.name}.skd")
        self._fetch(delta, having)
        made = out.with_name(f"{out.name}.made")
        try:
            remove_tree(made)
            apply_delta(delta, [having.objects.path(self.old)], made, told=told)
            made.replace(out)
        except DeltaError as error:
            remove_tree(delta)
            raise Untrusted(f"the delta for {self.digest[:12]} fails: {error.what}") from error
        remove_tree(delta)

    def _fetch(self, delta: Path, having: Having) -> None:
        """Fetches the delta, from the byte on where that stopped."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
        handle = os.open(delta, flags, 0o644)
        try:
            done = os.fstat(handle).st_size
            for block in having.read(delta_path(self.old, self.digest), done):
                done += len(block)
                if done > self.size:
                    raise Untrusted(f"the delta for {self.digest[:12]} is larger than the whole")
                write_all(handle, block)
        except NotThere:
            remove_tree(delta)
            raise
        finally:
            os.close(handle)


class DeltaPlanner:
    """Asks for a delta where the bundle that runs has a file at the same path."""

    def plan(
        self,
        old: Collection[File],
        new: Manifest,  # noqa: ARG002
        missing: Sequence[File],
    ) -> list[Step]:
        """As of `Planner`."""
        there = {file.path: file.sha256 for file in old}
        return [self._step(file, there.get(file.path)) for file in missing]

    def _step(self, file: File, old: str | None) -> Step:
        if old is None or file.size < LEAST_BYTES:
            return Full(file.sha256, file.size)
        return FromDelta(file.sha256, file.size, old)
