"""How far a variant's predictions are from its source's, a block of rows at a time.

At most `BLOCK_ROWS` rows of the vocabulary are held in double precision, whatever the text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skerry.export.exporter import Logits
from skerry.export.measure.errors import MeasureFailed
from skerry.export.measure.held_text import Stretch
from skerry.export.measure.results import Fidelity, Window

BLOCK_ROWS = 32
Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Compared:
    """Of one stretch, for each of its tokens: [tokens]; `nll` is of the following: [tokens-1]."""

    stretch: Stretch
    kl: Doubles
    same_top: NDArray[np.bool_]
    nll: Doubles
    source_nll: Doubles

    def window(self) -> Window:
        return Window(
            text=self.stretch.text,
            tokens=len(self.kl),
            nll=float(self.nll.mean()),
            source_nll=float(self.source_nll.mean()),
            kl=float(self.kl.mean()),
            top1=float(self.same_top.mean()),
        )


def log_softmax(logits: NDArray[np.floating]) -> Doubles:
    """Natural logarithms of the probabilities, row by row; NaN raises MeasureFailed."""
    rows = logits.astype(np.float64)
    rows -= rows.max(axis=1, keepdims=True)
    rows -= np.log(np.exp(rows).sum(axis=1, keepdims=True))
    if np.isnan(rows[:, 0]).any():
        raise MeasureFailed("the model's scores are not numbers", hint="its weights are damaged")
    return rows


def compare(stretch: Stretch, source: NDArray[np.floating], variant: Logits) -> Compared:
    """From scores of the same tokens, [tokens, vocabulary] each.

    Scores may be shifted by any constant a row. Where one vocabulary is padded, the shorter
    counts.
    """
    width = min(source.shape[1], variant.shape[1])
    blocks = [
        _block(stretch.ids, start, source[start:end, :width], variant[start:end, :width])
        for start, end in _blocks(len(stretch.ids))
    ]
    kl, same, nll, source_nll = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    return Compared(stretch, kl, same, nll, source_nll)


def summed(parts: Iterable[Compared]) -> Fidelity:
    """Over all tokens, each of the same weight."""
    parts = tuple(parts)
    kl, nll = np.concatenate([one.kl for one in parts]), np.concatenate([one.nll for one in parts])
    source_nll = np.concatenate([one.source_nll for one in parts])
    return Fidelity(
        tokens=len(kl),
        perplexity=float(np.exp(nll.mean())),
        source_perplexity=float(np.exp(source_nll.mean())),
        kl_mean=float(kl.mean()),
        kl_p99=float(np.quantile(kl, 0.99)),
        top1_agreement=float(np.concatenate([one.same_top for one in parts]).mean()),
        windows=tuple(one.window() for one in parts),
    )


def _blocks(rows: int) -> Iterator[tuple[int, int]]:
    for start in range(0, rows, BLOCK_ROWS):
        yield start, min(rows, start + BLOCK_ROWS)


def _block(
    ids: tuple[int, ...], start: int, source: NDArray[np.floating], variant: Logits
) -> tuple[Doubles, NDArray[np.bool_], Doubles, Doubles]:
    ours, theirs = log_softmax(variant), log_softmax(source)
    kl = np.einsum("ij,ij->i", np.exp(theirs), theirs - ours)
    same = ours.argmax(1) == theirs.argmax(1)
    following = np.array(ids[start + 1 : start + 1 + len(ours)], np.intp)
    places = np.arange(len(following))
    return kl, same, -ours[places, following], -theirs[places, following]
