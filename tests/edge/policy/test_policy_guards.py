"""What may leave, and what may be answered at all: consent, network, sensitivity, findings."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from skerry.edge.policy import decide, load_policy, parse_policy
from skerry.edge.types import Network, RequestClass, Sensitivity
from skerry.guardrails.findings import Finding, Where
from tests.edge.policy.cases import (
    ASK,
    CARD,
    CLOUD,
    DEVICE,
    EMAIL,
    HARD,
    HUMAN,
    LOCAL,
    MRN,
    NEVER,
    OVERRIDE,
    REFUSE,
    REFUSE_INJECTION,
    SELF_HARM,
    SPLIT,
    TOOL,
    WEAK_OVERRIDE,
    Case,
    ask,
    case,
    check,
    deny,
    overlay,
)

CASES = [
    # Consent, network, sensitivity.
    case("consent to ask wants approval", SPLIT, "approval", DEVICE, approval=True, **HARD, **ASK),
    case("without consent nothing leaves", DEVICE, "consent device.instead", **HARD, **NEVER),
    case("offline nothing leaves", DEVICE, "network.offline", **HARD, network=Network.OFFLINE),
    case(
        "a metered network is kept off", DEVICE, "network.metered", **HARD, network=Network.METERED
    ),
    case(
        "a metered network by policy",
        SPLIT,
        "escalate",
        DEVICE,
        policy=overlay("cloud", "allow_metered = true"),
        **HARD,
        network=Network.METERED,
    ),
    case(
        "the cloud is turned off",
        DEVICE,
        "cloud.allow",
        policy=overlay("cloud", "allow = false"),
        **HARD,
    ),
    case("no cloud is configured", DEVICE, "available", **HARD, available=LOCAL),
    case(
        "personal by declaration is previewed",
        SPLIT,
        "approval",
        DEVICE,
        approval=True,
        **HARD,
        sensitivity=Sensitivity.PERSONAL,
    ),
    case(
        "personal by a finding is previewed",
        SPLIT,
        "sensitivity approval",
        DEVICE,
        approval=True,
        **HARD,
        findings=(EMAIL,),
    ),
    case("personal without consent stays", DEVICE, "consent", **HARD, **NEVER, findings=(EMAIL,)),
    case(
        "clinical by declaration stays",
        DEVICE,
        "sensitivity.device_only",
        **HARD,
        sensitivity=Sensitivity.CLINICAL,
    ),
    case(
        "clinical by a finding stays",
        DEVICE,
        "sensitivity sensitivity.device_only",
        **HARD,
        findings=(MRN,),
    ),
    case(
        "findings never lower what is declared",
        DEVICE,
        "sensitivity.device_only",
        **HARD,
        findings=(EMAIL,),
        sensitivity=Sensitivity.CLINICAL,
    ),
    case(
        "PII in a chunk counts as well",
        DEVICE,
        "sensitivity.device_only",
        **HARD,
        findings=(replace(MRN, where=Where.CHUNK),),
    ),
    case(
        "internal leaves by consent",
        SPLIT,
        "escalate",
        DEVICE,
        **HARD,
        sensitivity=Sensitivity.INTERNAL,
    ),
    case(
        "a stricter ceiling holds internal here",
        DEVICE,
        "sensitivity.device_only",
        policy=overlay("sensitivity", "device_only_from = 'internal'"),
        **HARD,
        sensitivity=Sensitivity.INTERNAL,
    ),
    case(
        "a stricter preview shows everything",
        SPLIT,
        "approval",
        DEVICE,
        approval=True,
        policy=overlay("sensitivity", "preview_from = 'public'"),
        **HARD,
    ),
    # Injection and safety findings.
    case(
        "an injection keeps it here without tools",
        DEVICE,
        "injection.contain injection.no_tools",
        tools=False,
        **HARD,
        findings=(OVERRIDE,),
    ),
    case(
        "an injected tool workflow gets no tools",
        DEVICE,
        "injection.no_tools",
        tools=False,
        **TOOL,
        findings=(OVERRIDE,),
    ),
    case(
        "a weak sign of injection does not count",
        SPLIT,
        "escalate",
        DEVICE,
        tools=True,
        **HARD,
        findings=(WEAK_OVERRIDE,),
    ),
    case(
        "a score that is not a number counts",
        DEVICE,
        "injection.contain",
        **HARD,
        findings=(replace(OVERRIDE, score=math.nan),),
    ),
    case(
        "an injection is refused by policy",
        REFUSE,
        "injection.refuse",
        policy=REFUSE_INJECTION,
        findings=(OVERRIDE,),
    ),
    case("danger in the question goes to a person", HUMAN, "safety", findings=(SELF_HARM,)),
    case(
        "danger in a document does not",
        DEVICE,
        "class",
        findings=(replace(SELF_HARM, where=Where.CHUNK),),
    ),
    case(
        "danger wins over injection",
        HUMAN,
        "safety",
        policy=REFUSE_INJECTION,
        findings=(OVERRIDE, SELF_HARM),
    ),
    # Deny rules.
    case("payment data stays", DEVICE, "deny.payment-data", **HARD, findings=(CARD,)),
    case("a denied tier is skipped", CLOUD, "deny.x", DEVICE, policy=deny(tiers=["split"]), **HARD),
    case("a denied device refuses", REFUSE, "deny.x", policy=deny(tiers=["device"])),
    case(
        "a denied person refuses",
        REFUSE,
        "deny.x",
        policy=deny(tiers=["human"]),
        findings=(SELF_HARM,),
    ),
    case(
        "a deny of another class does not hold",
        SPLIT,
        "escalate",
        DEVICE,
        policy=deny(tiers=["split"], classes=["reasoning"]),
        **HARD,
    ),
    case(
        "a deny by kind of finding holds",
        REFUSE,
        "deny.x",
        policy=deny(tiers=["device"], finding_kinds=["pii"]),
        findings=(EMAIL,),
    ),
    case(
        "every condition must hold",
        DEVICE,
        "class",
        policy=deny(tiers=["device"], finding_kinds=["pii"], networks=["offline"]),
        findings=(EMAIL,),
    ),
    case(
        "a deny from a sensitivity holds at it",
        REFUSE,
        "deny.x",
        policy=deny(tiers=["device"], sensitivity_at_least="personal"),
        findings=(EMAIL,),
    ),
    case(
        "a deny from a sensitivity holds above it",
        REFUSE,
        "deny.x",
        policy=deny(tiers=["device"], sensitivity_at_least="personal"),
        findings=(MRN,),
    ),
]


@pytest.mark.parametrize("expected", CASES, ids=lambda case: case.name)
def test_route(expected: Case) -> None:
    check(expected)


def test_a_person_is_named_what_to_do() -> None:
    policy = parse_policy("[safety]\nnotice = 'Call 2222.'", "case.toml")
    route = decide(ask(findings=(SELF_HARM,)), policy)
    assert route.request_class is RequestClass.SAFETY
    assert any("Call 2222." in reason.text for reason in route.reasons)


def told(*findings: Finding) -> str:
    route = decide(ask(findings=findings), load_policy())
    return " ".join(reason.text for reason in route.reasons)


def test_reasons_say_where_a_finding_is() -> None:
    label, in_source = EMAIL.label, replace(EMAIL, where=Where.CHUNK)
    assert f"the findings ({label} in the question) make it personal" in told(EMAIL)
    both = f"({label} in a source, {label} in the question)"
    assert both in told(in_source, EMAIL, replace(EMAIL, start=1))
    assert "The question tries to give orders" in told(OVERRIDE)
    assert "A source tries to give orders" in told(replace(OVERRIDE, where=Where.CHUNK))


def test_only_what_is_sensitive_is_said_to_raise_sensitivity() -> None:
    assert f"({EMAIL.label} in the question) make it" in told(EMAIL, OVERRIDE)
