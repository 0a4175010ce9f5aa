"""Folds what devices did into their rollouts, counts devices of those that start, and lets time
pass for all of them. Any process may; the database lets one at a time."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence

from skerry.sync.rollouts.cohorts import expected, is_chosen
from skerry.sync.rollouts.machine import step
from skerry.sync.rollouts.rollout import Observed, Outcome, Rollout, Sized
from skerry.sync.rollouts.states import RolloutState
from skerry.sync.server.state import Fleet
from skerry.sync.server.state.records import Deed
from skerry.sync.server.state.rollouts import Kept

SERVER = "server"


class Folder:
    def __init__(self, fleet: Fleet, *, clock: Callable[[], float] = time.time) -> None:
        self._fleet, self._clock = fleet, clock

    def fold(self) -> list[Kept]:
        """Every rollout that waits for something, as it is now. In a thread."""
        return [
            kept for one in self._fleet.rollouts.waiting() if (kept := self._one(one)) is not None
        ]

    def _one(self, rollout: str) -> Kept | None:
        kept = self._fleet.rollouts.by_id(rollout)
        if kept is None:
            return None
        sized = self._sized(kept) if kept.rollout.state is RolloutState.STARTING else None
        before: list[RolloutState] = []

        def change(current: Rollout, seen: list[Observed]) -> Rollout:
            before.append(current.state)
            if current.state is RolloutState.STARTING and sized is not None:
                current = step(current, sized)
            if current.started_at is None:
                return current
            return step(current, merged(seen, self._clock()))

        changed = self._fleet.rollouts.change(None, rollout, change)
        if changed is not None and changed.rollout.state is not before[0]:
            self._note(changed)
        return changed

    def _sized(self, kept: Kept) -> Sized:
        plan, devices = kept.rollout.plan, self._fleet.devices
        # enrolled while this runs: a late joiner
        now = self._clock()
        chosen = (one for one in devices.of_channel(kept.tenant, plan.channel)
                  if one.enrolled_at <= now and is_chosen(plan, one))  # fmt: skip
        sizes = Counter(one.profile for one in chosen)
        again = (one for one in devices.of_channel(kept.tenant, plan.channel)
                 if one.enrolled_at <= now)  # fmt: skip
        return Sized(now, dict(sizes), expected(plan, again, sizes))

    def _note(self, kept: Kept) -> None:
        rollout = kept.rollout
        detail = {"why": rollout.why, "evidence": rollout.evidence, "told": rollout.offered}
        action = f"rollout.{rollout.state.lower()}"
        deed = Deed(self._clock(), kept.tenant, SERVER, action, rollout.plan.id, detail)
        self._fleet.people.note(deed)


def merged(seen: Sequence[Observed], now: float) -> Observed:
    """All of it as one, now."""
    offered, retold = Counter[int](), Counter[int]()
    outcomes: list[Outcome] = []
    for one in seen:
        offered.update(one.offered)
        retold.update(one.retold)
        outcomes += one.outcomes
    return Observed(now, dict(offered), dict(retold), tuple(outcomes))
