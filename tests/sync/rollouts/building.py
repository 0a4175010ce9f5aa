"""Plans and rollouts for tests."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from skerry.sync.rollouts.machine import ready_at_once, step
from skerry.sync.rollouts.plan import Limits, Plan, Stage, Version
from skerry.sync.rollouts.rollout import Outcome, Rollout, Sized, Started

OLD = Version("stable/clinic/1/bundle.json", "1", "1" * 64)
NEW = Version("stable/clinic/2/bundle.json", "2", "2" * 64)
QUICK = Limits(soak_s=10, patience_s=100)
TWO = (Stage("canary", 10.0), Stage("all", 100.0))


def plan(**given: Any) -> Plan:
    fields = {"previous": OLD, "limits": QUICK, "stages": TWO, "gates": (), "approvals": 0}
    return Plan("r1", "stable", NEW, **{**fields, **given})


def ready(**given: Any) -> Rollout:
    return ready_at_once(Rollout(plan(**given), "ada"))


def running(sizes: dict[str, int] | None = None, **given: Any) -> Rollout:
    """Since the time 0; its first stage has 10 devices, its second 90."""
    rollout = step(ready(**given), Started("ada"))
    stages = len(rollout.plan.stages)
    expected = (10,) * (stages - 1) + (90,)
    return step(rollout, Sized(0.0, sizes or {"phone": 100}, expected))


def outcomes(good: int, bad: int = 0, *, stage: int = 0, **given: Any) -> tuple[Outcome, ...]:
    one = Outcome(stage, "phone", succeeded=True, **given)
    return (one,) * good + (replace(one, succeeded=False),) * bad
