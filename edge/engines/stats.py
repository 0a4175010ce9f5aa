"""Token statistics from logits: log-probability, entropy and margin under the unmodified
distribution. Pure numpy on reused buffers; one pass over the vocabulary per token.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skerry.edge.engines.base import TokenStats
from skerry.edge.errors import ModelError

Row = NDArray[np.float32]


class RowStats(NamedTuple):
    """Of one row of logits: the likeliest token, log of the partition sum (logit units), entropy
    (nats) and the gap between the two best log-probabilities (nats)."""

    best: int
    log_z: float
    entropy: float
    margin: float


class RowMeter:
    """Measures rows of `vocabulary` logits. Not thread-safe: its buffer is reused.

    About 0.1 ms for 50,000 logits, more right after a decode, which has swept the caches; so there
    is one buffer and as few passes over the row as can be.
    """

    def __init__(self, vocabulary: int) -> None:
        self._exp = np.empty(vocabulary, np.float32)
        self._ones = np.ones(vocabulary, np.float32)

    def measure(self, row: Row) -> RowStats:
        """Entropy is log Z - E[logit], in nats (Shannon 1948).

        Raises:
            ModelError: the logits hold NaN, or nothing finite.
        """
        best = int(row.argmax())
        top = float(row[best])
        if not math.isfinite(top):
            raise _broken(top)
        shift = 0.0 if abs(top) < _SAFE else top
        exp = self._exp
        np.exp(np.subtract(row, shift, out=exp) if shift else row, out=exp)
        z = float(np.vdot(exp, self._ones))  # three times as fast as a sum
        mean = _mean(exp, row) / z
        exp[best] = 0
        second = max(float(exp.max()), _TINY)
        log_z = shift + math.log(z)
        return RowStats(best, log_z, log_z - mean, top - shift - math.log(second))


_TINY = float(np.finfo(np.float32).tiny)
_SAFE = 40.0
"""Between minus and plus this, exponentials and their sum need no shift to stay within float32."""


def _mean(weights: Row, row: Row) -> float:
    """The weighted sum of logits; those of -inf, which have no weight, are left out."""
    found = float(np.vdot(weights, row))  # says nothing of nan, and needs no errstate
    return float(np.dot(weights, np.maximum(row, -1e30))) if math.isnan(found) else found


def _broken(top: float) -> ModelError:
    return ModelError(
        f"the model computed {top} instead of probabilities",
        hint="the file may be damaged; check its digest, or use another kv_type",
    )


def top_ids(row: Row, count: int) -> NDArray[np.intp]:
    """Ids of the `count` largest logits, largest first."""
    count = min(count, row.size)
    if count == 0:
        return np.empty(0, np.intp)
    some = np.argpartition(row, -count)[-count:]
    return some[np.argsort(-row[some], kind="stable")]


@dataclass(slots=True)
class StatsSum:
    """Adds up the statistics of one generation's tokens."""

    count: int = 0
    logprob: float = 0.0
    lowest: float = 0.0
    entropy: float = 0.0
    margin: float = 0.0

    def add(self, logprob: float, entropy: float, margin: float) -> None:
        self.count += 1
        self.logprob += logprob
        self.lowest = min(self.lowest, logprob)
        self.entropy += entropy
        self.margin += margin

    def means(self) -> TokenStats | None:
        """None when no token was generated."""
        if not self.count:
            return None
        return TokenStats(
            mean_logprob=self.logprob / self.count,
            min_logprob=self.lowest,
            mean_entropy=self.entropy / self.count,
            mean_margin=self.margin / self.count,
        )
