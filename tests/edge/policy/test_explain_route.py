"""What `skerry route` prints of a decision."""

from __future__ import annotations

from dataclasses import replace

from skerry.edge.policy import explain
from skerry.edge.types import LatencyBudget, Reason, RequestClass, Route, Tier

HERE = Route(
    tier=Tier.RULES,
    request_class=RequestClass.LOOKUP,
    confidence=0.934,
    reasons=(Reason("class", "The router takes this for lookup (0.93)."),),
    budget=LatencyBudget(500, 5000),
    fallback=(Tier.DEVICE,),
)
AWAY = replace(HERE, tier=Tier.CLOUD, needs_approval=True, tools=True)


def test_a_route_that_stays() -> None:
    assert explain(HERE) == (
        "class: lookup (confidence 0.93)",
        "tier: rules, then device",
        "budget: first text within 500 ms, all of it within 5000 ms",
        "leaves the device: nothing",
        "tools: none",
        "because:",
        "  class: The router takes this for lookup (0.93).",
    )


def test_a_route_that_leaves() -> None:
    lines = explain(AWAY)
    assert "tier: cloud, then device" in lines
    assert (
        "leaves the device: what the answer needs, after a person approves it, with PII replaced"
        in lines
    )
    assert "tools: may be offered" in lines


def test_a_route_that_leaves_only_when_the_device_fails() -> None:
    lines = explain(replace(HERE, fallback=(Tier.CLOUD,), redact=False))
    assert "leaves the device: only if the device fails, by consent, as it is" in lines
