"""How good a router is, from its predictions. No I/O, and nothing but numpy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skerry.edge.router import CLASSES, Router
from skerry.edge.router.heads import Array
from skerry.edge.router.train.example import Example
from skerry.edge.types import Classification, RequestClass

Encode = Callable[[Sequence[str]], Array]


@dataclass(frozen=True, slots=True)
class Prediction:
    """An example with a known class, and what the router says of it."""

    example: Example
    said: Classification

    @property
    def right(self) -> bool:
        return self.said.request_class is self.example.request_class


def predict(router: Router, examples: Sequence[Example], encode: Encode) -> list[Prediction]:
    vectors = encode([example.text for example in examples])
    return [
        Prediction(example, router.classify(vector, example.text))
        for example, vector in zip(examples, vectors, strict=True)
    ]


def with_class(predictions: Sequence[Prediction]) -> list[Prediction]:
    """Those whose example has a class to be right or wrong about."""
    return [p for p in predictions if p.example.request_class is not None]


def accuracy(predictions: Sequence[Prediction]) -> float:
    """Share that is right."""
    return float(np.mean([p.right for p in predictions]))


def calibration_error(confidence: Sequence[float], right: Sequence[bool], bins: int = 15) -> float:
    """Expected calibration error over equal-width bins (Naeini et al. 2015; Guo et al. 2017)."""
    values, hits = np.asarray(confidence), np.asarray(right, float)
    index = np.minimum((values * bins).astype(int), bins - 1)
    gaps = [
        abs(values[index == i].mean() - hits[index == i].mean()) * np.mean(index == i)
        for i in np.unique(index)
    ]
    return float(sum(gaps))


def auroc(positive: Sequence[float], negative: Sequence[float]) -> float:
    """Chance that a positive scores above a negative, a tie counting half (Mann, Whitney 1947)."""
    high, low = np.sort(positive), np.sort(negative)
    above = np.searchsorted(low, high, "left") + np.searchsorted(low, high, "right")
    return float(above.mean() / 2 / len(low))


def confusion(predictions: Sequence[Prediction]) -> NDArray[np.int64]:
    """Counts [true class, said class], in the order of `CLASSES`."""
    counts = np.zeros((len(CLASSES), len(CLASSES)), np.int64)
    for p in with_class(predictions):
        true = RequestClass(str(p.example.request_class))
        counts[CLASSES.index(true), CLASSES.index(p.said.request_class)] += 1
    return counts


def precision_and_recall(counts: NDArray[np.int64]) -> list[tuple[float, float]]:
    """For each class; NaN where nothing was said, or nothing was there."""
    with np.errstate(invalid="ignore"):
        precision = np.diag(counts) / counts.sum(axis=0)
        recall = np.diag(counts) / counts.sum(axis=1)
    return list(zip(precision.tolist(), recall.tolist(), strict=True))
