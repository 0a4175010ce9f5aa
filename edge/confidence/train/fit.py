"""Fits the weights: regularised logistic regression, its strength and calibration by folds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
from sklearn.preprocessing import StandardScaler

from skerry.edge.confidence.features import features
from skerry.edge.confidence.model import ConfidenceModel
from skerry.edge.confidence.train.asking import Example
from skerry.edge.confidence.train.evaluate import answered
from skerry.edge.engines.base import ModelInfo

STRENGTHS = (0.01, 0.03, 0.1, 0.3, 1.0)
FOLDS = 5

Floats = NDArray[np.float64]


def fit(examples: Sequence[Example], model: ModelInfo, seed: int) -> ConfidenceModel:
    """The weights for `examples`, which are answers of `model`."""
    measured = np.array([features(answered(one)) for one in examples])
    correct = np.array([one.correct for one in examples])
    groups = [one.asked.question.about for one in examples]
    scaler = StandardScaler().fit(measured)
    inputs = scaler.transform(measured)
    folds = list(
        StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed).split(inputs, correct, groups)
    )
    strength, held_out = _strongest(inputs, correct, folds)
    slope, shift = _platt(held_out, correct)
    final = LogisticRegression(C=strength).fit(inputs, correct)
    return ConfidenceModel(
        mean=scaler.mean_,
        scale=scaler.scale_,
        weights=slope * final.coef_[0],
        bias=float(slope * final.intercept_[0] + shift),
        model=model.name,
        digest=model.digest,
    )


def _strongest(
    inputs: Floats, correct: NDArray[np.bool_], folds: list[tuple[Floats, Floats]]
) -> tuple[float, Floats]:
    """The strength with the least loss on held-out folds, and its logits there."""
    tried = []
    for strength in STRENGTHS:
        model = LogisticRegression(C=strength)
        logits = cross_val_predict(model, inputs, correct, cv=folds, method="decision_function")
        tried.append((log_loss(correct, 1 / (1 + np.exp(-logits))), strength, logits))
    _, strength, logits = min(tried, key=lambda one: one[0])
    return strength, logits


def _platt(logits: Floats, correct: NDArray[np.bool_]) -> tuple[float, float]:
    """Slope and shift that calibrate held-out logits (Platt 1999)."""
    found = LogisticRegression(C=1e6).fit(logits[:, None], correct)
    return float(found.coef_[0, 0]), float(found.intercept_[0])
