"""Which tiers suit a request, best first, whether they may be used or not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from skerry.edge.policy.request import Assessment, PolicyInput
from skerry.edge.policy.rules import ClassRules, Policy
from skerry.edge.types import Classification, Consent, Reason, RequestClass, Tier

_NOT_ASKED = Reason("cloud.not_asked", "No model is asked, here or in a cloud.")


@dataclass(frozen=True, slots=True)
class Choice:
    """Tiers in order of preference, and why. `request_class` is the class acted on."""

    request_class: RequestClass
    tiers: tuple[Tier, ...]
    reasons: tuple[Reason, ...]


def choose(request: PolicyInput, found: Assessment, policy: Policy) -> Choice:
    return _hard_rule(request, found, policy) or _preference(request, found, policy)


def may_fall_back_to_cloud(request: PolicyInput, policy: Policy) -> bool:
    """Only where the file says so and consent is granted: never in silence."""
    return policy.cloud.allow_cloud_fallback and request.consent is Consent.GRANTED


def _hard_rule(request: PolicyInput, found: Assessment, policy: Policy) -> Choice | None:
    """What no threshold or preference can change; no model is asked."""
    request_class = request.classification.request_class
    if found.danger:
        reason = Reason("safety", f"{found.danger} A person must answer. {policy.safety.notice}")
        return Choice(RequestClass.SAFETY, (Tier.HUMAN,), (reason, _NOT_ASKED))
    if found.injected and policy.injection.action == "refuse":
        reason = Reason("injection.refuse", f"{found.injected} tries to give orders to the model.")
        return Choice(request_class, (Tier.REFUSE,), (reason, _NOT_ASKED))
    if request_class is RequestClass.UNSUPPORTED and not found.unsure:
        reason = Reason("unsupported", "This is not a kind of request that is answered here.")
        return Choice(request_class, (Tier.REFUSE,), (reason, _NOT_ASKED))
    return None


def _preference(request: PolicyInput, found: Assessment, policy: Policy) -> Choice:
    acted_on = _acted_on(request.classification)
    rules = policy.classes[acted_on]
    assert isinstance(rules, ClassRules)  # the classes without are hard rules
    local = tuple(tier for tier in rules.tiers if not (found.unsure and tier is Tier.RULES))
    why_remote = tuple(_why_remote(request, found, rules))
    tiers: tuple[Tier, ...] = local
    if why_remote:
        tiers = (*rules.escalate, *local)
    elif may_fall_back_to_cloud(request, policy):
        tiers = (*local, *rules.escalate)
    stay = () if why_remote else (_why_local(request.classification, rules),)
    return Choice(acted_on, tiers, (*_router(request, found), *why_remote, *stay))


def _acted_on(classification: Classification) -> RequestClass:
    """An unsure "unsupported" is tried as a question: its answer must still be grounded."""
    if classification.request_class is RequestClass.UNSUPPORTED:
        return RequestClass.QUESTION
    return classification.request_class


def _router(request: PolicyInput, found: Assessment) -> Iterator[Reason]:
    classification = request.classification
    name = classification.request_class.value
    if classification.rules_of:
        yield Reason("class", f"The rules of '{classification.rules_of}' know this for {name}.")
    else:
        yield Reason(
            "class", f"The router takes this for {name} ({classification.confidence:.2f})."
        )
    if found.unsure:
        yield Reason(
            "router.unsure",
            f"The router is unsure (in scope {classification.in_scope:.2f}): the larger path is "
            "taken where it is allowed.",
        )


def _why_remote(request: PolicyInput, found: Assessment, rules: ClassRules) -> Iterator[Reason]:
    """Why the remote tiers should come first. Only a hard request asks for consent on its own.

    What a tool's rules know is done by that tool, which is here.
    """
    if not rules.escalate or request.classification.rules_of:
        return
    if _demand(request.classification) >= rules.escalate_at:
        yield Reason(
            "escalate", f"{_demand_words(request.classification, rules)}: a larger model is better."
        )
    if request.consent is not Consent.GRANTED:
        return
    if found.unsure:
        yield Reason("escalate.unsure", "Consent is granted, so a larger model may decide.")
    if found.strain:
        strain = " and ".join(found.strain)
        yield Reason(
            "escalate.strained", f"The device is strained ({strain}): consent lets it rest."
        )


def _why_local(classification: Classification, rules: ClassRules) -> Reason:
    if not rules.escalate:
        return Reason("cloud.not_for_class", "This class of request is not sent to the cloud.")
    return Reason(
        "cloud.not_needed", f"{_demand_words(classification, rules)}: the device suffices."
    )


def _demand(classification: Classification) -> float:
    return max(classification.complexity, classification.reasoning)


def _demand_words(classification: Classification, rules: ClassRules) -> str:
    return (
        f"Complexity {classification.complexity:.2f} and need for reasoning "
        f"{classification.reasoning:.2f} against a threshold of {rules.escalate_at:.2f}"
    )
