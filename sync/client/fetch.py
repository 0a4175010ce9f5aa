"""Brings the content of a manifest to a device: what is missing, in steps, at the rules' pace."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from skerry.bundles import File, Manifest
from skerry.bundles.hashing import Told, unheard
from skerry.sync.client.device import Device
from skerry.sync.client.objects import Objects
from skerry.sync.client.pace import Pace, check_hours, check_metered
from skerry.sync.client.plan import Full, Having, Planner, Step
from skerry.sync.client.source import Source, not_slow
from skerry.sync.durable import remove_tree
from skerry.sync.errors import NoSpace, NotThere, Postponed, SourceFault, Untrusted

_SPARE_BYTES = 4 << 20


@dataclass
class Fetching:
    """One fetch: where from, where to, and by which rules."""

    device: Device
    objects: Objects
    source: Source
    planner: Planner
    pace: Pace
    metered: bool = False
    told: Told = unheard

    def steps(self, old: Sequence[File], new: Manifest) -> list[Step]:
        """What is to be done for `new`, and is not yet."""
        return self.planner.plan(old, new, missing(self.objects, new), self._having())

    def check(self, steps: Sequence[Step]) -> None:
        """Whether the rules allow it.

        Raises:
            Postponed: not now.
        """
        if steps:
            check_hours(self.pace.rules, self.pace.clock())
            check_metered(self.pace.rules, self.cost(steps), metered=self.metered)

    def cost(self, steps: Sequence[Step]) -> int:
        """Bytes that are still to come over the network."""
        return sum(step.cost - step.came(self.objects) for step in steps)

    def check_space(self, steps: Sequence[Step]) -> None:
        """Raises NoSpace where the disk cannot hold what is to come."""
        need = sum(step.room - step.came(self.objects) for step in steps) + _SPARE_BYTES
        free = shutil.disk_usage(self.device.folder).free
        if steps and free < need:
            what = f"the update needs {need / 1e6:,.1f} MB, and {free / 1e6:,.1f} are free"
            raise NoSpace(what, hint="free some space; nothing was changed")

    def run(self, steps: Sequence[Step]) -> None:
        """Does the steps; each result is compared with its digest.

        Raises:
            SourceFault, Untrusted, Postponed, OSError: what came so far stays, and is gone on with.
        """
        for step in steps:
            self._make(step)

    def _make(self, step: Step) -> None:
        try:
            self._try(step)
        except (Untrusted, NotThere):
            # What came before may have been damaged, or the step cannot be done with this source
            remove_tree(self.objects.incoming(step.digest))
            self._try(Full(step.digest, step.size))

    def _try(self, step: Step) -> None:
        out = self.objects.incoming(step.digest)
        try:
            step.make(out, self._having(), self.told)
        except Postponed:  # the last block may have spent the day's budget
            if self.objects.incoming_size(step.digest) != step.size:
                raise
        if (came := self.objects.incoming_size(step.digest)) < step.size:
            what = f"the source ended after {came} of {step.size} bytes of {step.digest[:12]}"
            raise SourceFault(what, hint="try again; it goes on there")
        self.objects.take(step.digest, step.size)

    def _having(self) -> Having:
        return Having(self.objects, self._read)

    def _read(self, name: str, start: int) -> Iterator[bytes]:
        return self.pace.blocks(not_slow(self.source.read(name, start)))


def missing(objects: Objects, manifest: Manifest) -> list[File]:
    """The files whose content is not there, each content once."""
    contents = {file.sha256: file for file in manifest.files}
    return [file for file in contents.values() if not objects.has(file.sha256, file.size)]
