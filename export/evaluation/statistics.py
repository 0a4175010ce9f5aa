"""Paired statistics: what can be said of a difference between two runs over the same items."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb

import numpy as np
from numpy.typing import NDArray

_BLOCK = 1000


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate and its confidence interval."""

    estimate: float
    low: float
    high: float


def mcnemar(lost: int, won: int) -> float:
    """Two-sided exact p-value that neither side is better, from the items that changed.

    The binomial test of McNemar's (1947, Psychometrika 12) discordant pairs at one half.

    Args:
        lost: items that were right and are no more.
        won: items that were wrong and are right now.
    """
    changed = lost + won
    tail = sum(comb(changed, fewer) for fewer in range(min(lost, won) + 1))
    return float(min(1.0, 2 * tail / 2**changed))


def mean_interval(
    differences: Sequence[float],
    *,
    weights: Sequence[float] | None = None,
    confidence: float,
    resamples: int,
    seed: int,
) -> Interval:
    """The mean of paired differences, by the percentile bootstrap over items.

    Efron, Tibshirani, "An Introduction to the Bootstrap" (1993), chapter 13. Items are drawn with
    their weights, such as the tokens of a window. The same seed gives the same interval.
    """
    values = np.asarray(differences, np.float64)
    shares = np.ones_like(values) if weights is None else np.asarray(weights, np.float64)
    draw = np.random.default_rng(seed)
    means = np.concatenate(
        [
            _means(values, shares, draw.integers(0, len(values), (count, len(values))))
            for count in _blocks(resamples)
        ]
    )
    low, high = np.quantile(means, _tails(confidence))
    return Interval(float(np.average(values, weights=shares)), float(low), float(high))


def ratio_interval(
    ours: Sequence[float],
    theirs: Sequence[float],
    *,
    confidence: float,
    resamples: int,
    seed: int,
) -> Interval:
    """The median of `ours` over that of `theirs`; repetitions of each are drawn anew.

    With few repetitions it says how far they lie apart, and little more.
    """
    draw = np.random.default_rng(seed)
    medians = [
        np.median(values[draw.integers(0, len(values), (resamples, len(values)))], axis=1)
        for values in (np.asarray(ours, np.float64), np.asarray(theirs, np.float64))
    ]
    low, high = np.quantile(medians[0] / medians[1], _tails(confidence))
    return Interval(float(np.median(ours) / np.median(theirs)), float(low), float(high))


def _means(
    values: NDArray[np.float64], shares: NDArray[np.float64], drawn: NDArray[np.int64]
) -> NDArray[np.float64]:
    picked = shares[drawn]
    means: NDArray[np.float64] = (values[drawn] * picked).sum(1) / picked.sum(1)
    return means


def _blocks(total: int) -> list[int]:
    return [min(_BLOCK, total - start) for start in range(0, total, _BLOCK)]


def _tails(confidence: float) -> tuple[float, float]:
    return (1 - confidence) / 2, (1 + confidence) / 2
