"""Chooses tokens from logits in numpy: penalties, top-k, top-p, min-p, temperature, a seed.

The order is llama.cpp's, so that a setting means the same on both engines. A choice is left as
scores whose largest wins (Gumbel-max), because the library applies a grammar's mask last.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from skerry.edge.engines.base import Sampling

Row = NDArray[np.float32]

_FILTERED = np.float32(1e6)  # a filtered token loses to every other, and still beats a masked one


class Chooser:
    """Draws for one generation; the same seed and logits give the same scores."""

    def __init__(self, sampling: Sampling, seed: int) -> None:
        self._sampling = sampling
        self._random = np.random.default_rng(seed)

    def scores(self, logits: Row, answer: Sequence[int]) -> Row | None:
        """What to take the largest of; None when that is the largest logit itself.

        Args:
            logits: shape (vocabulary,); not changed.
            answer: the tokens generated so far; only they count for the penalties.
        """
        sampling = self._sampling
        if sampling.temperature == 0 and not _has_penalty(sampling):
            return None
        row = penalised(logits, answer, sampling)
        if sampling.temperature == 0:
            return row
        kept = likely(row, sampling)
        noise = self._random.gumbel(size=kept.size).astype(np.float32)
        scores = row / np.float32(sampling.temperature) - _FILTERED
        scores[kept] += noise + _FILTERED
        return scores


def penalised(logits: Row, tokens: Sequence[int], sampling: Sampling) -> Row:
    """A copy of `logits` with tokens that occurred made less likely.

    `repeat_penalty` divides a positive logit and multiplies a negative one (Keskar et al.,
    arXiv:1909.05858); `frequency_penalty` is taken off per occurrence and `presence_penalty` once.
    """
    row = logits.copy()
    if not tokens or not _has_penalty(sampling):
        return row
    ids, counts = np.unique(np.asarray(tokens, np.int64), return_counts=True)
    seen = row[ids]
    seen = np.where(seen > 0, seen / sampling.repeat_penalty, seen * sampling.repeat_penalty)
    row[ids] = seen - counts * sampling.frequency_penalty - sampling.presence_penalty
    return row


def likely(row: Row, sampling: Sampling) -> NDArray[np.intp]:
    """Ids that top-k, then top-p (Holtzman et al., arXiv:1904.09751), then min-p leave.

    At least the likeliest token is left. Probabilities are those before temperature.
    """
    count = min(sampling.top_k or row.size, row.size)
    if count == row.size and sampling.top_p >= 1 and sampling.min_p <= 0:
        return np.arange(row.size)
    ids = np.argpartition(row, -count)[-count:]
    ids = ids[np.argsort(-row[ids], kind="stable")]
    chances = np.exp(row[ids] - row[ids[0]], dtype=np.float64)
    chances /= chances.sum()
    before = np.cumsum(chances) - chances
    keep = (before < sampling.top_p) & (chances >= sampling.min_p * chances[0])
    keep[0] = True
    kept: NDArray[np.intp] = ids[keep]
    return kept


def _has_penalty(sampling: Sampling) -> bool:
    return (
        sampling.repeat_penalty != 1 or sampling.frequency_penalty != 0
    ) or sampling.presence_penalty != 0
