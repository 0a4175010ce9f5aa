"""Chooses a token from logits, alike on the device and in the cloud.

The order is that of vLLM and Hugging Face: penalties, temperature, top-k, top-p, min-p, then the
noise. Only tokens that pass the filters are hashed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skerry.cloud.hints.noise import LEAST, MOST, gumbel

Row = NDArray[np.float32]
_HOPELESS = MOST - LEAST


@dataclass(frozen=True, slots=True)
class Sampling:
    """How tokens are chosen; the names are those of the field.

    `temperature` 0 is greedy (the lowest id among equals). `top_k` 0, `top_p` 1 and `min_p` 0
    filter nothing. Penalties look at generated tokens only.
    """

    temperature: float = 0.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    repetition_penalty: float = 1.0
    frequency_penalty: float = 0.0
    presence_penalty: float = 0.0
    seed: int = 0

    @property
    def penalizes(self) -> bool:
        """Whether what was generated changes the next choice."""
        changed = self.repetition_penalty != 1
        return changed or self.frequency_penalty != 0 or self.presence_penalty != 0


def choose(row: Row, sampling: Sampling, position: int, generated: Sequence[int] = ()) -> int:
    """The token for an absolute `position`, from its logits [vocabulary].

    `generated` are the tokens so far, without the prompt; only penalties ask for them.
    """
    if sampling.penalizes and generated:
        row = penalized(row, sampling, generated)
    if sampling.temperature == 0:
        return int(row.argmax())
    ids, scaled = candidates(row, sampling)
    near = scaled > scaled.max() - _HOPELESS  # no noise can make up for more
    ids, scaled = ids[near], scaled[near]
    return int(ids[(scaled + gumbel(sampling.seed, position, ids)).argmax()])


def candidates(row: Row, sampling: Sampling) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """The ids that pass the filters, ascending, and their logits over the temperature: [n], [n]."""
    ids = np.arange(len(row))
    if 0 < sampling.top_k < len(row):
        ids = _largest(row, sampling.top_k)
    scaled = row[ids].astype(np.float64) / sampling.temperature
    if sampling.top_p < 1:
        kept = _nucleus(scaled, sampling.top_p)
        ids, scaled = ids[kept], scaled[kept]
    if sampling.min_p > 0:
        kept = np.flatnonzero(scaled >= scaled.max() + np.log(sampling.min_p))
        ids, scaled = ids[kept], scaled[kept]
    return ids, scaled


def penalized(row: Row, sampling: Sampling, generated: Sequence[int]) -> Row:
    """The logits after the penalties: repetition divides what is positive and multiplies what is
    not (Keskar et al. 2019, arXiv:1909.05858); frequency and presence subtract, as in OpenAI's API.
    """
    counts = Counter(generated)
    ids = np.fromiter(counts.keys(), np.intp, len(counts))
    times = np.fromiter(counts.values(), np.float64, len(counts))
    said = row[ids].astype(np.float64)
    repeated = sampling.repetition_penalty
    said = np.where(said > 0, said / repeated, said * repeated)
    said -= sampling.frequency_penalty * times + sampling.presence_penalty
    changed = row.copy()
    changed[ids] = said
    return changed


def _largest(row: Row, count: int) -> NDArray[np.intp]:
    """The ids of the `count` largest logits, ascending; of equal ones the lowest."""
    least = np.partition(row, -count)[-count]
    above = np.flatnonzero(row > least)
    equal = np.flatnonzero(row == least)[: count - len(above)]
    return np.sort(np.concatenate([above, equal]))


def _nucleus(scaled: NDArray[np.float64], share: float) -> NDArray[np.intp]:
    """Indices of the likeliest ones whose probabilities first reach `share`, ascending."""
    likely = np.exp(scaled - scaled.max())
    order = np.argsort(-likely, kind="stable")
    total = np.cumsum(likely[order]) / likely.sum()
    count = int(np.searchsorted(total, share)) + 1
    return np.sort(order[:count])
