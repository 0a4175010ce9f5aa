"""What can be said of a claim without a model: whether its numbers, units, times, dates and names
are in the passage, and whether both deny. Pure functions over text, in linear time.
"""

from __future__ import annotations

from skerry.guardrails.grounding.exact.check import Exact, ExactKind, Passage, exact_findings

__all__ = ["Exact", "ExactKind", "Passage", "exact_findings"]
