"""What a head says of the sentences of a text, as scores that mean the same for every head."""

from __future__ import annotations

import math
from dataclasses import dataclass

COUNTS = 0.8
"""The score at a head's level: what the default policy counts."""


@dataclass(frozen=True, slots=True)
class Sign:
    """A sentence at [start, end) of the text, what it is a sign of, and a score in [0, 1]."""

    start: int
    end: int
    label: str
    score: float


def score(logit: float, level: float, slope: float) -> float:
    """The score of a logit: `COUNTS` at `level`, a logistic curve of steepness `slope` around."""
    at = slope * (logit - level) + math.log(COUNTS / (1 - COUNTS))
    return 1 / (1 + math.exp(-max(-50.0, min(50.0, at))))
