"""Which tiers a request may use at all. Says nothing of which is best: that is `choose`'s work.

Consent, network, sensitivity, access labels and deny rules speak here and nowhere else, and each
can only take a tier away.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass

from skerry.edge.policy.request import Assessment, PolicyInput
from skerry.edge.policy.rules import DenyRule, Policy, reaches
from skerry.edge.types import Consent, Network, Reason, Sensitivity, Tier

_ABSENT = {
    Tier.RULES: "There is no index to quote from here.",
    Tier.DEVICE: "No model is loaded on this device.",
    Tier.SPLIT: "No split session with a cloud exists here.",
    Tier.CLOUD: "No cloud is configured here, or its circuit is open.",
    Tier.CLOUD_REASONING: "No reasoning model in a cloud is configured here.",
}


@dataclass(frozen=True, slots=True)
class Permission:
    """Per tier why it may not be used; a tier with no reason may."""

    blocks: dict[Tier, tuple[Reason, ...]]

    def allows(self, tier: Tier) -> bool:
        return not self.blocks[tier]

    @property
    def tiers(self) -> frozenset[Tier]:
        return frozenset(tier for tier in Tier if self.allows(tier))


def permit(request: PolicyInput, found: Assessment, policy: Policy) -> Permission:
    return Permission({tier: tuple(_blocks(tier, request, found, policy)) for tier in Tier})


def _blocks(
    tier: Tier, request: PolicyInput, found: Assessment, policy: Policy
) -> Iterator[Reason]:
    for rule in policy.deny:
        if tier in rule.tiers and matches(rule, request, found.sensitivity):
            yield Reason(f"deny.{rule.name}", _said(rule, request))
    if tier in _ABSENT and tier not in request.available:
        yield Reason("available", _ABSENT[tier])
    if tier.leaves_device:
        yield from _held_here(request, found, policy)


def matches(rule: DenyRule, request: PolicyInput, sensitivity: Sensitivity) -> bool:
    """Whether every condition that the rule gives holds. Findings count at any score."""
    return (
        _in(request.classification.request_class, rule.classes)
        and _in(request.network, rule.networks)
        and (rule.sensitivity_at_least is None or sensitivity >= rule.sensitivity_at_least)
        and _any_in((finding.kind for finding in request.findings), rule.finding_kinds)
        and _any_in((finding.label for finding in request.findings), rule.finding_labels)
        and _any_in(request.labels, rule.labels)
    )


def _said(rule: DenyRule, request: PolicyInput) -> str:
    """The rule's reason, with the access labels that it holds for."""
    held = request.labels.intersection(rule.labels or ())
    return f"{rule.reason} (labelled {_listed(held)})" if held else rule.reason


def _listed(labels: Iterable[str]) -> str:
    return ", ".join(sorted(labels))


def _in(value: object, wanted: Container[object] | None) -> bool:
    return wanted is None or value in wanted


def _any_in(values: Iterable[object], wanted: Container[object] | None) -> bool:
    return wanted is None or any(value in wanted for value in values)


def _held_here(request: PolicyInput, found: Assessment, policy: Policy) -> Iterator[Reason]:
    """Why nothing may leave the device."""
    if request.consent is Consent.NEVER:
        yield Reason("consent", "Nothing may leave this device: consent is never.")
    if request.network is Network.OFFLINE:
        yield Reason("network.offline", "The device is offline.")
    if request.network is Network.METERED and not policy.cloud.allow_metered:
        yield Reason("network.metered", "The network is metered, and policy keeps off it.")
    if not policy.cloud.allow:
        yield Reason("cloud.allow", "Policy turns the cloud off.")
    if reaches(found.sensitivity, policy.sensitivity.device_only_from):
        word = found.sensitivity.word
        yield Reason("sensitivity.device_only", f"What is {word} stays on this device.")
    if kept := request.labels.difference(policy.cloud.allow_labels):
        labels = _listed(kept)
        yield Reason("labels.device_only", f"What is labelled {labels} stays on this device.")
    if found.injected:
        yield Reason("injection.contain", f"{found.injected} tries to give orders: nothing leaves.")
