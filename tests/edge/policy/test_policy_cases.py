"""Which route each named case takes under the default policy, or a variation of it."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from skerry.edge.policy import Policy, PolicyInput, decide, load_policy, parse_policy
from skerry.edge.types import (
    Classification,
    Consent,
    DeviceState,
    LatencyBudget,
    Network,
    RequestClass,
    Sensitivity,
    Thermal,
    Tier,
)
from skerry.guardrails.findings import Finding, FindingKind, Where

DEVICE, RULES, SPLIT, CLOUD, HUMAN, REFUSE = (
    Tier.DEVICE,
    Tier.RULES,
    Tier.SPLIT,
    Tier.CLOUD,
    Tier.HUMAN,
    Tier.REFUSE,
)
CLOUD_REASONING = Tier.CLOUD_REASONING
ALL = frozenset(Tier)
LOCAL = frozenset({RULES, DEVICE})
NO_SPLIT = ALL - {SPLIT}
IDLE = DeviceState(memory_free_mb=4000)
LOW_BATTERY = DeviceState(memory_free_mb=4000, battery_percent=9, on_power=False)

EMAIL = Finding(FindingKind.PII, "email", 0, 9, 0.9)
MRN = Finding(FindingKind.PII, "mrn", 0, 9, 0.95)
CARD = Finding(FindingKind.PII, "card", 0, 9, 1.0)
OVERRIDE = Finding(FindingKind.INJECTION, "override", 0, 9, 0.9)
WEAK_OVERRIDE = Finding(FindingKind.INJECTION, "override", 0, 9, 0.5)
SELF_HARM = Finding(FindingKind.SAFETY, "self_harm", 0, 9, 0.95)


def ask(**changes: Any) -> PolicyInput:
    """A sure, easy, public question on an idle device with everything allowed; then `changes`."""
    classification = Classification(
        request_class=changes.pop("kind", RequestClass.QUESTION),
        confidence=changes.pop("confidence", 0.9),
        complexity=changes.pop("complexity", 0.1),
        reasoning=changes.pop("reasoning", 0.1),
        in_scope=changes.pop("in_scope", 0.9),
        scores=changes.pop("scores", {}),
    )
    allowed = PolicyInput(classification, Network.ONLINE, Consent.GRANTED, IDLE, ALL)
    return replace(allowed, **changes)


def overlay(table: str, key: str) -> Callable[[], Policy]:
    return lambda: parse_policy(f"[{table}]\n{key}", "case.toml")


def deny(**rule: Any) -> Callable[[], Policy]:
    """The defaults with one more deny rule, named x."""
    keys = "\n".join(f"{key} = {json.dumps(value)}" for key, value in rule.items())
    return lambda: parse_policy(f"[[deny]]\nname = 'x'\nreason = 'r'\n{keys}", "case.toml")


FALLBACK = overlay("cloud", "allow_cloud_fallback = true")
REFUSE_INJECTION = overlay("injection", "action = 'refuse'")


@dataclass(frozen=True)
class Case:
    """`because` are rules that must be among the route's reasons; `tools` None is not looked at."""

    name: str
    request: PolicyInput
    policy: Callable[[], Policy]
    tier: Tier
    because: frozenset[str]
    fallback: tuple[Tier, ...]
    approval: bool
    tools: bool | None


def case(
    name: str,
    tier: Tier,
    because: str,
    *fallback: Tier,
    policy: Callable[[], Policy] = load_policy,
    approval: bool = False,
    tools: bool | None = None,
    **request: Any,
) -> Case:
    rules = frozenset(because.split())
    return Case(name, ask(**request), policy, tier, rules, fallback, approval, tools)


LOOKUP = {"kind": RequestClass.LOOKUP}
EXTRACTION = {"kind": RequestClass.EXTRACTION}
TOOL = {"kind": RequestClass.TOOL}
REASONING = {"kind": RequestClass.REASONING}
HARD = {"complexity": 0.9}
ASK = {"consent": Consent.ASK}
NEVER = {"consent": Consent.NEVER}

CASES = [
    # What each class gets.
    case("a lookup quotes the source", RULES, "class cloud.not_for_class", DEVICE, **LOOKUP),
    case(
        "a lookup without an index is generated",
        DEVICE,
        "available",
        **LOOKUP,
        available=ALL - {RULES},
    ),
    case(
        "a lookup is never sent",
        REFUSE,
        "available refuse",
        **LOOKUP,
        **HARD,
        available=ALL - LOCAL,
    ),
    case("an easy question stays", DEVICE, "cloud.not_needed"),
    case("a hard question is split with the cloud", SPLIT, "escalate", DEVICE, **HARD),
    case(
        "a hard question without split goes to the cloud",
        CLOUD,
        "escalate",
        DEVICE,
        **HARD,
        available=NO_SPLIT,
    ),
    case("a question that needs reasoning escalates too", SPLIT, "escalate", DEVICE, reasoning=0.9),
    case("complexity at the threshold escalates", SPLIT, "escalate", DEVICE, complexity=0.7),
    case("complexity just below it does not", DEVICE, "cloud.not_needed", complexity=0.699),
    case("an easy extraction stays", DEVICE, "cloud.not_needed", **EXTRACTION),
    case("a hard extraction escalates", SPLIT, "escalate", DEVICE, **EXTRACTION, **HARD),
    case("a tool workflow stays", DEVICE, "cloud.not_for_class", tools=True, **TOOL),
    case("a hard tool workflow stays", DEVICE, "cloud.not_for_class", tools=True, **TOOL, **HARD),
    case("reasoning goes to the reasoning model", CLOUD_REASONING, "escalate", DEVICE, **REASONING),
    case(
        "reasoning offline is marked as done here",
        DEVICE,
        "network.offline device.instead",
        **REASONING,
        network=Network.OFFLINE,
    ),
    case(
        "a safety escalation goes to a person",
        HUMAN,
        "safety cloud.not_asked",
        tools=False,
        kind=RequestClass.SAFETY,
    ),
    case(
        "even an unsure safety escalation does",
        HUMAN,
        "safety",
        kind=RequestClass.SAFETY,
        confidence=0.1,
    ),
    case(
        "a likely second guess of safety does", HUMAN, "safety", scores={RequestClass.SAFETY: 0.3}
    ),
    case("an unlikely one does not", DEVICE, "class", scores={RequestClass.SAFETY: 0.29}),
    case(
        "a probability that is not a number does",
        HUMAN,
        "safety",
        scores={RequestClass.SAFETY: math.nan},
    ),
    case(
        "an unsupported request is refused",
        REFUSE,
        "unsupported cloud.not_asked",
        tools=False,
        kind=RequestClass.UNSUPPORTED,
    ),
    case(
        "that it is out of scope as well is no doubt",
        REFUSE,
        "unsupported cloud.not_asked",
        tools=False,
        kind=RequestClass.UNSUPPORTED,
        in_scope=0.01,
    ),
    case(
        "an unsure unsupported is tried as a question",
        DEVICE,
        "router.unsure",
        kind=RequestClass.UNSUPPORTED,
        confidence=0.3,
        **NEVER,
    ),
    # An unsure router.
    case(
        "an unsure question goes to the larger model",
        SPLIT,
        "router.unsure escalate.unsure",
        DEVICE,
        confidence=0.3,
    ),
    case(
        "but stays when consent must be asked",
        DEVICE,
        "router.unsure cloud.not_needed",
        confidence=0.3,
        **ASK,
    ),
    case("an unsure lookup is not quoted", DEVICE, "router.unsure", **LOOKUP, confidence=0.3),
    case("out of scope is unsure", DEVICE, "router.unsure", in_scope=0.1, **ASK),
    case(
        "a confidence that is not a number is unsure",
        DEVICE,
        "router.unsure",
        confidence=math.nan,
        **ASK,
    ),
    case(
        "complexity that is not a number stays",
        DEVICE,
        "cloud.not_needed",
        complexity=math.nan,
        reasoning=math.nan,
    ),
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
    # The device.
    case(
        "a low battery sends work away by consent",
        SPLIT,
        "escalate.strained",
        DEVICE,
        device=LOW_BATTERY,
    ),
    case(
        "but not by a consent yet to be asked", DEVICE, "device.strained", device=LOW_BATTERY, **ASK
    ),
    case(
        "a low battery on power is no strain",
        DEVICE,
        "cloud.not_needed",
        device=replace(LOW_BATTERY, on_power=True),
    ),
    case(
        "a hot device without a cloud goes on",
        DEVICE,
        "escalate.strained device.strained",
        device=replace(IDLE, thermal=Thermal.HOT),
        available=LOCAL,
    ),
    case(
        "a warm device is no strain",
        DEVICE,
        "cloud.not_needed",
        device=replace(IDLE, thermal=Thermal.WARM),
    ),
    case("short memory is a strain", SPLIT, "escalate.strained", DEVICE, device=DeviceState(100)),
    case(
        "strain does not send a tool workflow",
        DEVICE,
        "device.strained",
        **TOOL,
        device=LOW_BATTERY,
    ),
    # Falling back.
    case(
        "the cloud steps in only by policy",
        DEVICE,
        "cloud.not_needed",
        SPLIT,
        CLOUD,
        policy=FALLBACK,
    ),
    case("and by consent", DEVICE, "cloud.not_needed", policy=FALLBACK, **ASK),
    case(
        "and by approval for what is personal",
        DEVICE,
        "sensitivity",
        SPLIT,
        CLOUD,
        approval=True,
        policy=FALLBACK,
        findings=(EMAIL,),
    ),
    case(
        "without a model nothing else steps in",
        REFUSE,
        "available refuse",
        available=NO_SPLIT - {DEVICE},
    ),
    case(
        "without a model the cloud does by policy",
        CLOUD,
        "available",
        policy=FALLBACK,
        available=NO_SPLIT - {DEVICE},
    ),
    case(
        "a failing split may try the cloud by policy",
        SPLIT,
        "escalate",
        CLOUD,
        DEVICE,
        policy=FALLBACK,
        **HARD,
    ),
    case("nothing at all is available", REFUSE, "available refuse", **HARD, available=frozenset()),
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
    route = decide(expected.request, expected.policy())

    assert route.tier is expected.tier
    assert route.fallback == expected.fallback
    assert route.needs_approval is expected.approval
    assert expected.because <= {reason.rule for reason in route.reasons}
    assert expected.tools in (None, route.tools)


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


@dataclass(frozen=True)
class BudgetCase:
    name: str
    want: LatencyBudget
    caller: LatencyBudget | None = None
    device: DeviceState = IDLE


BUDGETS = [
    BudgetCase("the class's own", LatencyBudget(3000, 30_000)),
    BudgetCase("a caller tightens both", LatencyBudget(100, 200), LatencyBudget(100, 200)),
    BudgetCase("a caller tightens one", LatencyBudget(3000, 9000), LatencyBudget(5000, 9000)),
    BudgetCase("a caller loosens nothing", LatencyBudget(3000, 30_000), LatencyBudget(9**9, 9**9)),
    BudgetCase("first text is due by the end", LatencyBudget(50, 50), LatencyBudget(900, 50)),
    BudgetCase("nonsense is the least there is", LatencyBudget(1, 1), LatencyBudget(-5, 0)),
    BudgetCase("a strained device gets half", LatencyBudget(3000, 15_000), device=LOW_BATTERY),
]


@pytest.mark.parametrize("case", BUDGETS, ids=lambda case: case.name)
def test_budget(case: BudgetCase) -> None:
    request = ask(budget=case.caller, device=case.device, consent=Consent.ASK)
    assert decide(request, load_policy()).budget == case.want
