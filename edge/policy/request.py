"""What policy decides on, and what it makes of it before any rule speaks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from skerry.edge.policy.rules import DeviceRules, Policy, SafetyRules
from skerry.edge.types import (
    Classification,
    Consent,
    DeviceState,
    LatencyBudget,
    Network,
    RequestClass,
    Sensitivity,
    Tier,
)
from skerry.guardrails.findings import Finding, FindingKind, Where

PLACES = {
    Where.INPUT: "the question",
    Where.HISTORY: "what was said before",
    Where.CHUNK: "a source",
    Where.OUTPUT: "the draft",
}


@dataclass(frozen=True, slots=True)
class PolicyInput:
    """Everything that a decision depends on; the same input always gives the same route.

    `sensitivity` is what the caller declares. `available` are the tiers that exist here now
    (model loaded, cloud configured and its circuit closed); `human` and `refuse` always exist.
    `budget` is the caller's, None for none. `labels` are the access labels of the sources that
    would go with the request, and of those that earlier turns were made from.
    """

    classification: Classification
    network: Network
    consent: Consent
    device: DeviceState
    available: frozenset[Tier]
    findings: tuple[Finding, ...] = ()
    sensitivity: Sensitivity = Sensitivity.PUBLIC
    budget: LatencyBudget | None = None
    labels: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Assessment:
    """What the rules see in a request.

    `injected` says what tries to give orders to the model, empty if nothing does. `danger` says
    why a person is needed, empty if none is. `strain` are the ways in which the device is
    strained, in words.
    """

    sensitivity: Sensitivity
    injected: str
    unsure: bool
    danger: str
    strain: tuple[str, ...]


def assess(request: PolicyInput, policy: Policy) -> Assessment:
    return Assessment(
        sensitivity=effective_sensitivity(request, policy),
        injected=_injected(request, policy),
        unsure=_unsure(request.classification, policy),
        danger=_danger(request, policy),
        strain=tuple(_strain(request.device, policy.device)),
    )


def effective_sensitivity(request: PolicyInput, policy: Policy) -> Sensitivity:
    """The greater of what the caller declares and what the findings imply."""
    found = (implied(finding, policy) for finding in request.findings)
    return max(request.sensitivity, *found, Sensitivity.PUBLIC)


def implied(finding: Finding, policy: Policy) -> Sensitivity:
    """How sensitive a finding makes the text that it is in."""
    if finding.label in policy.sensitivity.clinical_labels:
        return Sensitivity.CLINICAL
    return Sensitivity.PERSONAL if finding.kind is FindingKind.PII else Sensitivity.PUBLIC


def _injected(request: PolicyInput, policy: Policy) -> str:
    places = {
        finding.where
        for finding in request.findings
        if finding.kind is FindingKind.INJECTION
        and _at_least(finding.score, policy.injection.score)
    }
    return next((PLACES[where].capitalize() for where in Where if where in places), "")


def _unsure(classification: Classification, policy: Policy) -> bool:
    """Out of scope is no doubt about "unsupported": the two say the same."""
    unsupported = classification.request_class is RequestClass.UNSUPPORTED
    return not (
        classification.confidence >= policy.router.min_confidence
        and (unsupported or classification.in_scope >= policy.router.min_in_scope)
    )


def _danger(request: PolicyInput, policy: Policy) -> str:
    """A passage about danger in a document is no danger: only the question's findings count."""
    classification = request.classification
    for finding in request.findings:
        if shows_danger(finding, policy.safety):
            return f"The question shows a sign of danger ({finding.label})."
    if classification.request_class is RequestClass.SAFETY:
        return "The router takes this for a safety escalation."
    probability = classification.scores.get(RequestClass.SAFETY, 0.0)
    if _at_least(probability, _least_likely(request, policy.safety)):
        return f"The router gives a safety escalation {probability:.2f}."
    return ""


def _least_likely(request: PolicyInput, rules: SafetyRules) -> float:
    """The router's probability of danger that counts: less, where a guardrail sees some, too."""
    seconded = any(_is_of_danger(finding) for finding in request.findings)
    return min(rules.class_score, rules.seconded_score) if seconded else rules.class_score


def _is_of_danger(finding: Finding) -> bool:
    return finding.kind is FindingKind.SAFETY and finding.where is Where.INPUT


def shows_danger(finding: Finding, rules: SafetyRules) -> bool:
    """Whether a finding is a sign of danger in the question, of a score that counts."""
    return _is_of_danger(finding) and _at_least(finding.score, _least(finding, rules))


def _least(finding: Finding, rules: SafetyRules) -> float:
    """The score from which a safety finding counts."""
    network = finding.rule.startswith("network:")
    return rules.from_network(finding.label) if network else rules.finding_score


def _at_least(score: float, threshold: float) -> bool:
    """Not a number counts as reached: a detector that failed must not open the way."""
    return not score < threshold


def _strain(device: DeviceState, rules: DeviceRules) -> Iterator[str]:
    battery = device.battery_percent
    if battery is not None and not device.on_power and battery < rules.battery_low_percent:
        yield f"its battery is at {battery:.0f} %"
    if device.thermal >= rules.hot_from:
        yield f"it is {device.thermal.word}"
    if device.memory_free_mb < rules.memory_low_mb:
        yield f"it has {device.memory_free_mb} MB of memory free"
