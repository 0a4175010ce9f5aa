"""Offers without a server: the latest version of the device's channel, as its role signed it."""

from __future__ import annotations

from collections.abc import Callable

from skerry.sync.client.device import Enrolment
from skerry.sync.client.trust import Latest
from skerry.sync.offers import DeviceFacts, Offer, Report


class LatestOffers:
    """Offers what `latest` says of the channel."""

    def __init__(self, enrolment: Enrolment, latest: Callable[[], Latest | None]) -> None:
        self._enrolment = enrolment
        self._latest = latest

    @property
    def poll_after_s(self) -> float:
        return self._enrolment.poll_s

    def next(self, facts: DeviceFacts) -> Offer | None:
        found = self._latest()
        if found is None or found.digest == facts.digest:
            return None
        return Offer(
            id=f"{self._enrolment.channel}/{found.version}",
            target=found.target,
            version=found.version,
            digest=found.digest,
            probation_s=self._enrolment.probation_s,
        )

    def report(self, report: Report) -> None:
        """There is nobody to tell."""
