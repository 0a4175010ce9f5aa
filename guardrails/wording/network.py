"""The heads' network in numpy: a convolution over words, the most and the mean of each sentence.

Kim 2014, arXiv:1408.5882, with frozen vectors, beside them how a word is written.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skerry.guardrails.errors import GuardrailError
from skerry.guardrails.weights import Weights
from skerry.guardrails.wording.arrays import arrays
from skerry.guardrails.wording.table import WordTable
from skerry.guardrails.wording.words import SHAPES, Words

HEAD = "head.npz"
WIDTH = 5
"""Words that a filter sees at once."""
_PIECE = 4096  # words at once: bounds memory
_ONE_THREAD = 1 << 18  # multiplications: of more, OpenBLAS makes threads
_NAMES = ("filters", "filters_bias", "hidden", "hidden_bias", "out", "out_bias")

Scores = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Network:
    """Scores of sentences. `arrays` are those of the head's file, float32.

    filters [WIDTH * (dimensions + SHAPES), filters], hidden [2 * filters, hidden],
    out [hidden, outputs], and a bias for each.
    """

    _table: NDArray[np.float32] = field(repr=False)
    _parts: dict[str, Any] = field(repr=False)

    @classmethod
    def load(cls, weights: Weights, table: WordTable) -> Network:
        """The head in the folder of `weights`.

        Raises:
            GuardrailError: its file is missing, was changed, or does not fit the table.
        """
        found = {name: one.astype(np.float32) for name, one in arrays(weights, HEAD).items()}
        inputs = WIDTH * (table.vectors.shape[1] + SHAPES)
        if set(found) != set(_NAMES) or found["filters"].shape[0] != inputs:
            what = f"'{weights.folder / HEAD}' is not a head for this table of words"
            raise GuardrailError(what, hint="Reinstall skerry.")
        return cls(table.vectors, found)

    def logits(self, words: Words) -> Scores:
        """What each output says of each sentence, float32 [sentences, outputs]."""
        pooled = [self._pooled(words, *part) for part in _pieces(words)]
        if not pooled:
            return np.empty((0, self._parts["out"].shape[1]), np.float32)
        inner = np.concatenate(pooled) @ self._parts["hidden"] + self._parts["hidden_bias"]
        made: Scores = np.maximum(inner, 0) @ self._parts["out"] + self._parts["out_bias"]
        return made

    def _pooled(self, words: Words, first: int, last: int) -> Scores:
        """The most and the mean of every filter in sentences first..last-1, [., 2 * filters]."""
        start, end = words.firsts[first] - WIDTH // 2, words.lasts[last - 1] + WIDTH // 2
        seen = self._inputs(words.rows[start:end], words.shapes[start:end])
        rows, columns = seen.shape
        windows = (rows - WIDTH + 1, WIDTH * columns)
        flat = np.lib.stride_tricks.as_strided(seen, windows, seen.strides, writeable=False)
        made = np.maximum(_times(flat, self._parts["filters"]) + self._parts["filters_bias"], 0)
        firsts = words.firsts[first:last] - words.firsts[first]
        lasts = words.lasts[first:last] - words.firsts[first]
        bounds = np.stack([firsts, lasts], axis=1).ravel()[:-1]  # every other part is edges
        most = np.maximum.reduceat(made, bounds)[::2]
        mean = np.add.reduceat(made, bounds)[::2] / (lasts - firsts)[:, None]
        return np.concatenate([most, mean], axis=1, dtype=np.float32)

    def _inputs(self, rows: NDArray[np.int32], shapes: NDArray[np.uint8]) -> Scores:
        made = np.zeros((len(rows), self._table.shape[1] + SHAPES), np.float32)
        made[:, : self._table.shape[1]] = self._table[rows]
        made[np.arange(len(rows)), self._table.shape[1] + shapes.astype(np.int64)] = 1
        return made


def _times(rows: Scores, filters: Scores) -> Scores:
    """`rows @ filters`, a few rows at once, so that the product stays on this thread.

    A product of some size wakes the threads of the BLAS library, which then wait for cores that
    the encoder's threads still spin on: 10 ms in place of 0.4.
    """
    made = np.empty((len(rows), filters.shape[1]), np.float32)
    step = max(_ONE_THREAD // filters.size, 1)
    for at in range(0, len(rows), step):
        np.matmul(rows[at : at + step], filters, out=made[at : at + step])
    return made


def _pieces(words: Words) -> list[tuple[int, int]]:
    """Runs (first, last) of whole sentences of about `_PIECE` words."""
    if not words.spans:
        return []
    cuts = np.flatnonzero(np.diff(words.firsts // _PIECE)) + 1
    bounds = [0, *cuts.tolist(), len(words.spans)]
    return list(itertools.pairwise(bounds))
