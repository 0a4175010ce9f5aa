"""One device in a rollout: what it is told, and what its reports make of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from skerry.sync.offers import Stage as Said
from skerry.sync.rollouts.cohorts import Device, is_chosen, stage_of
from skerry.sync.rollouts.evidence import compared
from skerry.sync.rollouts.plan import Mode, Plan, Version
from skerry.sync.rollouts.rollout import Rollout
from skerry.sync.rollouts.states import RolloutState, TargetState

BACK = "back"


@dataclass(frozen=True, slots=True)
class Told:
    """An offer: `id` is `<rollout>:<attempt>`, or `<rollout>:back` of the version before."""

    id: str
    rollout: str
    version: Version
    probation_s: float
    mode: Mode = Mode.UPDATE
    stage: int = -1
    attempt: int = 0


def told(rollouts: Iterable[Rollout], device: Device) -> Told | None:
    """What a device should take, of the rollouts of its channel, the newest first; None: nothing.

    Never one older than what it has, but when what it has was halted. Whether a device has failed
    already is its target's to say: see `tries`.
    """
    for rollout in rollouts:
        plan = rollout.plan
        if device.digest == plan.version.digest:
            halted = rollout.state is RolloutState.STOPPED and rollout.started_at is not None
            if not halted or plan.mode is Mode.SHADOW:
                return None
            if plan.previous is not None:
                offer = f"{plan.id}:{BACK}"
                return Told(offer, plan.id, plan.previous, plan.probation_s)
            continue
        if not rollout.state.gives:
            continue
        stage = stage_of(plan, device, rollout.sizes, rollout.started_at)
        if stage is not None and _has_begun(rollout, stage):
            offer = f"{plan.id}:{rollout.attempt}"
            return Told(
                offer, plan.id, plan.version, plan.probation_s, plan.mode, stage, rollout.attempt
            )
    return None


def tries(state: TargetState, attempt: int, offer: Told) -> bool:
    """Whether a device whose target is in `state` since `attempt` is told `offer`: one that failed
    is not asked again before a retry, one that compared in the shadow is not asked again at all."""
    if state is TargetState.ERROR:
        return attempt < offer.attempt
    return state is not TargetState.IN_SYNC or offer.mode is Mode.UPDATE


def state_of(rollout: Rollout, device: Device) -> TargetState:
    """The state of a device that was told nothing yet."""
    if not is_chosen(rollout.plan, device):
        return TargetState.UNKNOWN
    stage = stage_of(rollout.plan, device, rollout.sizes, rollout.started_at)
    return TargetState.UNKNOWN if stage is None else TargetState.REGISTERED


def after(state: TargetState, said: Said) -> TargetState:
    """The state after a report. What was settled well stays so, unless the device went back; what
    failed stays so until it is told again (which makes it PENDING)."""
    if state is TargetState.PENDING:
        return {
            Said.CONFIRMED: TargetState.IN_SYNC,
            Said.FAILED: TargetState.ERROR,
            Said.ROLLED_BACK: TargetState.ERROR,
        }.get(said, state)
    if state is TargetState.IN_SYNC and said is Said.ROLLED_BACK:
        return TargetState.ERROR
    return state


def marks(plan: Plan, before: Mapping[str, float], now: Mapping[str, float]) -> dict[str, int]:
    """Each signal of the plan that was there before and is now: see `evidence.compared`."""
    return {
        one.name: compared(one, before[one.name], now[one.name])
        for one in plan.signals
        if one.name in before and one.name in now
    }


def _has_begun(rollout: Rollout, stage: int) -> bool:
    """Devices that were enrolled since the start come last, when all the others are done."""
    late = stage == len(rollout.plan.stages)
    return rollout.state is RolloutState.FINISHED if late else stage <= rollout.stage
