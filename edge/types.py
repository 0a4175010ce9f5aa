"""The plain data that the steps of one request hand to each other. No I/O, no behaviour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from skerry.edge.levels import Level


class RequestClass(StrEnum):
    """What kind of request it is, by the router."""

    LOOKUP = "lookup"
    QUESTION = "retrieval_question"
    EXTRACTION = "extraction"
    TOOL = "tool_workflow"
    REASONING = "reasoning"
    SAFETY = "safety_escalation"
    UNSUPPORTED = "unsupported"


class Tier(StrEnum):
    """Where a request is answered."""

    RULES = "rules"
    DEVICE = "device"
    SPLIT = "split"
    CLOUD = "cloud"
    CLOUD_REASONING = "cloud_reasoning"
    HUMAN = "human"
    REFUSE = "refuse"

    @property
    def leaves_device(self) -> bool:
        return self in _REMOTE


_REMOTE = frozenset({Tier.SPLIT, Tier.CLOUD, Tier.CLOUD_REASONING})


class Network(StrEnum):
    OFFLINE = "offline"
    METERED = "metered"
    ONLINE = "online"


class Consent(StrEnum):
    """What the person or the deployment allows to leave the device."""

    NEVER = "never"
    ASK = "ask"
    GRANTED = "granted"


class Sensitivity(Level):
    """How sensitive the most sensitive part of a request is; higher is stricter."""

    PUBLIC = 0
    INTERNAL = 1
    PERSONAL = 2
    CLINICAL = 3


class Thermal(Level):
    NOMINAL = 0
    WARM = 1
    HOT = 2
    CRITICAL = 3


@dataclass(frozen=True, slots=True)
class DeviceState:
    """The device now. `battery_percent` is None without a battery."""

    memory_free_mb: int
    battery_percent: float | None = None
    on_power: bool = True
    thermal: Thermal = Thermal.NOMINAL


@dataclass(frozen=True, slots=True)
class LatencyBudget:
    """Milliseconds to the first released text and to the end."""

    ttft_ms: int
    total_ms: int


@dataclass(frozen=True, slots=True)
class Classification:
    """The router's opinion of one request.

    `confidence` is the calibrated probability that `request_class` is right; `scores` are the
    calibrated probabilities of every class (sum 1). `complexity`, `reasoning` and `in_scope`
    are probabilities: that a small model does not suffice, that several steps of
    thought are needed, and that the request is of a kind the router was trained on. `rules_of`
    names the tool whose rules know the class, in place of the router.
    """

    request_class: RequestClass
    confidence: float
    complexity: float
    reasoning: float
    in_scope: float
    scores: Mapping[RequestClass, float] = field(default_factory=dict)
    rules_of: str = ""


def known_by_rules(
    seen: Classification, request_class: RequestClass, rules_of: str
) -> Classification:
    """The router's opinion, where rules know the class. The probabilities of the classes stay, by
    which policy may still see danger."""
    return replace(
        seen,
        request_class=request_class,
        confidence=1.0,
        complexity=0.0,
        reasoning=0.0,
        in_scope=1.0,
        rules_of=rules_of,
    )


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason of a route: the rule that spoke, and what it said."""

    rule: str
    text: str


@dataclass(frozen=True, slots=True)
class Route:
    """The decision of policy, with its reasons.

    `fallback` are the tiers to try in order when `tier` fails; never one that policy forbids.
    `needs_approval`: a person must see and approve what would leave before it leaves.
    `redact`: PII is replaced before anything leaves. `tools`: the model may be offered tools.
    """

    tier: Tier
    request_class: RequestClass
    confidence: float
    reasons: tuple[Reason, ...]
    budget: LatencyBudget
    fallback: tuple[Tier, ...] = ()
    needs_approval: bool = False
    redact: bool = True
    tools: bool = False
