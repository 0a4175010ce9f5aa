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
    """Measures rows of `vocabulary` logits. Not thread-safe: the buffers are reused."""

    def __init__(self, vocabulary: int) -> None:
        self._shifted = np.empty(vocabulary, np.float32)
        self._exp = np.empty(vocabulary, np.float32)

    def measure(self, row: Row) -> RowStats:
        """Entropy is log Z - sum(p x) with x = logit - max (Shannon 1948, in nats).

        `row` is changed and put back while its second best is looked for.

        Raises:
            ModelError: the logits hold NaN.
        """
        best = int(row.argmax())
        top = float(row[best])
        if not math.isfinite(top):
            raise _broken(top)
        np.subtract(row, top, out=self._shifted)
        np.exp(self._shifted, out=self._exp)
        z = float(self._exp.sum())
        with np.errstate(invalid="ignore"):
            weighted = float(self._exp @ self._shifted)
        if math.isnan(weighted):  # some logits are -inf: 0 * -inf
            weighted = float(self._exp @ np.maximum(self._shifted, -1e4))
        log_sum = math.log(z)
        return RowStats(best, top + log_sum, log_sum - weighted / z, top - _second(row, best))


def _broken(top: float) -> ModelError:
    return ModelError(
        f"the model computed {top} instead of probabilities",
        hint="the file may be damaged; check its digest, or use another kv_type",
    )


def _second(row: Row, best: int) -> float:
    kept = row[best]
    row[best] = -np.inf
    second = float(row.max())
    row[best] = kept
    return second


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
