"""The state machine: `step(rollout, event)` is the rollout after it.

```
CREATING --gates passed--> WAITING_FOR_APPROVAL --approved--> READY --started--> STARTING
   --counted--> RUNNING <--> PAUSED; RUNNING --every stage went well--> FINISHED
any of them --denied, or halted by a person or by the evidence--> STOPPED
```
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import singledispatch

from skerry.sync.rollouts.counting import counted
from skerry.sync.rollouts.errors import NotAllowed
from skerry.sync.rollouts.evidence import OTHERS, Evidence, evidence
from skerry.sync.rollouts.rollout import (
    Approved,
    Checked,
    Counts,
    Denied,
    Event,
    Halted,
    Observed,
    Paused,
    Resumed,
    Retried,
    Rollout,
    Sized,
    Started,
)
from skerry.sync.rollouts.states import RolloutState as S

BY_EVIDENCE = "evidence"


def step(rollout: Rollout, event: Event) -> Rollout:
    """The rollout after `event`.

    Raises:
        NotAllowed: not in this state, or not by this person. Reports are taken in every state.
    """
    return _step(event, rollout)


def against(rollout: Rollout) -> Evidence:
    """What speaks against the version now."""
    return evidence(rollout.plan, rollout.sizes, rollout.tallies)


@singledispatch
def _step(event: object, rollout: Rollout) -> Rollout:  # noqa: ARG001
    raise TypeError(f"{type(event).__name__} is no event")


@_step.register
def _checked(event: Checked, rollout: Rollout) -> Rollout:
    _need(rollout, "gates are checked", S.CREATING, S.WAITING_FOR_APPROVAL, S.READY)
    if event.gate not in rollout.plan.gates:
        known = ", ".join(rollout.plan.gates) or "none"
        raise NotAllowed(f"there is no gate '{event.gate}'", hint=f"its gates: {known}")
    return _prepared(replace(rollout, gates={**rollout.gates, event.gate: event.result}))


@_step.register
def _approved(event: Approved, rollout: Rollout) -> Rollout:
    _need(rollout, "approvals are given", S.CREATING, S.WAITING_FOR_APPROVAL)
    if event.by == rollout.author:
        raise NotAllowed("its author may not approve a rollout", hint="ask somebody else to")
    if event.by in rollout.approvals:
        raise NotAllowed(f"'{event.by}' has approved it already")
    return _prepared(replace(rollout, approvals=(*rollout.approvals, event.by)))


@_step.register
def _denied(event: Denied, rollout: Rollout) -> Rollout:
    _need(rollout, "one may deny it", S.CREATING, S.WAITING_FOR_APPROVAL, S.READY)
    return replace(rollout, state=S.STOPPED, why=_because("denied", event.by, event.why))


@_step.register
def _started(event: Started, rollout: Rollout) -> Rollout:  # noqa: ARG001
    _need(rollout, "it can be started", S.READY)
    return replace(rollout, state=S.STARTING, why="")


@_step.register
def _sized(event: Sized, rollout: Rollout) -> Rollout:
    _need(rollout, "devices are counted", S.STARTING)
    stages = len(rollout.plan.stages)
    if len(event.expected) != stages:
        raise NotAllowed(f"{stages} stages were planned, and {len(event.expected)} counted")
    return replace(
        rollout,
        state=S.RUNNING,
        started_at=event.at,
        stage_began=event.at,
        sizes=dict(event.sizes),
        expected=event.expected,
        counts=(Counts(),) * (stages + 1),
    )


@_step.register
def _observed(event: Observed, rollout: Rollout) -> Rollout:
    """Halts where the evidence says so, in every state: devices report for long after."""
    if rollout.started_at is None:
        _need(rollout, "devices report", S.RUNNING)
    rollout = counted(rollout, event)
    if event.outcomes and rollout.state is not S.STOPPED:
        rollout = _judged(rollout)
    return _advanced(rollout, event.at) if rollout.state is S.RUNNING else rollout


@_step.register
def _paused(event: Paused, rollout: Rollout) -> Rollout:
    _need(rollout, "it can be paused", S.RUNNING)
    return replace(rollout, state=S.PAUSED, why=_because("paused", event.by))


@_step.register
def _resumed(event: Resumed, rollout: Rollout) -> Rollout:
    """The stage's times begin anew: nobody could take it meanwhile."""
    _need(rollout, "it can be resumed", S.PAUSED)
    return replace(rollout, state=S.RUNNING, stage_began=event.at, why="")


@_step.register
def _halted(event: Halted, rollout: Rollout) -> Rollout:
    _need(rollout, "it can be halted", *(one for one in S if one is not S.STOPPED))
    return replace(rollout, state=S.STOPPED, why=_because("halted", event.by, event.why))


@_step.register
def _retried(event: Retried, rollout: Rollout) -> Rollout:  # noqa: ARG001
    _need(rollout, "failed devices can retry", S.RUNNING, S.PAUSED, S.FINISHED)
    counts = tuple(
        replace(
            one, offered=max(0, one.offered - one.failed), failed=0, again=one.again + one.failed
        )
        for one in rollout.counts
    )
    return replace(rollout, counts=counts, attempt=rollout.attempt + 1)


def _prepared(rollout: Rollout) -> Rollout:
    """As far as gates and approvals let it; a gate that fails again takes it back."""
    passed = {name for name, result in rollout.gates.items() if result.passed}
    if not set(rollout.plan.gates) <= passed:
        return replace(rollout, state=S.CREATING)
    agreed = len(rollout.approvals) >= rollout.plan.approvals
    return replace(rollout, state=S.READY if agreed else S.WAITING_FOR_APPROVAL)


def ready_at_once(rollout: Rollout) -> Rollout:
    """A new rollout, where its plan has no gates, or needs nobody's approval."""
    return _prepared(rollout)


def _judged(rollout: Rollout) -> Rollout:
    found = against(rollout)
    rollout = replace(rollout, evidence=max(rollout.evidence, found.total))
    if found.total < 1 / rollout.plan.limits.false_halt:
        return rollout
    test, profile = found.strongest
    who = f" on {profile}" if profile != OTHERS else ""
    why = f"{test}{who}: by chance once in {found.total:.3g} good versions at most"
    return replace(rollout, state=S.STOPPED, why=_because("halted", BY_EVIDENCE, why))


def _advanced(rollout: Rollout, now: float) -> Rollout:
    """The next stage, or the end, for as many stages as are over."""
    while rollout.state is S.RUNNING and holds(rollout, now) is None:
        last = rollout.stage == len(rollout.plan.stages) - 1
        rollout = (
            replace(rollout, state=S.FINISHED)
            if last
            else replace(rollout, stage=rollout.stage + 1, stage_began=now)
        )
    return rollout


def holds(rollout: Rollout, now: float) -> str | None:
    """What the stage waits for; None: it is over.

    A stage without any devices is over at once.
    """
    limits, counts = rollout.plan.limits, rollout.counts[rollout.stage]
    size, waited = rollout.expected[rollout.stage], now - rollout.stage_began
    if not size and not counts.offered:
        return None
    checks: tuple[tuple[Callable[[], bool], str], ...] = (
        (lambda: waited >= limits.soak_s, "its soak time"),
        (
            lambda: counts.settled >= limits.settled_share * (size if waited < limits.patience_s
            else counts.offered) and counts.settled > 0,
            "devices to settle",
        ),
        (lambda: counts.failed <= max(1, _may_fail(rollout)), "its success rate"),
        (lambda: against(rollout).total < limits.caution, "evidence against it to fade"),
    )  # fmt: skip
    return next((what for is_met, what in checks if not is_met()), None)


def _may_fail(rollout: Rollout) -> float:
    return (1 - rollout.plan.limits.success_rate) * rollout.counts[rollout.stage].settled


def _need(rollout: Rollout, what: str, *states: S) -> None:
    if rollout.state not in states:
        names = ", ".join(states)
        raise NotAllowed(f"the rollout is {rollout.state}, and {what} only while it is {names}")


def _because(what: str, by: str, why: str = "") -> str:
    return f"{what} by {by}: {why}" if why else f"{what} by {by}"
