"""What an operator decides before a rollout: which version, to whom, in which stages, how much may
go wrong."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import StrEnum

from skerry.sync.rollouts.errors import PlanError

MOST_STAGES = 32
MOST_NAME = 128


class Mode(StrEnum):
    """`UPDATE`: devices switch to the version. `SHADOW`: it answers beside the one in use, is
    compared, and is never shown; a device reports the comparison and keeps what it has."""

    UPDATE = "update"
    SHADOW = "shadow"


@dataclass(frozen=True, slots=True)
class Version:
    """A published bundle: its TUF target, its version, SHA-256 of its `bundle.json` in hex."""

    target: str
    version: str
    digest: str


@dataclass(frozen=True, slots=True)
class Stage:
    """Devices that take a version together: the first stage of a plan that admits one has it.

    It admits devices with one of `tags` and one of `profiles` (empty: any), whose place on the
    ring (`cohorts.place`) is below `percent` of it. `at_least_per_profile` widens that where so
    few of a profile would be in it that nothing could be learnt of the profile.
    """

    name: str
    percent: float = 100.0
    tags: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()
    at_least_per_profile: int = 0


class Worse(StrEnum):
    LOWER = "lower"
    HIGHER = "higher"


@dataclass(frozen=True, slots=True)
class Signal:
    """A number that devices report, compared with the same device's under the version before.

    Differences within `margin` are none; with `relative` it is a share of the number before.
    """

    name: str
    worse: Worse
    margin: float
    relative: bool = False


SIGNALS = (
    Signal("health_score", Worse.LOWER, 0.02),
    Signal("gate_rejection_rate", Worse.HIGHER, 0.02),
    Signal("latency_ms_p50", Worse.HIGHER, 0.10, relative=True),
    Signal("crash_rate", Worse.HIGHER, 0.001),
)

STAGES = (
    Stage("canary", 0.1),
    Stage("early", 0.3, at_least_per_profile=800),
    Stage("5%", 5.0),
    Stage("20%", 20.0),
    Stage("50%", 50.0),
    Stage("all", 100.0),
)


@dataclass(frozen=True, slots=True)
class Limits:
    """When a stage is over, and when the rollout is.

    `failure_rate`: so large a share of devices may fail whatever the version (flash, power,
    disk). `false_halt`: the chance, at most, that a version within that is halted, ever. With
    evidence of `caution` and more (20: one in twenty by chance) no further stage begins.

    A stage is over when `settled_share` of the devices that it should have are settled, at least
    `success_rate` of them well (one failure alone holds no stage), and `soak_s` seconds are over.
    After `patience_s` those count that
    asked: devices may be switched off for weeks.
    """

    failure_rate: float = 0.005
    false_halt: float = 0.001
    caution: float = 20.0
    success_rate: float = 0.98
    settled_share: float = 0.8
    soak_s: float = 3_600.0
    patience_s: float = 86_400.0


@dataclass(frozen=True, slots=True)
class Plan:
    """`groups`, `tags` and `profiles` choose devices of the channel (empty: all of them).

    `approvals`: so many people agree who are not the author. `gates` are names of checks that must
    have passed. `previous` is what devices go back to when it is halted; None: they stay.
    `salt` decides which devices come first.

    Raises:
        PlanError: a field is out of bounds.
    """

    id: str
    channel: str
    version: Version
    previous: Version | None = None
    mode: Mode = Mode.UPDATE
    groups: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()
    stages: tuple[Stage, ...] = STAGES
    signals: tuple[Signal, ...] = SIGNALS
    limits: Limits = field(default_factory=Limits)
    gates: tuple[str, ...] = ("deltas", "evaluation")
    approvals: int = 1
    probation_s: float = 3_600.0
    salt: str = ""

    def __post_init__(self) -> None:
        if not self.id or len(self.id) > MOST_NAME or ":" in self.id:
            raise PlanError("id: 1 to 128 characters, and no ':'")
        if not 1 <= len(self.stages) <= MOST_STAGES:
            raise PlanError(f"stages: from 1 to {MOST_STAGES}")
        if len({stage.name for stage in self.stages}) < len(self.stages):
            raise PlanError("stages: a name is there twice")
        for stage in self.stages:
            _check_stage(stage)
        if self.previous is not None and self.previous.digest == self.version.digest:
            raise PlanError("previous: it is the version itself")
        if not 0 <= self.approvals <= 10:
            raise PlanError("approvals: from 0 to 10")
        _check_within("probation_s", self.probation_s, 0, 90 * 86_400)
        _check_limits(self.limits)
        for signal in self.signals:
            _check_within(f"signals.{signal.name}.margin", signal.margin, 0, math.inf)


def _check_stage(stage: Stage) -> None:
    if not stage.name or len(stage.name) > MOST_NAME:
        raise PlanError("stages: a name has 1 to 128 characters")
    if not 0 < stage.percent <= 100:
        raise PlanError(f"stages.{stage.name}.percent: more than 0, at most 100")
    if not 0 <= stage.at_least_per_profile <= 1_000_000:
        raise PlanError(f"stages.{stage.name}.at_least_per_profile: from 0 to 1,000,000")


def _check_limits(limits: Limits) -> None:
    _check_within("limits.failure_rate", limits.failure_rate, 1e-6, 0.5)
    _check_within("limits.false_halt", limits.false_halt, 1e-9, 0.5)
    _check_within("limits.caution", limits.caution, 1, 1e9)
    _check_within("limits.success_rate", limits.success_rate, 0, 1)
    _check_within("limits.settled_share", limits.settled_share, 0.01, 1)
    _check_within("limits.soak_s", limits.soak_s, 0, 90 * 86_400)
    _check_within("limits.patience_s", limits.patience_s, limits.soak_s, 365 * 86_400)


def _check_within(name: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:  # NaN is not
        raise PlanError(f"{name}: {value:g} is not from {least:g} to {most:g}")
