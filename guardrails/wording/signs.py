"""What a head says of the sentences of a text, as scores that mean the same for every head."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

COUNTS = 0.8
"""The score at a head's level: what the default policy counts."""
_FARTHEST = 30.0


@dataclass(frozen=True, slots=True)
class Least:
    """Scores, above 0 and up to 1, from which what the networks see is a finding.

    `order` of an order to the model; `danger` of signs of danger, by class, `COUNTS` for those that
    it does not name. Nothing reaches 1.
    """

    order: float = COUNTS
    danger: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sign:
    """A sentence at [start, end) of the text, what it is a sign of, and a score in [0, 1]."""

    start: int
    end: int
    label: str
    score: float


def score(logit: float, level: float, slope: float) -> float:
    """The score of a logit: `COUNTS` at `level`, a logistic curve of steepness `slope` around.

    Above 0 and below 1, whatever the logit.
    """
    at = slope * (logit - level) + math.log(COUNTS / (1 - COUNTS))
    return 1 / (1 + math.exp(-max(-_FARTHEST, min(_FARTHEST, at))))
