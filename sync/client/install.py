"""Brings the bundle of an offer into the slot that does not run, whole and compared byte by byte.

Nothing here touches what runs: see `client` for the health check and the switch.
"""

from __future__ import annotations

from dataclasses import dataclass

from skerry.bundles import Bundle, Manifest, codec
from skerry.sync.client.device import Rules
from skerry.sync.client.fetch import Fetching
from skerry.sync.client.journal import Phase
from skerry.sync.client.means import Means
from skerry.sync.client.pace import Pace
from skerry.sync.client.source import Source
from skerry.sync.client.state import State
from skerry.sync.client.trust import Trust
from skerry.sync.errors import DeviceFault, NoSpace
from skerry.sync.offers import Offer

_MOST_BUILDS = 3


@dataclass
class Installation:
    """One offer on its way into `state.journal.slot`."""

    state: State
    means: Means
    source: Source
    rules: Rules

    def __post_init__(self) -> None:
        rules = Rules() if self.means.free_rein else self.rules
        self.pace = Pace(rules, self.state.used_today(), clock=self.means.clock)

    def bring(self, offer: Offer, trust: Trust) -> None:
        """Fetches, builds and compares.

        Raises:
            Untrusted: the manifest or its content is not what was signed.
            BundleError: this device cannot run it.
            SourceFault, Postponed, NoSpace: not now; the next call goes on where this one ended.
            DeviceFault: the disk does not keep what is written.
            OSError: the disk fails.
        """
        try:
            data, manifest = self._manifest(offer, trust)
            if not self.state.slots.sound(self.state.journal.slot, offer.digest):
                self._build(data, manifest)
        finally:
            self.state.spent(self.pace.fetched)

    def _manifest(self, offer: Offer, trust: Trust) -> tuple[bytes, Manifest]:
        """The signed manifest of an offer, when this device can run it."""
        data = trust.manifest(offer.target, offer.digest)
        manifest = codec.decode(data, offer.target)
        if self.means.profile is not None:
            folder = self.state.device.folder
            Bundle(folder, manifest, offer.digest).variant_for(self.means.profile)
        return data, manifest

    def _build(self, data: bytes, manifest: Manifest) -> None:
        """Fetches what is missing, builds the slot, compares it; again without what is damaged."""
        wrong: list[str] = []
        for _ in range(_MOST_BUILDS):
            self._fetch(manifest)
            self.state.begin_building()
            self.state.slots.build(self.state.journal.slot, data, manifest)
            wrong = self.state.slots.faults(self.state.journal.slot)
            if not wrong:
                return
            self.state.enter(Phase.FETCHING)
            self.state.drop_content(manifest, wrong)
        what = f"the disk does not keep what is written: '{wrong[0]}' is damaged"
        raise DeviceFault(what, hint="check the disk of this device")

    def _fetch(self, manifest: Manifest) -> None:
        means, state = self.means, self.state
        metered = means.metered and not means.free_rein
        fetching = Fetching(
            state.device, state.objects, self.source, means.planner, self.pace, metered, means.told
        )
        running = state.bundle()
        steps = fetching.steps(running.manifest.files if running else (), manifest)
        fetching.check(steps)
        try:
            fetching.check_space(steps)
        except NoSpace:
            state.make_room(manifest)
            fetching.check_space(steps)
        fetching.run(steps)
