"""A fleet in discrete events, driven by the code of a real one: `cohorts`, `targets`, `machine`.

Devices poll at random phases, some are switched off for hours, each takes its time to download and
to prove the version. What a version does to devices is a `Bundle`. A simulated hour costs as much
as its devices do: who is not in a stage that has begun is not asked.
"""

from __future__ import annotations

import heapq
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from skerry.sync.offers import Stage as Said
from skerry.sync.rollouts.cohorts import Device, stage_of
from skerry.sync.rollouts.machine import ready_at_once, step
from skerry.sync.rollouts.plan import Plan
from skerry.sync.rollouts.rollout import Observed, Outcome, Rollout, Sized, Started
from skerry.sync.rollouts.states import RolloutState, TargetState
from skerry.sync.rollouts.targets import after, marks, told, tries

PROFILES: Mapping[str, float] = {
    "phone-mid": 0.45,
    "phone-flagship": 0.20,
    "budget-phone": 0.15,
    "raspberry": 0.10,
    "laptop": 0.08,
    "workstation": 0.02,
}
"""Shares of a fleet."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """What a version does. `failure_rate` is that of any device; `breaks` adds to it by profile.
    `shift` moves a signal, in units of its noise."""

    failure_rate: float = 0.003
    breaks: Mapping[str, float] = field(default_factory=dict)
    shift: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class World:
    """Seconds. `away`: the share of devices that are switched off, for `away_s` on average.
    Reports are folded into the rollout every `fold_s`."""

    poll_s: float = 3_600.0
    download_s: float = 900.0
    away: float = 0.2
    away_s: float = 6 * 3_600.0
    fold_s: float = 60.0
    most_s: float = 60 * 86_400.0


NOISE: Mapping[str, tuple[float, float]] = {
    "health_score": (0.95, 0.03),
    "gate_rejection_rate": (0.05, 0.03),
    "latency_ms_p50": (400.0, 60.0),
    "crash_rate": (0.001, 0.0005),
}
"""By signal: mean and standard deviation."""


@dataclass(frozen=True, slots=True)
class Result:
    """`told`: devices that were told to take it before it ended; `took`: those that did."""

    rollout: Rollout
    fleet: int
    told: int
    took: int
    broken: int
    seconds: float

    @property
    def fraction(self) -> float:
        return self.told / self.fleet


def fleet(size: int, shares: Mapping[str, float] = PROFILES) -> list[Device]:
    """Devices with numbers as ids; their profiles are spread by the shares."""
    names = [name for name, share in shares.items() for _ in range(round(share * 100))]
    return [Device(f"device-{i}", names[i * 37 % len(names)]) for i in range(size)]


def simulate(
    plan: Plan, devices: Sequence[Device], bundle: Bundle, *, seed: int, world: World | None = None
) -> Result:
    """Runs a rollout until it is finished, stopped, or `most_s` are over."""
    return _Run(plan, devices, bundle, seed, world or World()).run()


class _Run:
    def __init__(
        self, plan: Plan, devices: Sequence[Device], bundle: Bundle, seed: int, world: World
    ) -> None:
        self._plan = replace(plan, gates=(), approvals=0)
        self._devices, self._bundle, self._world = devices, bundle, world
        self._draw = random.Random(seed)  # noqa: S311
        self._queue: list[tuple[float, int, int]] = []  # when, 0: polls or 1: settles, who
        self._state: dict[int, TargetState] = {}
        self._offered, self._outcomes = Counter[int](), list[Outcome]()
        self._took = self._broken = 0

    def run(self) -> Result:
        sizes = Counter(device.profile for device in self._devices)
        stages = self._by_stage(sizes)
        rollout = step(ready_at_once(Rollout(self._plan, "simulation")), Started("simulation"))
        rollout = step(rollout, Sized(0.0, sizes, tuple(map(len, stages))))
        began, now = -1, 0.0
        while rollout.state is RolloutState.RUNNING and now < self._world.most_s:
            for stage in range(began + 1, rollout.stage + 1):
                self._begin(stages[stage], now)
            began = rollout.stage
            now += self._world.fold_s
            self._until(now, rollout)
            rollout = step(rollout, self._seen(now))
        return Result(rollout, len(self._devices), rollout.offered, self._took, self._broken, now)

    def _by_stage(self, sizes: Mapping[str, int]) -> list[list[int]]:
        found: list[list[int]] = [[] for _ in self._plan.stages]
        for number, device in enumerate(self._devices):
            stage = stage_of(self._plan, device, sizes, None)
            if stage is not None:
                found[stage].append(number)
        return found

    def _begin(self, devices: Sequence[int], now: float) -> None:
        for number in devices:
            wait = self._draw.uniform(0, self._world.poll_s)
            if self._draw.random() < self._world.away:
                wait += self._draw.expovariate(1 / self._world.away_s)
            heapq.heappush(self._queue, (now + wait, 0, number))

    def _until(self, now: float, rollout: Rollout) -> None:
        while self._queue and self._queue[0][0] <= now:
            at, settles, number = heapq.heappop(self._queue)
            if settles:
                self._settle(number, rollout)
            else:
                self._poll(number, at, rollout)

    def _poll(self, number: int, at: float, rollout: Rollout) -> None:
        offer = told((rollout,), self._devices[number])
        before = self._state.get(number, TargetState.REGISTERED)
        if offer is None or not tries(before, 0, offer):
            return
        self._state[number] = TargetState.PENDING
        self._offered[offer.stage] += 1
        takes = self._draw.expovariate(1 / self._world.download_s) + offer.probation_s
        heapq.heappush(self._queue, (at + takes, 1, number))

    def _settle(self, number: int, rollout: Rollout) -> None:
        self._took += 1
        device = self._devices[number]
        rate = self._bundle.failure_rate + self._bundle.breaks.get(device.profile, 0.0)
        fails = self._draw.random() < rate
        self._broken += fails
        said = Said.ROLLED_BACK if fails else Said.CONFIRMED
        self._state[number] = after(self._state[number], said)
        stage = stage_of(self._plan, device, rollout.sizes, None)
        assert stage is not None
        found = {} if fails else marks(self._plan, dict(self._before()), dict(self._now()))
        self._outcomes.append(Outcome(stage, device.profile, not fails, marks=found))

    def _before(self) -> Iterator[tuple[str, float]]:
        for name, (mean, deviation) in NOISE.items():
            yield name, self._draw.gauss(mean, deviation)

    def _now(self) -> Iterator[tuple[str, float]]:
        for name, (mean, deviation) in NOISE.items():
            yield (
                name,
                self._draw.gauss(mean + self._bundle.shift.get(name, 0.0) * deviation, deviation),
            )

    def _seen(self, now: float) -> Observed:
        seen = Observed(now, dict(self._offered), outcomes=tuple(self._outcomes))
        self._offered.clear()
        self._outcomes.clear()
        return seen
