"""What the checker gets right: its verdicts on pairs, and the figures made of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from skerry.guardrails.answer import Evidence
from skerry.guardrails.grounding import GroundingChecker, Label
from skerry.guardrails.sentences import sentences
from skerry.guardrails.support import best_support
from skerry.guardrails.train.grounding.pair import Pair, Truth

_WORDS = 0.6


@dataclass(frozen=True, slots=True)
class Verdict:
    """A pair, the classifier's best probability of "supported" over the windows, and the label.

    `words`: the share of the claim's words that one sentence of the evidence has, which is what the
    gate goes by without a model. Of a claim of several sentences: the least of each, and
    supported only if all are.
    """

    pair: Pair
    score: float
    words: float
    label: Label


def verdicts(checker: GroundingChecker, pairs: Iterable[Pair]) -> list[Verdict]:
    """Each pair checked, sentence by sentence as the gate does."""
    return [_verdict(checker, pair) for pair in pairs]


def _verdict(checker: GroundingChecker, pair: Pair) -> Verdict:
    source = Evidence(1, pair.evidence, context=pair.context)
    parts = [pair.claim[start:end] for start, end in sentences(pair.claim)] or [pair.claim]
    found = [checker.check(part, source, pair.question) for part in parts]
    wrong = [one.label for one in found if one.label is not Label.SUPPORTED]
    label = wrong[0] if wrong else Label.SUPPORTED
    words = min(best_support(part, source) for part in parts)
    return Verdict(pair, min(one.likely for one in found), words, label)


@dataclass(frozen=True, slots=True)
class Figures:
    """Balanced accuracy of supported against not.

    `words`: by six tenths of the words. `auroc`: of the classifier, at no threshold. `alone`: by
    the classifier. `together`: with the exact
    checks, of which `kept` is the share of supported claims that stay, `caught` that of the others
    that do not.
    """

    pairs: int
    supported: int
    words: float
    auroc: float
    alone: float
    together: float
    kept: float
    caught: float


def figures(found: Sequence[Verdict], threshold: float) -> Figures:
    """The figures at one threshold."""
    true = np.array([one.pair.truth is Truth.SUPPORTED for one in found])
    alone = np.array([one.score >= threshold for one in found])
    both = np.array([one.label is Label.SUPPORTED for one in found])
    return Figures(
        pairs=len(found),
        supported=int(true.sum()),
        words=balanced(true, np.array([one.words >= _WORDS for one in found])),
        auroc=auroc(true, np.array([one.score for one in found])),
        alone=balanced(true, alone),
        together=balanced(true, both),
        kept=float(both[true].mean()),
        caught=float((~both[~true]).mean()),
    )


def balanced(true: np.ndarray, said: np.ndarray) -> float:
    """The mean of the shares that are right of either kind; of one kind if there is only one."""
    kinds = [said[true], ~said[~true]]
    return float(np.mean([one.mean() for one in kinds if one.size]))


def auroc(true: np.ndarray, scores: np.ndarray) -> float:
    """The chance that a supported claim has the higher score than another; ties count half."""
    above = scores[true][:, None] - scores[~true][None, :]
    return float(((above > 0) + (above == 0) / 2).mean()) if above.size else 0.5


def best_threshold(sets: Sequence[Sequence[Verdict]]) -> float:
    """The threshold with the best mean of the balanced accuracies of the classifier alone."""
    grid = [round(0.1 + 0.02 * i, 2) for i in range(36)]
    return max(grid, key=lambda one: np.mean([figures(some, one).alone for some in sets]))
