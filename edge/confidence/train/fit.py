"""Fits the weights: gradient boosted trees, their size and calibration by folds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict

from skerry.edge.confidence.features import features
from skerry.edge.confidence.model import ConfidenceModel
from skerry.edge.confidence.train.asking import Example
from skerry.edge.confidence.train.evaluate import answered
from skerry.edge.confidence.trees import Tree

SIZES = ((1, 150), (2, 80), (2, 150), (3, 80))
"""Depth and number of trees."""
FOLDS = 5
_RATE = 0.05
_DIGITS = 6

Floats = NDArray[np.float64]


def fit(examples: Sequence[Example], name: str, digest: str, seed: int) -> ConfidenceModel:
    """The weights for `examples`, which are answers of the model of that name and digest."""
    measured = np.array([features(answered(one)) for one in examples])
    correct = np.array([one.correct for one in examples])
    groups = [one.asked.question.about for one in examples]
    splitter = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
    folds = list(splitter.split(measured, correct, groups))
    size, held_out = _best(measured, correct, folds, seed)
    slope, shift = _platt(held_out, correct)
    final = _booster(size, seed).fit(measured, correct)
    return ConfidenceModel(
        trees=tuple(_tree(one.tree_, slope * _RATE) for one in final.estimators_[:, 0]),
        bias=round(float(slope * final._raw_predict_init(measured[:1])[0, 0] + shift), _DIGITS),
        model=name,
        digest=digest,
    )


def _booster(size: tuple[int, int], seed: int) -> GradientBoostingClassifier:
    depth, trees = size
    return GradientBoostingClassifier(
        max_depth=depth,
        n_estimators=trees,
        learning_rate=_RATE,
        subsample=0.7,
        random_state=seed,
    )


def _best(
    measured: Floats, correct: NDArray[np.bool_], folds: list[tuple[Floats, Floats]], seed: int
) -> tuple[tuple[int, int], Floats]:
    """The size with the least loss on held-out folds, and its log-odds there."""
    tried = []
    for size in SIZES:
        logits = cross_val_predict(
            _booster(size, seed), measured, correct, cv=folds, method="decision_function"
        )
        tried.append((log_loss(correct, 1 / (1 + np.exp(-logits))), size, logits))
    _, size, logits = min(tried, key=lambda one: one[0])
    return size, logits


def _tree(tree: Any, factor: float) -> Tree:
    """scikit-learn's tree; `factor` is for its values."""
    return Tree(
        feature=tree.feature.tolist(),
        threshold=[round(float(one), _DIGITS) for one in tree.threshold],
        left=tree.children_left.tolist(),
        right=tree.children_right.tolist(),
        value=[round(factor * float(one), _DIGITS) for one in tree.value[:, 0, 0]],
    )


def _platt(logits: Floats, correct: NDArray[np.bool_]) -> tuple[float, float]:
    """Slope and shift that calibrate held-out log-odds (Platt 1999)."""
    found = LogisticRegression(C=1e6).fit(logits[:, None], correct)
    return float(found.coef_[0, 0]), float(found.intercept_[0])
