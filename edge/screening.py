"""What is screened how: by patterns at once; what people say for names too, where it may leave.

The classifier takes milliseconds, which nobody need wait for whose question stays here. It takes
headings and cells of tables for names too often to be let loose on documents; a name that somebody
said is replaced in them, too.
"""

from __future__ import annotations

from skerry.edge.types import Route
from skerry.guardrails.errors import GuardrailError
from skerry.guardrails.findings import Finding, FindingKind, Where
from skerry.guardrails.screen import screen, screen_whole

_BY_MODEL = "model:"
UNSCREENED = "unscreened"
"""The label of a text that could not be screened for names; policy keeps it on this device."""


def may_leave(route: Route) -> bool:
    """Whether anything may leave the device on this route."""
    return any(tier.leaves_device for tier in (route.tier, *route.fallback))


def names_in(question: str) -> tuple[Finding, ...]:
    """What patterns do not find in a question; an `UNSCREENED` finding without the classifier."""
    try:
        found = screen_whole(question)
    except GuardrailError as error:
        rule = f"{_BY_MODEL}{error.what}"
        return (Finding(FindingKind.PII, UNSCREENED, 0, len(question), 1.0, Where.INPUT, rule),)
    return tuple(finding for finding in found if finding.rule.startswith(_BY_MODEL))


def screen_message(role: object, text: str) -> tuple[Finding, ...]:
    """The findings in a message that may leave: a system message is instructions and documents.

    Raises:
        GuardrailError: it cannot be screened, and must not leave.
    """
    return screen(text) if role == "system" else screen_whole(text)
