"""The journal, the slots and the content of one device, changed together in the right order.

Every method leaves the disk in a state that `recovery` understands, wherever it is stopped.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Collection

from skerry.bundles import Bundle, Manifest
from skerry.sync.client import journal as journal_file
from skerry.sync.client.device import Device
from skerry.sync.client.journal import Installed, Journal, Phase
from skerry.sync.client.objects import Objects
from skerry.sync.client.slots import Slots, other
from skerry.sync.client.uses import Uses
from skerry.sync.offers import Offer, Report


class State:
    """What is on the disk of a device."""

    def __init__(self, device: Device, journal: Journal, clock: Callable[[], float]) -> None:
        self.device = device
        self.journal = journal
        self.objects = Objects(device)
        self.slots = Slots(device, self.objects)
        self.uses = Uses(device.folder)
        self._clock = clock

    def write(self, journal: Journal) -> None:
        """Puts the journal on the disk first, so that what it says is never less than was done."""
        journal_file.write(self.device.journal, journal)
        self.journal = journal

    def enter(self, phase: Phase, **fields: object) -> None:
        self.write(self.journal.changed(phase=phase, **fields))

    def running(self) -> Installed | None:
        """What `current` names; None where there is no bundle."""
        slot = self.slots.current()
        return self.journal.slots.get(slot) if slot else None

    def digest(self) -> str:
        """Of the bundle that runs; empty where none does."""
        found = self.running()
        return found.digest if found else ""

    def bundle(self) -> Bundle | None:
        """The bundle that runs."""
        slot = self.slots.current()
        return self.slots.bundle(slot) if slot else None

    def way_back(self) -> Installed | None:
        """What the slot beside the current one holds, when that is whole."""
        slot = other(self.slots.current())
        found = self.journal.slots.get(slot)
        return found if found and self.slots.sound(slot, found.digest) else None

    def why_refused(self, digest: str, offer: str = "") -> str:
        """Why this device does not take a bundle, when the offer of that id brings it; empty where
        it may."""
        refused = (one for one in self.journal.refused if one.digest == digest)
        return next((one.why for one in refused if one.holds_for(offer)), "")

    def free_bytes(self) -> int:
        return shutil.disk_usage(self.device.folder).free

    def begin(self, offer: Offer) -> None:
        """An offer is under way, to the slot that does not run."""
        running = self.slots.current()
        before = self.journal.offer
        same = before is not None and before.digest == offer.digest
        self.enter(
            Phase.FETCHING,
            offer=offer,
            slot=other(running),
            previous=running or "",
            tries=self.journal.tries if same else 0,
        )

    def begin_building(self) -> None:
        """The slot that does not run is about to lose what it held."""
        slot = self.journal.slot
        slots = {name: one for name, one in self.journal.slots.items() if name != slot}
        self.enter(Phase.BUILDING, slots=slots)

    def begin_switching(self) -> None:
        """The slot holds the offer, whole and tried; the link is about to name it."""
        offer = self.journal.offer
        assert offer is not None, "there is an offer"
        new = Installed(target=offer.target, version=offer.version, digest=offer.digest)
        slots = {**self.journal.slots, self.journal.slot: new}
        self.enter(Phase.SWITCHING, slots=slots)

    def stopped(self) -> None:
        """The offer that was under way waits; what came of it stays."""
        if self.journal.phase not in (Phase.IDLE, Phase.PROBATION):
            self.enter(Phase.IDLE)

    def refuse(self, offer: Offer, why: str, report: Report) -> None:
        """The offer that is under way is not for this device."""
        journal = self.journal.refusing(offer.digest, why, offer.id).reporting(report)
        self.write(journal.changed(phase=Phase.IDLE, offer=None, tries=0))

    def on_probation(self, until: float, report: Report | None = None) -> None:
        """The link was switched to the new slot."""
        journal, offer = self.journal, self.journal.offer
        assert offer is not None, "there is an offer"
        if report:
            journal = journal.reporting(report)
        refused = tuple(one for one in journal.refused if one.digest != offer.digest)
        self.write(journal.changed(phase=Phase.PROBATION, until=until, refused=refused, tries=0))

    def confirm(self, report: Report) -> None:
        """The bundle on probation stays."""
        offer = self.journal.offer
        assert offer is not None, "there is an offer"
        self.write(self.journal.reporting(report).changed(phase=Phase.IDLE, offer=None, until=0.0))
        self.uses.forget(offer.digest)

    def begin_revert(self, offer: Offer, why: str, report: Report) -> None:
        """The bundle that runs is given up. `recovery.finish_revert` does the rest."""
        running = self.slots.current() or ""
        journal = self.journal.refusing(offer.digest, why, offer.id).reporting(report)
        back = other(running)
        self.write(
            journal.changed(
                phase=Phase.REVERTING, offer=offer, slot=running, previous=back, why=why
            )
        )

    def queue(self, report: Report) -> None:
        self.write(self.journal.reporting(report))

    def delivered(self) -> None:
        """The oldest report was."""
        self.write(self.journal.changed(reports=self.journal.reports[1:]))

    def drop_content(self, manifest: Manifest, paths: Collection[str]) -> None:
        """Throws away the content of paths that were found damaged."""
        for file in manifest.files:
            if file.path in paths:
                self.objects.drop(file.sha256)

    def make_room(self, manifest: Manifest) -> None:
        """Gives up the slot that does not run, and all content that is not needed now."""
        slot = self.journal.slot
        slots = {name: one for name, one in self.journal.slots.items() if name != slot}
        self.write(self.journal.changed(slots=slots))
        self.slots.remove(slot)
        new = {file.sha256 for file in manifest.files}
        self.objects.collect(self.slots.contents() | new, new)

    def collect(self) -> int:
        """Throws away content that no slot uses; says how many bytes."""
        return self.objects.collect(self.slots.contents())

    def used_today(self) -> int:
        """Bytes that were fetched today."""
        return self.journal.day_bytes if self.journal.day == self._today() else 0

    def spent(self, fetched: int) -> None:
        """Counts bytes that were fetched."""
        if fetched:
            total = self.used_today() + fetched
            self.write(self.journal.changed(day=self._today(), day_bytes=total))

    def _today(self) -> str:
        return time.strftime("%Y-%m-%d", time.localtime(self._clock()))
