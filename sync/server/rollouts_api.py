"""`/v1/rollouts`: planned, agreed to, started, watched and ended by operators."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from skerry.sync.rollouts.machine import against, holds, ready_at_once, step
from skerry.sync.rollouts.plan import SIGNALS, STAGES, Limits, Mode, Plan, Signal, Stage, Version
from skerry.sync.rollouts.rollout import (
    Approved,
    Checked,
    Denied,
    Event,
    GateResult,
    Halted,
    Observed,
    Paused,
    Resumed,
    Retried,
    Rollout,
    Started,
)
from skerry.sync.rollouts.states import RolloutState, TargetState
from skerry.sync.server.authority import Operator, needs
from skerry.sync.server.errors import Refusal
from skerry.sync.server.fleet_api import Limit, Name
from skerry.sync.server.folding import merged
from skerry.sync.server.gates import Gates
from skerry.sync.server.roles import Right
from skerry.sync.server.state import Fleet
from skerry.sync.server.state.rollouts import Kept

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Line = Annotated[str, StringConstraints(max_length=300)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class VersionBody(_Body):
    """A published bundle: the path of its TUF target, its version, SHA-256 of its bundle.json."""

    target: Annotated[str, Field(min_length=1, max_length=300)]
    version: Annotated[str, Field(min_length=1, max_length=128)]
    digest: Sha256

    @property
    def plain(self) -> Version:
        return Version(self.target, self.version, self.digest)


class NewRollout(_Body):
    """See `skerry.sync.rollouts.plan.Plan`. `previous` is, where it is not given, the version of
    the channel's last rollout that was finished."""

    id: Name | None = None
    channel: Name = "stable"
    version: VersionBody
    previous: VersionBody | None = None
    mode: Mode = Mode.UPDATE
    groups: list[Name] = []
    tags: list[Name] = []
    profiles: list[Name] = []
    stages: Annotated[list[Stage], Field(max_length=32)] = list(STAGES)
    signals: Annotated[list[Signal], Field(max_length=32)] = list(SIGNALS)
    limits: Limits = Limits()
    gates: Annotated[list[Name], Field(max_length=16)] = ["deltas", "evaluation"]
    approvals: int = 1
    probation_s: float = 3_600.0
    salt: Annotated[str, Field(max_length=128)] = ""


class GateBody(_Body):
    """What a check found; `what` says it in a line."""

    passed: bool
    what: Line = ""


class Because(_Body):
    why: Line = ""


def routes(fleet: Fleet, gates: Gates, *, woken: Callable[[Kept], None]) -> APIRouter:
    """`woken` is told of every change by an operator."""
    router = APIRouter(prefix="/v1/rollouts")
    see, operate, approve, halt_ = (
        Depends(needs(fleet, right))
        for right in (Right.SEE, Right.OPERATE, Right.APPROVE, Right.HALT)
    )

    @router.get("", summary="Rollouts, the newest first")
    def listed(limit: Limit = 100, who: Operator = see) -> dict[str, Any]:
        return {"rollouts": [brief(kept) for kept in fleet.rollouts.of(who.tenant, most=limit)]}

    @router.post("", summary="Plan a rollout; gates that the server can check are checked")
    def plan(body: NewRollout, who: Operator = operate) -> dict[str, Any]:
        rollout = ready_at_once(Rollout(_plan(fleet, who, body), who.person))
        if fleet.rollouts.by_id(rollout.plan.id) is not None:
            raise Refusal(409, "rollout_exists", "there is a rollout of that id already")
        now = time.time()
        for gate, result in gates.check(rollout.plan, now):
            rollout = step(rollout, Checked(gate, result))
        fleet.rollouts.add(who.tenant, rollout, now)
        who.did("rollout.plan", rollout.plan.id, version=rollout.plan.version.version)
        return shown(Kept(who.tenant, now, 1, rollout))

    @router.get("/{rollout}", summary="One rollout: its plan, where it stands, what speaks against")
    def one(rollout: str, who: Operator = see) -> dict[str, Any]:
        return shown(_found(fleet.rollouts.get(who.tenant, rollout)))

    @router.get("/{rollout}/targets", summary="Devices that were told to take it")
    def targets(
        rollout: str,
        state: Annotated[TargetState | None, Query()] = None,
        after: str = "",
        limit: Limit = 100,
        who: Operator = see,
    ) -> dict[str, Any]:
        _found(fleet.rollouts.get(who.tenant, rollout))
        page = fleet.targets.of(rollout, state=state, after_id=after, most=limit)
        following = page[-1].device if len(page) == limit else None
        return {"targets": [asdict(one) for one in page], "after": following}

    def changed(who: Operator, rollout: str, event: Event, action: str) -> dict[str, Any]:
        def change(current: Rollout, seen: list[Observed]) -> Rollout:
            if seen and current.started_at is not None:
                current = step(current, merged(seen, time.time()))
            return step(current, event)

        kept = _found(fleet.rollouts.change(who.tenant, rollout, change))
        who.did(f"rollout.{action}", rollout, state=kept.rollout.state, why=kept.rollout.why)
        woken(kept)
        return shown(kept)

    @router.post("/{rollout}/gates/{gate}", summary="Say what a check before the start found")
    def gate(rollout: str, gate: str, body: GateBody, who: Operator = operate) -> dict[str, Any]:
        result = GateResult(body.passed, body.what, who.person, time.time())
        return changed(who, rollout, Checked(gate, result), f"gate.{gate[:64]}")

    @router.post("/{rollout}/check", summary="Let the server check its gates again")
    def check(rollout: str, who: Operator = operate) -> dict[str, Any]:
        plan = _found(fleet.rollouts.get(who.tenant, rollout)).rollout.plan
        for gate, result in gates.check(plan, time.time()):
            changed(who, rollout, Checked(gate, result), f"gate.{gate}")
        return shown(_found(fleet.rollouts.get(who.tenant, rollout)))

    @router.post("/{rollout}/approve", summary="Agree to a rollout of somebody else")
    def agree(rollout: str, who: Operator = approve) -> dict[str, Any]:
        return changed(who, rollout, Approved(who.person), "approve")

    @router.post("/{rollout}/deny", summary="Refuse a rollout")
    def deny(rollout: str, body: Because, who: Operator = approve) -> dict[str, Any]:
        return changed(who, rollout, Denied(who.person, body.why), "deny")

    @router.post("/{rollout}/start", summary="Start it: its first stage begins")
    def start(rollout: str, who: Operator = operate) -> dict[str, Any]:
        return changed(who, rollout, Started(who.person), "start")

    @router.post("/{rollout}/pause", summary="Tell nobody any more, until it is resumed")
    def pause(rollout: str, who: Operator = operate) -> dict[str, Any]:
        return changed(who, rollout, Paused(who.person), "pause")

    @router.post("/{rollout}/resume", summary="Go on")
    def resume(rollout: str, who: Operator = operate) -> dict[str, Any]:
        return changed(who, rollout, Resumed(who.person, time.time()), "resume")

    @router.post("/{rollout}/halt", summary="End it; devices that took it go back")
    def halt(rollout: str, body: Because, who: Operator = halt_) -> dict[str, Any]:
        return changed(who, rollout, Halted(who.person, body.why), "halt")

    @router.post("/{rollout}/retry", summary="Let devices that failed, and no others, try again")
    def retry(rollout: str, who: Operator = operate) -> dict[str, Any]:
        return changed(who, rollout, Retried(who.person), "retry")

    return router


def brief(kept: Kept) -> dict[str, Any]:
    rollout, plan = kept.rollout, kept.rollout.plan
    return {
        "id": plan.id, "channel": plan.channel, "version": plan.version.version,
        "mode": plan.mode, "state": rollout.state, "author": rollout.author,
        "made_at": kept.made_at, "started_at": rollout.started_at,
        "stage": plan.stages[rollout.stage].name, "offered": rollout.offered,
        "succeeded": sum(one.succeeded for one in rollout.counts),
        "failed": sum(one.failed for one in rollout.counts), "why": rollout.why,
    }  # fmt: skip


def shown(kept: Kept) -> dict[str, Any]:
    """Everything: the live view is drawn from it."""
    rollout, plan = kept.rollout, kept.rollout.plan
    found = against(rollout)
    names = [*(stage.name for stage in plan.stages), "late joiners"]
    sizes = [*rollout.expected, None]
    stages = [
        {"name": name, "size": size, **asdict(counts)}
        for name, size, counts in zip(names, sizes, rollout.counts, strict=False)
    ]
    running = rollout.state is RolloutState.RUNNING
    return {
        **brief(kept),
        "revision": kept.revision,
        "plan": asdict(plan),
        "gates": {name: asdict(result) for name, result in rollout.gates.items()},
        "approvals": list(rollout.approvals),
        "stages": stages,
        "waits_for": holds(rollout, time.time()) if running else None,
        "attempt": rollout.attempt,
        "evidence": {
            "now": found.total, "highest": rollout.evidence,
            "halts_at": 1 / plan.limits.false_halt, "holds_at": plan.limits.caution,
            "of": [
                {"test": test, "profile": profile, "value": value}
                for (test, profile), value in sorted(found.of.items(), key=lambda one: -one[1])
            ],
        },
    }  # fmt: skip


def _found(kept: Kept | None) -> Kept:
    if kept is None:
        raise Refusal(404, "no_rollout", "there is no such rollout")
    return kept


def _plan(fleet: Fleet, who: Operator, body: NewRollout) -> Plan:
    previous = body.previous.plain if body.previous is not None else None
    if previous is None:
        last = fleet.rollouts.finished_before(who.tenant, body.channel)
        previous = last.plan.version if last is not None else None
        if previous is not None and previous.digest == body.version.digest:
            previous = None
    return Plan(
        body.id or secrets.token_hex(6), body.channel, body.version.plain, previous, body.mode,
        tuple(body.groups), tuple(body.tags), tuple(body.profiles), tuple(body.stages),
        tuple(body.signals), body.limits, tuple(body.gates), body.approvals, body.probation_s,
        body.salt,
    )  # fmt: skip
