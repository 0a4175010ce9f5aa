"""Figures of the safety classes on what they were not trained on, as a dictionary.

Texts of our own that were written apart from the templates; OpenAI's moderation samples (MIT),
XSTest (CC BY 4.0) and harmful requests of MedSafetyBench (for research): evaluated only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skerry.guardrails.normal import normalise
from skerry.guardrails.safety import CLASSES
from skerry.guardrails.safety.classifier import SafetyClassifier, shared
from skerry.guardrails.train.safety.texts import TEXTS
from skerry.guardrails.train.wording import sources
from skerry.guardrails.train.wording.templates import read
from skerry.guardrails.wording import read_shared

MODERATION = {"sexual": "S", "hate": "H", "violence": "V", "self_harm": "SH"}
"""Classes that OpenAI labels, too, and its names of them."""


def figures(data: Path) -> dict[str, float]:
    """Shares that the shipped levels find, by class and set, and of benign texts that they pass.

    `own_recall_*`: our held-out texts of a class, found under any class, since a person is asked
    for each; `*_accuracy`: benign texts that nothing is found in; `moderation_*`: OpenAI's
    samples by their own labels, `_auc` whatever the level.
    """
    detector = shared()
    own = read(TEXTS / "held_out.toml")
    found: dict[str, float] = {}
    for name in CLASSES:
        found[f"own_recall_{name}"] = _any(detector, own[name])
    found["own_accuracy"] = 1 - _any(detector, own["benign"])
    found["own_everyday_accuracy"] = 1 - _any(detector, own["everyday"])
    for name, texts in sources.held_out(data).items():
        found[f"{name}_accuracy"] = 1 - _any(detector, texts)
    found |= _xstest(detector, data) | _moderation(detector, data)
    rows = sources.lines(data, "med_safety_bench/med_safety_test.jsonl")
    found["med_safety_recall"] = _any(detector, [row["harmful_medical_request"] for row in rows])
    return found


def _xstest(detector: SafetyClassifier, data: Path) -> dict[str, float]:
    rows = list(sources.rows(data, "xstest/xstest_prompts.csv"))
    safe = [row["prompt"] for row in rows if row["label"] == "safe"]
    unsafe = [row["prompt"] for row in rows if row["label"] == "unsafe"]
    return {
        "xstest_accuracy": 1 - _any(detector, safe),
        "xstest_recall": _any(detector, unsafe),
    }


def _moderation(detector: SafetyClassifier, data: Path) -> dict[str, float]:
    rows = list(sources.lines(data, "openai_moderation/samples-1680.jsonl"))
    made = scores(detector, [row["prompt"] for row in rows])
    found = {}
    for name, column in MODERATION.items():
        at = CLASSES.index(name)
        labels = np.array([_label(row, column) for row in rows])
        for one, share in (("recall", 1), ("false_positives", 0)):
            found[f"moderation_{one}_{name}"] = float((made[labels == share, at] >= 0).mean())
        found[f"moderation_auc_{name}"] = _auc(made[labels == 1, at], made[labels == 0, at])
    return found


def _label(row: Mapping[str, Any], column: str) -> int:
    value = row.get(column)
    return -1 if value is None else int(value)


def scores(detector: SafetyClassifier, texts: Sequence[str]) -> NDArray[np.float64]:
    """How far the most striking sentence of each text is above each class's level."""
    levels = np.array(detector.levels)
    made = []
    for one in texts:
        found = detector.logits(read_shared(normalise(one).text))
        made.append(found.max(axis=0) - levels if len(found) else np.full(len(levels), -20.0))
    return np.array(made)


def _any(detector: SafetyClassifier, texts: Sequence[str]) -> float:
    return float((scores(detector, texts).max(axis=1) >= 0).mean())


def _auc(positive: NDArray[np.float64], negative: NDArray[np.float64]) -> float:
    """The chance that a sign outscores none (Mann, Whitney 1947)."""
    ranks = np.concatenate([positive, negative]).argsort().argsort() + 1
    size = len(positive)
    return float((ranks[:size].sum() - size * (size + 1) / 2) / (size * len(negative)))
