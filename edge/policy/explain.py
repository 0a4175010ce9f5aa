"""A route in plain lines, for the command line and logs."""

from __future__ import annotations

from skerry.edge.types import Route


def explain(route: Route) -> tuple[str, ...]:
    """What was decided, then each reason with its rule; no line breaks within a line."""
    reasons = (f"  {reason.rule}: {reason.text}" for reason in route.reasons)
    return (
        f"class: {route.request_class} (confidence {route.confidence:.2f})",
        f"tier: {', then '.join((route.tier, *route.fallback))}",
        f"budget: first text within {route.budget.ttft_ms} ms, all of it within "
        f"{route.budget.total_ms} ms",
        f"leaves the device: {_leaves(route)}",
        f"tools: {'may be offered' if route.tools else 'none'}",
        "because:",
        *reasons,
    )


def _leaves(route: Route) -> str:
    if not any(tier.leaves_device for tier in (route.tier, *route.fallback)):
        return "nothing"
    when = "after a person approves it" if route.needs_approval else "by consent"
    how = "with PII replaced" if route.redact else "as it is"
    what = "what the answer needs" if route.tier.leaves_device else "only if the device fails"
    return f"{what}, {when}, {how}"
