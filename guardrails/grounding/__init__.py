"""Whether a source supports what is said: a small cross-encoder, and exact checks beside it."""

from __future__ import annotations

from skerry.guardrails.entailment import Label
from skerry.guardrails.grounding.checker import Grounding, GroundingChecker, overall
from skerry.guardrails.grounding.exact import Exact, ExactKind

__all__ = ["Exact", "ExactKind", "Grounding", "GroundingChecker", "Label", "overall"]
