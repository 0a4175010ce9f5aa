"""What a guardrail reports: a span of text, what it is, and how sure the recogniser is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class FindingKind(StrEnum):
    PII = "pii"
    INJECTION = "injection"
    SAFETY = "safety"
    CITATION = "citation"
    GROUNDING = "grounding"


class Where(StrEnum):
    INPUT = "input"
    CHUNK = "chunk"
    OUTPUT = "output"


@dataclass(frozen=True, slots=True)
class Finding:
    """`start` and `end` are offsets in code points of the text that was scanned.

    `label` is the recogniser's own class (`email`, `self_harm`, `unknown_mark`, …); `score`
    is in [0, 1].
    """

    kind: FindingKind
    label: str
    start: int
    end: int
    score: float
    where: Where = Where.INPUT
    rule: str = ""
