"""How well a score tells right answers from wrong ones, and how honest a probability is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics import roc_auc_score

from skerry.edge.confidence.features import Answered, features
from skerry.edge.confidence.model import ConfidenceModel
from skerry.edge.confidence.train.asking import Example
from skerry.edge.record import sources_of


def answered(example: Example) -> Answered:
    """What the runtime knows of the example when its answer ends."""
    work = example.asked.work
    return Answered(work.request.question, example.outcome.answer, sources_of(work), example.stats)


def confidences(model: ConfidenceModel, examples: Sequence[Example]) -> list[float]:
    return [model.probability(features(answered(one))) for one in examples]


def baselines(examples: Sequence[Example]) -> dict[str, list[float]]:
    """Each token statistic alone, higher for surer, over whole drafts."""
    stats = [one.stats for one in examples]
    return {
        "mean logprob": [one.mean_logprob for one in stats],
        "entropy": [-one.mean_entropy for one in stats],
        "margin": [one.mean_margin for one in stats],
    }


def auroc(scores: ArrayLike, correct: Sequence[bool]) -> float | None:
    """Area under the ROC curve; None when all labels are equal."""
    if len(set(correct)) < 2:
        return None
    return float(roc_auc_score(np.asarray(correct), np.asarray(scores)))


def ece(probabilities: ArrayLike, correct: Sequence[bool], *, bins: int = 10) -> float:
    """Expected calibration error over bins of equal width (Naeini, Cooper, Hauskrecht 2015)."""
    given, right = np.asarray(probabilities, float), np.asarray(correct, float)
    bin_of = np.minimum((given * bins).astype(int), bins - 1)
    gaps = [
        abs(given[bin_of == one].mean() - right[bin_of == one].mean()) * (bin_of == one).mean()
        for one in np.unique(bin_of)
    ]
    return float(sum(gaps))
