"""Answers of the real gate, made from drafts."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from skerry.edge.confidence import Answered, Source
from skerry.edge.engines.base import TokenStats
from skerry.guardrails.answer import Evidence
from skerry.guardrails.gate import GroundedGate
from skerry.guardrails.judging import Judge

STATS = TokenStats(mean_logprob=-0.4, min_logprob=-2.0, mean_entropy=0.9, mean_margin=3.0)
FRIDGE = Evidence(1, "The vaccine fridge is checked by the duty nurse at 08:30.", context="Fridge")
TROLLEY = Evidence(2, "The trolley is in room B12.", context="Trolley")

Answering = Callable[[str, str], Answered]


@pytest.fixture
def answered() -> Answering:
    """Passes a draft through the gate, with two sources."""

    def pass_gate(question: str, draft: str) -> Answered:
        gate = GroundedGate(Judge(question, [FRIDGE, TROLLEY]))
        gate.feed(draft)
        _, answer = gate.finish()
        sources = [Source(FRIDGE, 0.8, 0.7), Source(TROLLEY, 0.3, 0.2)]
        return Answered(question, answer, sources, STATS)

    return pass_gate
