"""What is screened how: what people say for names as well, documents by patterns alone.

The names classifier takes headings and cells of tables for names too often to be let loose on
documents; a name that somebody said is replaced in them, too.
"""

from __future__ import annotations

from skerry.guardrails.errors import GuardrailError, ScreenOverflow
from skerry.guardrails.findings import Finding, FindingKind, Where
from skerry.guardrails.screen import screen, screen_whole

UNSCREENED = "unscreened"
"""The label of a text that could not be screened for names; policy keeps it on this device."""


def screen_question(question: str) -> tuple[Finding, ...]:
    """All findings in a question; without the names classifier an `UNSCREENED` one as well.

    Raises:
        ScreenOverflow: it is longer than is screened.
    """
    try:
        return screen_whole(question)
    except ScreenOverflow:
        raise
    except GuardrailError as error:
        rule = f"model:{error.what}"
        unscreened = Finding(FindingKind.PII, UNSCREENED, 0, len(question), 1.0, Where.INPUT, rule)
        return (*screen(question), unscreened)


def screen_message(role: object, text: str) -> tuple[Finding, ...]:
    """The findings in a message that may leave: a system message is instructions and documents.

    Raises:
        GuardrailError: it cannot be screened, and must not leave.
    """
    return screen(text) if role == "system" else screen_whole(text)
