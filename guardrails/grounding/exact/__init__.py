"""What can be said of a claim without a model: whether its numbers, units, times, dates and names
are in the passage and in their place, and whether both deny. Pure functions, in bounded time.
"""

from __future__ import annotations

from skerry.guardrails.grounding.exact.check import Exact, exact_findings
from skerry.guardrails.grounding.exact.kinds import ExactKind
from skerry.guardrails.grounding.exact.told import Passage

__all__ = ["Exact", "ExactKind", "Passage", "exact_findings"]
