"""What others would do without a large model: plain keywords, and the patterns of the screen."""

from __future__ import annotations

import re

from skerry.guardrails.findings import FindingKind
from skerry.guardrails.normal import normalise
from skerry.guardrails.phrases import PHRASES
from skerry.guardrails.recogniser import Views

_KEYWORDS = re.compile(
    r"\b(?:ignore|disregard|forget|override|bypass|jailbreak|system prompt|"
    r"(?:previous|prior|above) (?:instructions?|rules|prompts?)|you are now|pretend|act as|"
    r"roleplay|developer mode|password|secret|reveal|no restrictions|"
    r"unfiltered|repeat after me|access granted)\b",
    re.IGNORECASE,
)


def keywords(text: str) -> bool:
    """Whether a word stands in it that attacks often have."""
    return _KEYWORDS.search(text) is not None


def patterns(text: str) -> bool:
    """Whether one of the screen's wordings of injection is found."""
    views = Views.of(normalise(text))
    return any(
        True for one in PHRASES if one.kind is FindingKind.INJECTION for _ in one.spans(views)
    )
