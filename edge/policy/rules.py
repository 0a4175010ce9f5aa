"""What a policy says, as plain data: one dataclass per table of `policy.toml`.

Checking a file against these is `load`'s work; applying them is `decide`'s.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge, Gt, Le, MinLen

from skerry.edge.types import LatencyBudget, Network, RequestClass, Sensitivity, Thermal, Tier
from skerry.guardrails.findings import FindingKind
from skerry.guardrails.judging import GateRules
from skerry.guardrails.support import Floors
from skerry.guardrails.wording.signs import COUNTS, Least

Score = Annotated[float, Ge(0), Le(1)]
Threshold = Annotated[float, Gt(0), Le(1)]
"""A score from which something counts; nothing reaches 1."""
Milliseconds = Annotated[int, Gt(0)]
Name = Annotated[str, MinLen(1)]
From = Sensitivity | Literal["never"]
"""A sensitivity from which a rule holds, or `never`."""

LocalTier = Literal[Tier.RULES, Tier.DEVICE]
RemoteTier = Literal[Tier.SPLIT, Tier.CLOUD, Tier.CLOUD_REASONING]
DeniableTier = Literal[
    Tier.RULES, Tier.DEVICE, Tier.SPLIT, Tier.CLOUD, Tier.CLOUD_REASONING, Tier.HUMAN
]


_LEAST = 1e-6


def _looked_for(score: float) -> float:
    return max(min(score, COUNTS), _LEAST)


def reaches(sensitivity: Sensitivity, start: From) -> bool:
    """Whether a rule that holds from `start` holds at `sensitivity`."""
    return start != "never" and sensitivity >= start


@dataclass(frozen=True, slots=True)
class RouterRules:
    """When the router is believed. Below either probability it counts as unsure."""

    min_confidence: Score
    min_in_scope: Score


@dataclass(frozen=True, slots=True)
class SensitivityRules:
    """What sensitive requests may do; `clinical_labels` are findings that mean patient data."""

    device_only_from: From
    preview_from: From
    redact: bool
    clinical_labels: tuple[Name, ...]


@dataclass(frozen=True, slots=True)
class InjectionRules:
    """What a finding of prompt injection of at least `score` does."""

    score: Score
    action: Literal["contain", "refuse"]


@dataclass(frozen=True, slots=True)
class QuestionDangers:
    """The score from which a sign of danger that the small network finds in a question counts.

    By class. 1 is never, but that `safety.network_score` holds for every class.
    """

    self_harm: Threshold = 0.9
    clinical_red_flag: Threshold = 0.9
    violence: Threshold = 0.9
    hate: Threshold = 0.9
    sexual: Threshold = 0.9
    dangerous_advice: Threshold = 0.9


@dataclass(frozen=True, slots=True)
class AnswerDangers:
    """The score from which a sentence that a model wrote is withheld, by class; 1 is never.

    Advice for somebody in danger has the words of danger, and medicine those of sex: red flags are
    never withheld, and three classes only when the network is very sure.
    """

    self_harm: Threshold = 0.95
    clinical_red_flag: Threshold = 1.0
    violence: Threshold = 0.9
    hate: Threshold = 0.9
    sexual: Threshold = 0.95
    dangerous_advice: Threshold = 0.95

    @property
    def counted(self) -> dict[str, float]:
        """The scores, by class."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class SafetyRules:
    """When a request goes to a person: the router's probability, or a finding's score.

    `network_score` is the score of a finding by the small network, which is less sure of what it
    finds than patterns are; beside any finding the router's probability counts from
    `seconded_score`. `question` makes single classes stricter. `answer` is what a model may
    not write. `answer_within_minutes` is how long the person has.
    """

    class_score: Score
    finding_score: Score
    notice: Name
    answer_within_minutes: Annotated[float, Gt(0)] = 30.0
    network_score: Score = 0.9
    seconded_score: Score = 0.15
    question: QuestionDangers = QuestionDangers()
    answer: AnswerDangers = AnswerDangers()

    def from_network(self, label: str) -> float:
        """The score from which a finding of the small network in a question counts."""
        return min(self.network_score, getattr(self.question, label, 1.0))


@dataclass(frozen=True, slots=True)
class GateTable:
    """How much of a sentence must be in a source before it is shown: see docs/answers.md.

    Shares, in [0, 1], of its content words that one passage must have: of all (`words`), of those
    that the question has not (`new_words`), of a passage that has its numbers (`number_words`).
    After `patience` sentences in a row that do not hold, a draft is not waited for.
    `without_documents`: while there are none, a model may answer a question about them.
    """

    words: Score = 0.6
    new_words: Score = 0.7
    number_words: Score = 0.6
    patience: Annotated[int, Ge(1)] = 2
    without_documents: bool = True

    @property
    def rules(self) -> GateRules:
        support = Floors(all=self.words, told=self.new_words)
        return GateRules(support, self.number_words, self.patience)


@dataclass(frozen=True, slots=True)
class CloudRules:
    """Switches for everything that leaves the device.

    `allow_labels` are the access labels whose documents may leave; `allow_collections` lets a
    vector of a question leave, where its text might.
    """

    allow: bool
    allow_metered: bool
    allow_cloud_fallback: bool
    allow_labels: tuple[Name, ...]
    allow_collections: bool = True


@dataclass(frozen=True, slots=True)
class DeviceRules:
    """When the device counts as strained; `strained_total` scales its `total_ms` then."""

    battery_low_percent: Annotated[float, Ge(0), Le(100)]
    memory_low_mb: Annotated[int, Ge(0)]
    hot_from: Thermal
    strained_total: Annotated[float, Gt(0), Le(1)]


@dataclass(frozen=True, slots=True)
class Limits:
    """A class that no model answers has a latency budget and no more."""

    ttft_ms: Milliseconds
    total_ms: Milliseconds

    def __post_init__(self) -> None:
        if self.ttft_ms > self.total_ms:
            raise ValueError(f"ttft_ms {self.ttft_ms} is more than total_ms {self.total_ms}")

    @property
    def budget(self) -> LatencyBudget:
        return LatencyBudget(self.ttft_ms, self.total_ms)


@dataclass(frozen=True, slots=True)
class ClassRules(Limits):
    """How one class is answered: tiers here and remote ones, each in order of preference.

    The remote ones come first when complexity or need for reasoning reaches `escalate_at`.
    """

    tiers: tuple[LocalTier, ...]
    escalate: tuple[RemoteTier, ...]
    escalate_at: Score


@dataclass(frozen=True, slots=True)
class ClassTable:
    """The rules of every request class; each field is named as its class."""

    lookup: ClassRules
    retrieval_question: ClassRules
    extraction: ClassRules
    tool_workflow: ClassRules
    reasoning: ClassRules
    safety_escalation: Limits
    unsupported: Limits

    def __getitem__(self, request_class: RequestClass) -> Limits:
        rules: Limits = getattr(self, request_class.value)
        return rules


@dataclass(frozen=True, slots=True)
class DenyRule:
    """Forbids `tiers` where every condition that is given holds; None always holds.

    `labels` are access labels: one of a source that would go with the request is enough.
    """

    name: Name
    reason: Name
    tiers: Annotated[tuple[DeniableTier, ...], MinLen(1)]
    classes: Annotated[tuple[RequestClass, ...], MinLen(1)] | None = None
    finding_kinds: Annotated[tuple[FindingKind, ...], MinLen(1)] | None = None
    finding_labels: Annotated[tuple[Name, ...], MinLen(1)] | None = None
    sensitivity_at_least: Sensitivity | None = None
    networks: Annotated[tuple[Network, ...], MinLen(1)] | None = None
    labels: Annotated[tuple[Name, ...], MinLen(1)] | None = None


@dataclass(frozen=True)
class Policy:
    """A whole policy. `digest` is the SHA-256 (hex) of its content, whatever file said it."""

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    schema: Literal["skerry.policy/1"]
    version: Name
    router: RouterRules
    sensitivity: SensitivityRules
    injection: InjectionRules
    safety: SafetyRules
    cloud: CloudRules
    device: DeviceRules
    classes: ClassTable
    deny: tuple[DenyRule, ...]
    gate: GateTable = GateTable()

    @property
    def least(self) -> Least:
        """What the networks must look for in a question: what counts, and what counts by default,
        which is worth knowing of even where it changes no route."""
        classes = (one.name for one in fields(QuestionDangers))
        danger = {name: _looked_for(self.safety.from_network(name)) for name in classes}
        return Least(_looked_for(self.injection.score), danger)

    @cached_property
    def digest(self) -> str:
        canonical = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()
