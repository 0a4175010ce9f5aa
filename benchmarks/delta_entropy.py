"""The empirical conditional entropy of what a delta codes: what no coder with these contexts beats.

Of each code, given the old code and the bins of both scales; of each scale's difference, given its
context. Counted over all of a window, with the correction of Miller and Madow (1955) for contexts
with few codes: half a nat for every pair of context and code that occurs, but one a context. Nothing
of the coder is in it: no models, no frequencies, no streams.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from skerry.sync.delta import prediction
from skerry.sync.delta.window import Part, ReadOld, walk

Bytes = NDArray[np.uint8]


def entropy_bytes(parts: Sequence[Part], read_old: ReadOld, new: bytes) -> float:
    """Bytes of the entropy of a window."""
    counter = _Counter()
    walk(counter, parts, read_old, np.frombuffer(new, np.uint8))
    return counter.bits / 8


class _Counter:
    """A coder that counts bits."""

    def __init__(self) -> None:
        self.bits = 0.0

    def units(
        self,
        levels: NDArray[np.float32],  # noqa: ARG002
        rows: prediction.Rows,
        old: Bytes,
        new: Bytes | None,
        *,
        pairs: bool,
    ) -> Bytes:
        assert new is not None
        context = np.broadcast_to(rows.of[:, None], old.shape).ravel()
        halves = ((old & 15, new & 15), (old >> 4, new >> 4)) if pairs else ((old, new),)
        before = np.concatenate([one.ravel() for one, _ in halves])
        after = np.concatenate([one.ravel() for _, one in halves])
        self._count(np.tile(context, len(halves)) << 8 | before, after)
        return new

    def symbols(self, contexts: NDArray[np.uint16], most: int, new: Bytes | None) -> Bytes:  # noqa: ARG002
        assert new is not None
        self._count(contexts.astype(np.intp), new)
        return new

    def _count(self, context: NDArray[np.intp], symbol: Bytes) -> None:
        _, joint = np.unique(context << 8 | symbol, return_counts=True)
        _, alone = np.unique(context, return_counts=True)
        bits = (alone * np.log2(alone)).sum() - (joint * np.log2(joint)).sum()
        self.bits += float(bits) + (len(joint) - len(alone)) / 2 / np.log(2)
