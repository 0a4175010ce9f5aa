"""What holds of every decision, over all inputs and many policies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from skerry.edge.policy import Policy, PolicyInput, decide, effective_sensitivity, load_policy
from skerry.edge.policy.permit import matches, permit
from skerry.edge.policy.request import assess
from skerry.edge.policy.rules import CloudRules, DenyRule
from skerry.edge.types import (
    Classification,
    Consent,
    DeviceState,
    LatencyBudget,
    Network,
    RequestClass,
    Route,
    Sensitivity,
    Tier,
)
from skerry.guardrails.findings import Finding, FindingKind

STRICTEST_FIRST = (Consent.NEVER, Consent.ASK, Consent.GRANTED)
REMOTE = frozenset(tier for tier in Tier if tier.leaves_device)
WHY_NOT_CLOUD = (
    "cloud.",
    "consent",
    "network.",
    "sensitivity.device_only",
    "injection.contain",
    "labels.device_only",
    "available",
    "deny.",
)

probabilities = st.sampled_from([0.0, 0.2, 0.3, 0.5, 0.7, 0.9, 1.0]) | st.floats()
labels = st.sampled_from(["email", "mrn", "card", "override", "self_harm", "other"])
access = st.sampled_from(["ward", "finance", "board"])
integers = st.integers(-(2**40), 2**40)
findings = st.builds(Finding, label=labels, score=probabilities, start=integers, end=integers)
classifications = st.builds(
    Classification,
    confidence=probabilities,
    complexity=probabilities,
    reasoning=probabilities,
    in_scope=probabilities,
    scores=st.dictionaries(st.sampled_from(RequestClass), probabilities, max_size=3),
)
devices = st.builds(DeviceState, memory_free_mb=integers, battery_percent=st.none() | st.floats())
requests = st.builds(
    PolicyInput,
    classification=classifications,
    device=devices,
    available=st.just(frozenset(Tier)) | st.frozensets(st.sampled_from(Tier)),
    findings=st.lists(findings, max_size=3).map(tuple),
    budget=st.none() | st.builds(LatencyBudget, ttft_ms=integers, total_ms=integers),
    labels=st.just(frozenset()) | st.frozensets(access),
)
deniable = st.sampled_from([tier for tier in Tier if tier is not Tier.REFUSE])


def some(values: st.SearchStrategy[object]) -> st.SearchStrategy[tuple[object, ...] | None]:
    return st.none() | st.lists(values, min_size=1, max_size=3).map(tuple)


deny_rules = st.builds(
    DenyRule,
    name=st.just("drawn"),
    reason=st.just("because"),
    tiers=st.lists(deniable, min_size=1, max_size=3).map(tuple),
    classes=some(st.sampled_from(RequestClass)),
    finding_kinds=some(st.sampled_from(FindingKind)),
    finding_labels=some(labels),
    sensitivity_at_least=st.none() | st.sampled_from(Sensitivity),
    networks=some(st.sampled_from(Network)),
    labels=some(access),
)
starts = st.sampled_from([*Sensitivity, "never"])


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """The default policy with other switches, thresholds and deny rules, loose ones too."""
    base = load_policy()
    sensitivity = replace(
        base.sensitivity, device_only_from=draw(starts), preview_from=draw(starts)
    )
    return replace(
        base,
        sensitivity=sensitivity,
        injection=replace(base.injection, action=draw(st.sampled_from(["contain", "refuse"]))),
        cloud=draw(st.builds(CloudRules, allow_labels=st.lists(access, max_size=3).map(tuple))),
        deny=tuple(draw(st.lists(deny_rules, max_size=3))),
    )


def remote(route: Route) -> frozenset[Tier]:
    return REMOTE & {route.tier, *route.fallback}


def is_as_tight(tight: Route, loose: Route) -> bool:
    """Whatever `tight` lets out, `loose` lets out with no more approval."""
    return not remote(tight) or (
        bool(remote(loose)) and tight.needs_approval >= loose.needs_approval
    )


@given(requests, policies())
def test_every_request_has_a_route_that_exists(request: PolicyInput, policy: Policy) -> None:
    route = decide(request, policy)
    assert {route.tier, *route.fallback} <= request.available | {Tier.HUMAN, Tier.REFUSE}
    assert len({route.tier, *route.fallback}) == 1 + len(route.fallback)
    assert route.reasons
    assert all(reason.rule and reason.text for reason in route.reasons)
    assert decide(request, policy) == route


@settings(max_examples=300)
@given(requests, policies())
def test_nothing_leaves_without_consent(request: PolicyInput, policy: Policy) -> None:
    route = decide(request, policy)
    if remote(route):
        assert request.consent is Consent.GRANTED or (
            request.consent is Consent.ASK and route.needs_approval
        )
        assert request.network is not Network.OFFLINE
        assert policy.cloud.allow
        assert request.network is Network.ONLINE or policy.cloud.allow_metered
    assert not route.needs_approval or remote(route)


@given(requests, policies())
def test_the_sensitive_stays_from_where_policy_says(request: PolicyInput, policy: Policy) -> None:
    route = decide(request, policy)
    sensitivity = effective_sensitivity(request, policy)
    rules = policy.sensitivity
    if remote(route) and rules.device_only_from != "never":
        assert sensitivity < rules.device_only_from
    if remote(route) and rules.preview_from != "never" and sensitivity >= rules.preview_from:
        assert route.needs_approval


@given(requests)
def test_by_default_the_clinical_stays_and_the_personal_is_previewed(request: PolicyInput) -> None:
    policy = load_policy()
    route = decide(request, policy)
    if remote(route):
        sensitivity = effective_sensitivity(request, policy)
        assert sensitivity < Sensitivity.CLINICAL
        assert sensitivity < Sensitivity.PERSONAL or route.needs_approval


@given(requests, policies(), st.data())
def test_deny_always_wins(request: PolicyInput, policy: Policy, data: st.DataObject) -> None:
    """A rule whose conditions are drawn from the request itself holds, and then wins."""
    sensitivity = effective_sensitivity(request, policy)
    rule = DenyRule(
        name="held",
        reason="because",
        tiers=tuple(data.draw(st.lists(deniable, min_size=1))),
        classes=data.draw(st.sampled_from([None, (request.classification.request_class,)])),
        networks=data.draw(st.sampled_from([None, (request.network,)])),
        sensitivity_at_least=data.draw(
            st.sampled_from([None, *(level for level in Sensitivity if level <= sensitivity)])
        ),
        finding_labels=_of(data, [finding.label for finding in request.findings]),
        finding_kinds=_of(data, [finding.kind for finding in request.findings]),
        labels=_of(data, sorted(request.labels)),
    )
    assert matches(rule, request, sensitivity)
    route = decide(request, replace(policy, deny=(*policy.deny, rule)))
    assert not {route.tier, *route.fallback} & {*rule.tiers}


def _of(data: st.DataObject, values: Sequence[object]) -> tuple[object, ...] | None:
    return data.draw(st.sampled_from([None, *((value,) for value in values)]))


@given(requests, policies(), deny_rules)
def test_a_deny_rule_only_takes_away(request: PolicyInput, policy: Policy, rule: DenyRule) -> None:
    with_rule = replace(policy, deny=(rule, *policy.deny))
    found = assess(request, policy)
    before, after = permit(request, found, policy), permit(request, found, with_rule)
    assert after.tiers <= before.tiers


@settings(max_examples=300)
@given(requests, policies())
def test_less_consent_never_loosens(request: PolicyInput, policy: Policy) -> None:
    routes = [decide(replace(request, consent=one), policy) for one in STRICTEST_FIRST]
    for tight, loose in pairwise(routes):
        assert remote(tight) <= remote(loose)
        assert is_as_tight(tight, loose)


@given(requests, policies(), st.sampled_from(Sensitivity))
def test_more_sensitivity_never_loosens(
    request: PolicyInput, policy: Policy, declared: Sensitivity
) -> None:
    higher = replace(request, sensitivity=max(request.sensitivity, declared))
    assert is_as_tight(decide(higher, policy), decide(request, policy))


@given(requests, policies(), findings)
def test_one_more_finding_never_loosens(
    request: PolicyInput, policy: Policy, finding: Finding
) -> None:
    more = replace(request, findings=(*request.findings, finding))
    assert is_as_tight(decide(more, policy), decide(request, policy))


eager = st.builds(
    PolicyInput,
    classification=st.builds(
        Classification,
        request_class=st.sampled_from([RequestClass.QUESTION, RequestClass.REASONING]),
        confidence=st.just(1.0),
        complexity=st.just(1.0),
        reasoning=probabilities,
        in_scope=st.just(1.0),
    ),
    network=st.just(Network.ONLINE),
    consent=st.sampled_from([Consent.ASK, Consent.GRANTED]),
    device=devices,
    available=st.just(frozenset(Tier)),
    labels=st.frozensets(access),
)
"""Requests that leave the device unless a rule holds them."""


@settings(max_examples=300)
@given(requests | eager, policies())
def test_nothing_labelled_leaves_unless_policy_names_each_label(
    request: PolicyInput, policy: Policy
) -> None:
    if remote(decide(request, policy)):
        assert request.labels <= {*policy.cloud.allow_labels}


@given(requests | eager)
def test_by_default_nothing_labelled_leaves(request: PolicyInput) -> None:
    assert not (request.labels and remote(decide(request, load_policy())))


@given(eager)
def test_what_has_no_label_is_not_held_by_one(request: PolicyInput) -> None:
    assert remote(decide(replace(request, labels=frozenset()), load_policy()))


@settings(max_examples=300)
@given(requests | eager, policies(), access)
def test_what_is_denied_by_label_never_leaves(
    request: PolicyInput, policy: Policy, label: str
) -> None:
    """Whatever else is allowed, and whatever else goes with the request."""
    rule = DenyRule("labelled", "because", tiers=(*REMOTE,), labels=(label,))
    labelled = replace(request, labels=request.labels | {label})
    open_policy = replace(
        policy, cloud=replace(policy.cloud, allow_labels=(*request.labels, label))
    )
    assert not remote(decide(labelled, replace(open_policy, deny=(*policy.deny, rule))))


@given(requests | eager, policies(), access)
def test_one_more_label_never_loosens(request: PolicyInput, policy: Policy, label: str) -> None:
    more = replace(request, labels=request.labels | {label})
    assert is_as_tight(decide(more, policy), decide(request, policy))


@given(requests, policies())
def test_the_order_of_findings_is_of_no_account(request: PolicyInput, policy: Policy) -> None:
    turned = replace(request, findings=request.findings[::-1])
    one, other = decide(request, policy), decide(turned, policy)
    assert (one.tier, one.fallback, one.needs_approval) == (
        other.tier,
        other.fallback,
        other.needs_approval,
    )


@given(requests, policies())
def test_the_cloud_never_steps_in_by_itself(request: PolicyInput, policy: Policy) -> None:
    route = decide(request, policy)
    if not (policy.cloud.allow_cloud_fallback and request.consent is Consent.GRANTED):
        assert not REMOTE & {*route.fallback}


@given(requests, policies())
def test_a_route_that_stays_says_why(request: PolicyInput, policy: Policy) -> None:
    route = decide(request, policy)
    if not route.tier.leaves_device:
        assert any(reason.rule.startswith(WHY_NOT_CLOUD) for reason in route.reasons)


@given(requests, policies())
def test_a_budget_only_tightens(request: PolicyInput, policy: Policy) -> None:
    route = decide(request, policy)
    limits = policy.classes[route.request_class].budget
    caller = request.budget or limits
    assert 1 <= route.budget.ttft_ms <= max(1, min(limits.ttft_ms, caller.ttft_ms))
    assert 1 <= route.budget.total_ms <= max(1, min(limits.total_ms, caller.total_ms))
    assert route.budget.ttft_ms <= route.budget.total_ms


@given(requests, policies())
def test_danger_goes_to_a_person_or_nobody(request: PolicyInput, policy: Policy) -> None:
    dangerous = replace(
        request,
        classification=replace(request.classification, request_class=RequestClass.SAFETY),
    )
    assert decide(dangerous, policy).tier in {Tier.HUMAN, Tier.REFUSE}


@given(requests, policies())
def test_an_injection_gets_no_tools_and_stays(request: PolicyInput, policy: Policy) -> None:
    order = Finding(FindingKind.INJECTION, "override", 0, 1, 1.0)
    route = decide(replace(request, findings=(*request.findings, order)), policy)
    assert not route.tools
    assert not remote(route)
