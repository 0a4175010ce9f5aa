"""The device's side of updates: look, fetch, build beside, try, switch, watch, keep or go back.

`apply` is the page to read first. Every step is written into the journal before it is done, and
`open_client` finishes or undoes what was stopped before it does anything else.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from skerry.bundles import BundleError
from skerry.sync.client import recovery
from skerry.sync.client.device import Device
from skerry.sync.client.health import Health
from skerry.sync.client.install import Installation
from skerry.sync.client.journal import Journal, Phase
from skerry.sync.client.latest import LatestOffers
from skerry.sync.client.means import Applied, Means, Result
from skerry.sync.client.source import open_source
from skerry.sync.client.state import State
from skerry.sync.client.trust import Latest, Trust
from skerry.sync.durable import NO_ROOM, locked
from skerry.sync.errors import (
    DeviceBusy,
    DeviceFault,
    NoSpace,
    Postponed,
    SourceFault,
    SyncError,
    Unhealthy,
)
from skerry.sync.offers import DeviceFacts, Offer, Report, Stage

MOST_CRASHES = 3
_MOST_TRIES = 3


class Client:
    """Updates of the device in one folder. Made by `open_client`."""

    def __init__(self, device: Device, state: State, means: Means) -> None:
        self.device = device
        self.state = state
        self.enrolment = device.enrolment()
        self._means = means
        self._source = means.source or open_source(self.enrolment.source)
        self._offers = means.offers or LatestOffers(self.enrolment, self._latest)
        self._trust: Trust | None = None

    @property
    def journal(self) -> Journal:
        return self.state.journal

    @property
    def poll_after_s(self) -> float:
        return self._offers.poll_after_s

    def check(self) -> Offer | None:
        """What the device is to take; None where it runs that.

        Raises:
            SourceFault: neither the source nor the server can be reached.
            Untrusted: what the source says is not signed as it must be.
        """
        offer = self._offers.next(self.facts())
        return None if offer is None or offer.digest == self.state.digest() else offer

    def facts(self) -> DeviceFacts:
        """What the device says of itself."""
        running = self.state.running()
        return DeviceFacts(
            device=self.enrolment.device,
            profile=self.enrolment.profile,
            tags=self.enrolment.tags,
            digest=running.digest if running else "",
            version=running.version if running else "",
            free_bytes=self.state.free_bytes(),
        )

    def apply(self, offer: Offer | None = None, *, again: bool = False) -> Applied:
        """Takes an offer, or what `check` finds: the whole way to the switch.

        Args:
            offer: what to take; None asks.
            again: whether to try a bundle that this device refused before.

        Raises:
            SyncError: it could not be done, or not now; what ran before runs on.
        """
        settled = self.settle()
        offer = offer or self.check()
        if offer is None or offer.digest == self.state.digest():
            return settled or self._nothing_new()
        if self.journal.phase is Phase.PROBATION:
            back = self.state.way_back()
            if back is not None and back.digest == offer.digest:
                return self._called_back(offer)
            what = f"version {self._watched().version} is on probation"
            raise Postponed(what, hint="`skerry sync status` says until when")
        why = self.state.why_refused(offer.digest, offer.id)
        if why and not again:
            return Applied(Result.REFUSED, offer.version, offer.digest, what=why)
        return self._install(offer)

    def _nothing_new(self) -> Applied:
        running = self.state.running()
        version, digest = (running.version, running.digest) if running else ("", "")
        return Applied(Result.CURRENT, version, digest)

    def _called_back(self, offer: Offer) -> Applied:
        """Ends a probation at once: whoever offers the version before has seen enough."""
        self._revert(self._watched(), f"called back to version {offer.version}")
        return Applied(Result.INSTALLED, offer.version, offer.digest, what="called back")

    def _install(self, offer: Offer) -> Applied:
        work = Installation(self.state, self._means, self._source, self.enrolment.rules)
        self.state.begin(offer)
        self._report(Stage.DOWNLOADING, offer)
        try:
            work.bring(offer, self._trusted())
            health = self._try(offer)
        except BundleError as error:
            raise self._refuse(offer, error.what) from error
        except (SyncError, OSError):
            with suppress(OSError):  # a full disk; the next `open_client` does the same
                self.state.stopped()
            raise
        self._switch(offer, health)
        if offer.probation_s <= 0:
            self._confirm(health)
        result = Result.CONFIRMED if self.journal.phase is Phase.IDLE else Result.INSTALLED
        return Applied(result, offer.version, offer.digest, work.pace.fetched, health.what)

    def _try(self, offer: Offer) -> Health:
        """The health check of the new slot."""
        if self.journal.tries >= _MOST_TRIES:
            raise self._refuse(offer, f"its health check did not end {_MOST_TRIES} times")
        self.state.enter(Phase.CHECKING, tries=self.journal.tries + 1)
        health = self._means.health(self.state.slots.folder(self.journal.slot))
        if not health.ok:
            raise self._refuse(offer, health.what, health)
        return health

    def _refuse(self, offer: Offer, why: str, health: Health | None = None) -> Unhealthy:
        """Notes that this bundle is not for this device; gives the error."""
        report = self._said(Stage.FAILED, offer, why, health)
        self.state.refuse(offer, why, report)
        self._deliver()
        what = f"version {offer.version} is not taken: {why}"
        return Unhealthy(what, hint="what ran before runs on; `apply --again` tries once more")

    def _switch(self, offer: Offer, health: Health) -> None:
        self.state.uses.forget(offer.digest)  # of an earlier probation
        self.state.begin_switching()
        self.state.slots.switch(self.journal.slot)
        report = self._said(Stage.INSTALLED, offer, health.what, health)
        self.state.on_probation(self._means.clock() + offer.probation_s, report)
        self._deliver()

    def settle(self) -> Applied | None:
        """Ends a probation that is over: keeps the bundle, or goes back. None where there is none.

        Raises:
            Unhealthy: the bundle did not prove itself, and the one before runs again.
        """
        self._deliver()
        if self.journal.phase is not Phase.PROBATION:
            return None
        offer, now = self._watched(), self._means.clock()
        crashes = self.state.uses.crashes(offer.digest)
        if crashes >= MOST_CRASHES:
            raise self._go_back(f"it ended without closing {crashes} times")
        if self.journal.until - now > offer.probation_s:  # the clock was set back
            self.state.enter(Phase.PROBATION, until=now + offer.probation_s)
        if now < self.journal.until:
            return None
        health = self._means.health(self.state.slots.folder(self.journal.slot))
        if not health.ok:
            raise self._go_back(health.what)
        self._confirm(health, crashes)
        return Applied(Result.CONFIRMED, offer.version, offer.digest, what=health.what)

    def confirm(self) -> None:
        """Keeps the bundle that is on probation, without waiting.

        Raises:
            DeviceFault: none is.
        """
        if self.journal.phase is not Phase.PROBATION:
            raise DeviceFault("no bundle is on probation", hint="see `skerry sync status`")
        self._confirm(Health(True, 1.0, "confirmed by hand"))

    def _confirm(self, health: Health, crashes: int = 0) -> None:
        offer = self._watched()
        signals = {**health.signals, "crashes": float(crashes)}
        said = Health(True, health.score, health.what, signals)
        self.state.confirm(self._said(Stage.CONFIRMED, offer, health.what, said))
        self.state.collect()
        self._deliver()

    def rollback(self) -> Applied:
        """Goes back to the bundle before, and refuses the one that runs.

        Raises:
            DeviceFault: there is no bundle to go back to, or it is one that was refused.
        """
        running, target = self.state.running(), self.state.way_back()
        if running is None or target is None:
            what = "there is no bundle to go back to"
            raise DeviceFault(what, hint="ask the operator to publish an earlier version")
        if why := self.state.why_refused(target.digest):
            what = f"the bundle before, {target.version or target.digest[:12]}, was refused: {why}"
            raise DeviceFault(what, hint="ask the operator to publish another version")
        offer = self.journal.offer
        if offer is None or offer.digest != running.digest:
            offer = Offer(
                id="by-hand", target=running.target or "unknown",
                version=running.version or "unknown", digest=running.digest,
            )  # fmt: skip
        self._revert(offer, "rolled back by hand")
        return Applied(Result.INSTALLED, target.version, target.digest, what="rolled back")

    def _go_back(self, why: str) -> SyncError:
        """Ends a probation badly; gives the error."""
        offer = self._watched()
        what = f"version {offer.version} did not prove itself: {why}"
        if self._revert(offer, why):
            return Unhealthy(what, hint="the version before runs again")
        return Unhealthy(
            what, hint="there is no version to go back to; it stays until a better one"
        )

    def _revert(self, offer: Offer, why: str) -> bool:
        """Whether there was a way back."""
        report = self._said(Stage.ROLLED_BACK, offer, why)
        self.state.begin_revert(offer, why, report)
        done = recovery.finish_revert(self.state)
        self._deliver()
        return done

    def _watched(self) -> Offer:
        offer = self.journal.offer
        assert offer is not None, "on probation there is an offer"
        return offer

    def _trusted(self) -> Trust:
        if self._trust is None:
            trust = Trust(self.device.metadata, self.device.trusted_root(), self._source)
            trust.refresh()
            self._trust = trust
        return self._trust

    def _latest(self) -> Latest | None:
        return self._trusted().latest(self.enrolment.channel, self.enrolment.bundle)

    def _said(
        self, stage: Stage, offer: Offer, what: str = "", health: Health | None = None
    ) -> Report:
        signals = dict(health.signals) if health else {}
        if health:
            signals.setdefault("health_score", health.score)
        return Report(
            offer=offer.id, digest=offer.digest, stage=stage, what=what[:300], signals=signals
        )

    def _report(self, stage: Stage, offer: Offer) -> None:
        self.state.queue(self._said(stage, offer))
        self._deliver()

    def _deliver(self) -> None:
        """Hands over reports, oldest first; those that cannot be delivered wait."""
        with suppress(SourceFault):
            while self.journal.reports:
                self._offers.report(self.journal.reports[0])
                self.state.delivered()


@contextmanager
def open_client(
    folder: Path, means: Means | None = None, *, verify: bool = False
) -> Iterator[Client]:
    """The client of the device in `folder`, for this process alone; what was stopped is mended.

    Args:
        folder: made by `enroll`.
        means: what it works with.
        verify: whether to read every byte of both slots, and heal what is damaged.

    Raises:
        DeviceFault: no device is enrolled there, another process changes it, or the disk fails.
    """
    device, means = Device(folder.resolve()), means or Means()
    device.enrolment()
    with _translated(device), locked(device.lock) as mine:
        if not mine:
            what = f"another process updates the device '{folder}'"
            raise DeviceBusy(what, hint="wait for it to end")
        state = recovery.recover(device, means.clock, verify=verify)
        yield Client(device, state, means)


@contextmanager
def _translated(device: Device) -> Iterator[None]:
    """Turns the operating system's errors into ours."""
    try:
        yield
    except OSError as error:
        if error.errno in NO_ROOM:
            what = f"the disk of '{device.folder}' is full"
            raise NoSpace(
                what, hint="free some space and run it again; what ran, runs on"
            ) from error
        what = f"the device '{device.folder}' cannot be changed: {error.strerror or error}"
        raise DeviceFault(what, hint="check the folder's rights and disk") from error
