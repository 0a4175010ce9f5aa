"""Requests and policies by what differs from an easy question on an idle device; named cases."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from skerry.edge.policy import Policy, PolicyInput, decide, load_policy, parse_policy
from skerry.edge.types import Classification, Consent, DeviceState, Network, RequestClass, Tier
from skerry.guardrails.findings import Finding, FindingKind

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


def check(expected: Case) -> None:
    route = decide(expected.request, expected.policy())

    assert route.tier is expected.tier
    assert route.fallback == expected.fallback
    assert route.needs_approval is expected.approval
    assert expected.because <= {reason.rule for reason in route.reasons}
    assert expected.tools in (None, route.tools)
