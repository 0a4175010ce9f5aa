"""What a process knows without asking the database: rollouts that were started, and devices.

Both are compared with the database twice a second, so that processes of one fleet agree.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from skerry.sync.rollouts.rollout import Rollout
from skerry.sync.server.batching import Batcher
from skerry.sync.server.state import Fleet
from skerry.sync.server.state.records import Enrolled, Seen
from skerry.sync.server.state.rollouts import Kept

_MOST_DEVICES = 400_000
_OVERLAP_S = 10.0
"""Clocks of processes, and transactions under way, may be this far apart."""


class LiveRollouts:
    """By channel, the newest first."""

    def __init__(self) -> None:
        self._kept: dict[str, Kept] = {}
        self._channels: dict[tuple[str, str], tuple[Rollout, ...]] = {}

    def of(self, tenant: str, channel: str) -> tuple[Rollout, ...]:
        return self._channels.get((tenant, channel), ())

    def get(self, tenant: str, rollout: str) -> Rollout | None:
        kept = self._kept.get(rollout)
        return kept.rollout if kept is not None and kept.tenant == tenant else None

    def refresh(self, fleet: Fleet) -> None:
        """In a thread."""
        known = {one: kept.revision for one, kept in self._kept.items()}
        for rollout, revision in fleet.rollouts.revisions().items():
            if known.get(rollout) != revision:
                kept = fleet.rollouts.by_id(rollout)
                if kept is not None:
                    self.learn(kept)

    def learn(self, kept: Kept) -> None:
        plan = kept.rollout.plan
        if kept.rollout.started_at is None or self._is_older(kept):
            return
        self._kept = {**self._kept, plan.id: kept}
        found: dict[tuple[str, str], list[Kept]] = defaultdict(list)
        for one in sorted(self._kept.values(), key=lambda one: one.made_at, reverse=True):
            found[one.tenant, one.rollout.plan.channel].append(one)
        self._channels = {key: tuple(o.rollout for o in them) for key, them in found.items()}

    def _is_older(self, kept: Kept) -> bool:
        known = self._kept.get(kept.rollout.plan.id)
        return known is not None and known.revision >= kept.revision


class LiveDevices:
    """Devices that asked lately, as they were read; who is not there is read, many at once."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._known: dict[str, Enrolled] = {}
        self._reads: Batcher[str, Enrolled | None] = Batcher(self._read)
        self._since = 0.0

    async def get(self, device: str) -> Enrolled | None:
        found = self._known.get(device)
        if found is not None:
            return found
        found = await self._reads.ask(device)
        if found is not None:
            if len(self._known) >= _MOST_DEVICES:
                self._known.clear()
            self._known[device] = found
        return found

    def saw(self, device: Enrolled, seen: Seen) -> None:
        if device.id in self._known and seen.signed_at >= device.signed_at:
            self._known[device.id] = replace(
                device, signed_at=seen.signed_at, profile=seen.profile, digest=seen.digest
            )

    def refresh(self, now: float) -> None:
        """In a thread: forgets those that an operator changed."""
        for device in self._fleet.devices.changed(max(0.0, self._since - _OVERLAP_S)):
            self._known.pop(device, None)
        self._since = now

    def _read(self, ids: Sequence[str]) -> list[Enrolled | None]:
        found = self._fleet.devices.by_id(ids)
        return [found.get(one) for one in ids]
