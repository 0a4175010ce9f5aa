"""The decision: where a request is answered, and why.

Pure, total and deterministic: no I/O, no clock. `permit` says what may be used, `choose` what
suits; the route is the first tier that is in both.
"""

from __future__ import annotations

from collections.abc import Iterator

from skerry.edge.policy.choose import Choice, choose, may_fall_back_to_cloud
from skerry.edge.policy.permit import Permission, permit
from skerry.edge.policy.request import PLACES, Assessment, PolicyInput, assess, implied
from skerry.edge.policy.rules import Policy, reaches
from skerry.edge.types import Consent, LatencyBudget, Reason, Route, Tier
from skerry.guardrails.findings import Finding

_GENERATES = frozenset({Tier.DEVICE, Tier.SPLIT, Tier.CLOUD, Tier.CLOUD_REASONING})


def decide(request: PolicyInput, policy: Policy) -> Route:
    """The route of `request` under `policy`. Never raises.

    What policy forbids is neither the route's tier nor among its fallbacks. When nothing
    that suits is allowed, the tier is `refuse`.
    """
    found = assess(request, policy)
    choice = choose(request, found, policy)
    permission = permit(request, found, policy)
    tier, fallback = _pick(choice, permission, may_fall_back_to_cloud(request, policy))
    leaves = any(one.leaves_device for one in (tier, *fallback))
    reasons = (
        *choice.reasons,
        *_raised(request, found, policy),
        *_passed_over(choice, permission, tier),
        *_conditions(request, found, policy, tier),
    )
    return Route(
        tier=tier,
        request_class=choice.request_class,
        confidence=request.classification.confidence,
        reasons=tuple(dict.fromkeys(reasons)),
        budget=_budget(request, found, policy, choice, tier),
        fallback=fallback,
        needs_approval=leaves and previews(request, found, policy),
        redact=policy.sensitivity.redact,
        tools=tier in _GENERATES and not found.injected,
    )


def _pick(
    choice: Choice, permission: Permission, cloud_fallback: bool
) -> tuple[Tier, tuple[Tier, ...]]:
    allowed = [tier for tier in choice.tiers if permission.allows(tier)]
    if not allowed:
        return Tier.REFUSE, ()
    tier, *rest = allowed
    return tier, tuple(one for one in rest if cloud_fallback or not one.leaves_device)


def previews(request: PolicyInput, found: Assessment, policy: Policy) -> bool:
    """Whether a person must see and approve what leaves."""
    return request.consent is not Consent.GRANTED or reaches(
        found.sensitivity, policy.sensitivity.preview_from
    )


def _budget(
    request: PolicyInput, found: Assessment, policy: Policy, choice: Choice, tier: Tier
) -> LatencyBudget:
    """The class's budget; a strained device and the caller can only tighten it."""
    limits = policy.classes[choice.request_class].budget
    total = limits.total_ms
    if found.strain and tier is Tier.DEVICE:
        total = int(total * policy.device.strained_total)
    wanted = request.budget or limits
    total = max(1, min(total, wanted.total_ms))
    return LatencyBudget(max(1, min(limits.ttft_ms, wanted.ttft_ms, total)), total)


def _passed_over(choice: Choice, permission: Permission, tier: Tier) -> Iterator[Reason]:
    for better in choice.tiers:
        if better is tier:
            break
        yield from permission.blocks[better]
    if tier is Tier.REFUSE and tier not in choice.tiers:
        yield Reason("refuse", "No tier that suits this request is allowed here.")
    if tier is Tier.DEVICE and choice.tiers[0].leaves_device:
        yield Reason("device.instead", "The device answers in place of a larger model.")


def _raised(request: PolicyInput, found: Assessment, policy: Policy) -> Iterator[Reason]:
    raising = [one for one in request.findings if implied(one, policy) > request.sensitivity]
    if raising:
        labels = ", ".join(sorted({_located(finding) for finding in raising}))
        yield Reason(
            "sensitivity",
            f"Declared {request.sensitivity.word}; the findings ({labels}) make it "
            f"{found.sensitivity.word}.",
        )


def _located(finding: Finding) -> str:
    return f"{finding.label} in {PLACES[finding.where]}"


def _conditions(
    request: PolicyInput, found: Assessment, policy: Policy, tier: Tier
) -> Iterator[Reason]:
    """What the chosen tier is bound to."""
    if tier is Tier.DEVICE and found.strain:
        strain = " and ".join(found.strain)
        yield Reason("device.strained", f"The device is strained ({strain}): a shorter time.")
    if tier in _GENERATES and found.injected:
        yield Reason("injection.no_tools", f"{found.injected} tries to give orders: no tools.")
    if tier.leaves_device and previews(request, found, policy):
        yield Reason("approval", "A person sees and approves what leaves before it does.")
