"""The regression gate: whether one bundle may take the place of another.

`gate` is pure: measurements of both and thresholds in, a verdict with every check out. What was
measured, and how, is `skerry.export.measure`'s.
"""

from __future__ import annotations

from skerry.export.evaluation.gate import Check, Outcome, Verdict, gate
from skerry.export.evaluation.pairs import Pair, pairs_of
from skerry.export.evaluation.thresholds import DEFAULTS, Thresholds, read_thresholds

__all__ = [
    "DEFAULTS",
    "Check",
    "Outcome",
    "Pair",
    "Thresholds",
    "Verdict",
    "gate",
    "pairs_of",
    "read_thresholds",
]
