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
    HISTORY = "history"
    CHUNK = "chunk"
    OUTPUT = "output"


@dataclass(frozen=True, slots=True)
class Place:
    """A part of a document: its id, and what it is called for people.

    `source` is the path or feed; `heading` is the path of headings above, outermost first.
    """

    chunk: int
    title: str
    source: str
    heading: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """`start` and `end` are offsets in code points of the text that was scanned.

    `label` is the recogniser's own class (`email`, `self_harm`, `unknown_mark`, …); `score`
    is in [0, 1]. `place` is that of a chunk, where whoever had it screened says it.
    """

    kind: FindingKind
    label: str
    start: int
    end: int
    score: float
    where: Where = Where.INPUT
    rule: str = ""
    place: Place | None = None
