"""A rollout as plain data, and the events that change it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from skerry.sync.rollouts.evidence import Tally
from skerry.sync.rollouts.plan import Plan
from skerry.sync.rollouts.states import RolloutState


@dataclass(frozen=True, slots=True)
class Counts:
    """Devices of one stage. `offered` were told to take it, those settled included; `again` are
    failed ones that may try once more."""

    offered: int = 0
    succeeded: int = 0
    failed: int = 0
    again: int = 0

    @property
    def settled(self) -> int:
        return self.succeeded + self.failed


@dataclass(frozen=True, slots=True)
class GateResult:
    """What a check before the start found. `by` is who says so."""

    passed: bool
    what: str
    by: str
    at: float


@dataclass(frozen=True, slots=True)
class Rollout:
    """Times are seconds since 1970. `sizes` are the chosen devices by profile when it was started,
    `expected` those of each stage; `counts` has one entry more: devices enrolled since. `stage` is
    the last one that has begun. `attempt` grows with every retry. `evidence` is the e-value against
    the version, the highest that was seen."""

    plan: Plan
    author: str
    state: RolloutState = RolloutState.CREATING
    gates: Mapping[str, GateResult] = field(default_factory=dict)
    approvals: tuple[str, ...] = ()
    stage: int = 0
    stage_began: float = 0.0
    started_at: float | None = None
    sizes: Mapping[str, int] = field(default_factory=dict)
    expected: tuple[int, ...] = ()
    counts: tuple[Counts, ...] = ()
    tallies: Mapping[str, Tally] = field(default_factory=dict)
    attempt: int = 1
    evidence: float = 1.0
    why: str = ""

    @property
    def offered(self) -> int:
        return sum(one.offered for one in self.counts)


@dataclass(frozen=True, slots=True)
class Checked:
    """A gate has a result; a later one of the same name counts."""

    gate: str
    result: GateResult


@dataclass(frozen=True, slots=True)
class Approved:
    by: str


@dataclass(frozen=True, slots=True)
class Denied:
    by: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Started:
    by: str


@dataclass(frozen=True, slots=True)
class Sized:
    """The devices are counted: by profile, and for each stage."""

    at: float
    sizes: Mapping[str, int]
    expected: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """A device settled. `again`: it had failed before, and was told to retry. `late`: it failed
    after it had been counted as well. `marks`: 1 worse, 0 the same, -1 better, by signal."""

    stage: int
    profile: str
    succeeded: bool
    again: bool = False
    late: bool = False
    marks: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Observed:
    """What came since: devices told to take it, by stage (`retold`: again), and outcomes. With
    nothing in it, time has passed."""

    at: float
    offered: Mapping[int, int] = field(default_factory=dict)
    retold: Mapping[int, int] = field(default_factory=dict)
    outcomes: tuple[Outcome, ...] = ()


@dataclass(frozen=True, slots=True)
class Paused:
    by: str


@dataclass(frozen=True, slots=True)
class Resumed:
    by: str
    at: float


@dataclass(frozen=True, slots=True)
class Halted:
    """Nobody takes it any more, and devices that did go back."""

    by: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Retried:
    """Failed devices, and no others, are told to try once more."""

    by: str


Event = (
    Checked | Approved | Denied | Started | Sized | Observed | Paused | Resumed | Halted | Retried
)
