"""Which route each class of request takes, on which device, and what steps in where it fails."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import pytest

from skerry.edge.policy import decide, load_policy
from skerry.edge.types import Consent, DeviceState, LatencyBudget, Network, RequestClass, Thermal
from tests.edge.policy.cases import (
    ALL,
    ASK,
    CLOUD,
    CLOUD_REASONING,
    DEVICE,
    EMAIL,
    EXTRACTION,
    FALLBACK,
    HARD,
    HUMAN,
    IDLE,
    LOCAL,
    LOOKUP,
    LOW_BATTERY,
    NEVER,
    NO_SPLIT,
    REASONING,
    REFUSE,
    RULES,
    SELF_HARM,
    SPLIT,
    TOOL,
    Case,
    ask,
    case,
    check,
)

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
]


@pytest.mark.parametrize("expected", CASES, ids=lambda case: case.name)
def test_route(expected: Case) -> None:
    check(expected)


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


@pytest.mark.parametrize(
    ("score", "rule", "tier"),
    [
        (0.6, "pattern:self_harm", HUMAN),
        (0.6, "network:safety", DEVICE),
        (0.89, "network:safety", DEVICE),
        (0.9, "network:safety", HUMAN),
        (math.nan, "network:safety", HUMAN),
    ],
)
def test_a_network_must_be_surer_of_danger_than_a_pattern(score: float, rule: str, tier) -> None:
    finding = replace(SELF_HARM, score=score, rule=rule)
    assert decide(ask(findings=(finding,)), load_policy()).tier is tier
