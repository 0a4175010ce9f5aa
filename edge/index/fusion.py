"""How dense and lexical scores become one ranking. Pure functions over arrays.

A convex combination of scores on absolute scales, the cosine and the share of the most that the
query's words can score (Bruch, Gai and Ingber, "An Analysis of Fusion Functions for Hybrid
Retrieval", 2022, arXiv:2210.11934), so that a score means the same from query to query.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from skerry.edge.index.types import BelowFloor

Floats = NDArray[np.float32]
Rows = NDArray[np.intp]


def fuse(cosines: Floats, bm25: Floats, *, bm25_bound: float, dense_weight: float) -> Floats:
    """Scores in [0, 1] of candidates, from two scores each.

    `bm25_bound` is more than any chunk can score for the query's words; 0 for a query without
    words, whose score is then the cosine alone.
    """
    dense = np.clip(cosines, 0.0, 1.0)
    if bm25_bound <= 0:
        return dense
    lexical = np.clip(bm25 / np.float32(bm25_bound), 0.0, 1.0)
    scores: Floats = dense_weight * dense + (1 - dense_weight) * lexical
    return scores


def ranked(scores: NDArray[np.floating], chunk_ids: NDArray[np.int64]) -> Rows:
    """The order of candidates: best first, and of equals the one added first."""
    return np.lexsort((chunk_ids, -scores))


def capped(sources: Iterable[int], *, limit: int, per_source: int) -> list[int]:
    """The positions to keep of a ranking: at most `per_source` of one source, `limit` in all."""
    kept: list[int] = []
    seen: Counter[int] = Counter()
    for position, source in enumerate(sources):
        if len(kept) == limit:
            break
        if seen[source] < per_source:
            seen[source] += 1
            kept.append(position)
    return kept


def below_floor(cosines: Sequence[float], floor: float) -> BelowFloor | None:
    """What a lower floor would let through of the nearest chunks; None if all are unlike it.

    The lower floor is the tenth below the best, so that a person can type it.
    """
    left_out = [cosine for cosine in cosines if 0 < cosine < floor]
    if not left_out:
        return None
    best = max(left_out)
    lower = math.floor(best * 10) / 10
    hits = sum(cosine >= lower for cosine in left_out)
    return BelowFloor(floor, math.floor(best * 100) / 100, lower, hits)
