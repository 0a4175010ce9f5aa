"""A calibrated probability that a grounded answer is right: boosted trees on `features`.

The weights are `weights.json` for what a model drafted and `quoted.json` for quotations, fitted by
`train`; `card.md` says on what, and how well they do.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from skerry.edge.confidence.features import NAMES, Answered, Source, features
from skerry.edge.confidence.trees import Tree
from skerry.edge.engines.base import TokenStats
from skerry.edge.errors import ModelInvalid
from skerry.guardrails.answer import Answer

WEIGHTS = Path(__file__).parent / "weights.json"
QUOTED = Path(__file__).parent / "quoted.json"
QUOTATION = "quotation"
"""What weights for quotations have in place of a language model's name."""

NO_DRAFT = TokenStats(0.0, 0.0, 0.0, 0.0)
"""The statistics of a quotation, which no model drafted."""

FORMAT = "skerry.confidence/2"

_REFIT = "Reinstall skerry, or fit it again with `python -m skerry.edge.confidence.train`."


@dataclass(frozen=True, slots=True)
class ConfidenceModel:
    """The log-odds are `bias` plus what each of the `trees` says of the features.

    `model` and `digest` name the language model whose answers it was fitted on: it is calibrated
    for that one, and for another it only ranks.
    """

    trees: tuple[Tree, ...]
    bias: float
    model: str
    digest: str

    @classmethod
    def load(cls, path: Path = WEIGHTS) -> Self:
        """The weights in the file `path`.

        Raises:
            ModelInvalid: the file is missing, damaged, or for other features than these.
        """
        try:
            given = json.loads(path.read_text(encoding="utf-8"))
            return cls._of(given)
        except (OSError, ValueError, KeyError, TypeError) as error:
            what = f"the weights of answer confidence, '{path}', cannot be used: {error!r}"
            raise ModelInvalid(what, hint=_REFIT) from error

    @classmethod
    @cache
    def shipped(cls) -> Self:
        """The weights that come with the package; ModelInvalid as in `load`."""
        return cls.load()

    @classmethod
    @cache
    def of_quotations(cls) -> Self:
        """The weights for quotations that come with the package; ModelInvalid as in `load`."""
        return cls.load(QUOTED)

    @classmethod
    def _of(cls, given: dict[str, Any]) -> Self:
        if given["format"] != FORMAT or given["features"] != list(NAMES):
            raise ValueError("another format, or other features")
        trees = tuple(Tree.of(one, len(NAMES)) for one in given["trees"])
        bias = float(given["bias"])
        if not math.isfinite(bias):
            raise ValueError("the bias is not finite")
        return cls(trees, bias, str(given["model"]), str(given["digest"]))

    def save(self, path: Path) -> None:
        """Writes what `load` reads."""
        document = {
            "format": FORMAT,
            "model": self.model,
            "digest": self.digest,
            "features": NAMES,
            "bias": self.bias,
            "trees": [tree.to_json() for tree in self.trees],
        }
        path.write_text(json.dumps(document) + "\n", encoding="utf-8")

    def probability(self, measured: NDArray[np.float64]) -> float:
        """The probability in (0, 1) for the features of one answer, float64 [features]."""
        given = measured.tolist()
        logit = self.bias + sum(tree.says(given) for tree in self.trees)
        return 1 / (1 + math.exp(-min(max(logit, -30.0), 30.0)))


def answer_confidence(
    stats: TokenStats | None,
    *,
    question: str,
    answer: Answer,
    sources: Sequence[Source],
    model: ConfidenceModel | None = None,
) -> float | None:
    """The probability that `answer`, drafted here and grounded in `sources`, is right.

    Args:
        stats: token statistics of the draft; None where the engine reported none.
        question: what was asked.
        answer: what the gate made of the draft.
        sources: what the model saw, in retrieval's order, best first.
        model: weights to use instead of the shipped ones.

    Returns:
        A number in (0, 1); None without statistics or without sources, of which nothing is known.

    Raises:
        ModelInvalid: the shipped weights are missing or damaged.
    """
    if stats is None or not sources:
        return None
    answered = Answered(question, answer, sources, stats)
    return (model or ConfidenceModel.shipped()).probability(features(answered))


def quotation_confidence(
    *, question: str, answer: Answer, sources: Sequence[Source]
) -> float | None:
    """The probability that `answer`, a source's own words without a model, is right.

    Takes and raises what `answer_confidence` does. None without sources, or where nothing is
    quoted.
    """
    if not sources or not answer.marks:
        return None
    answered = Answered(question, answer, sources, NO_DRAFT)
    return ConfidenceModel.of_quotations().probability(features(answered))
