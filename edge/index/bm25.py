"""BM25 over arrays: which of a query's words to score, and what each adds. Pure functions.

Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009, with the
inverse document frequency of Lucene, ln(1 + (N - n + 0.5) / (n + 0.5)), which is never negative.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import log1p

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

K1 = 0.9
B = 0.6
COMMON_SHARE = 0.3  # of the chunks: measured not to matter for quality, and to halve the work
FEW = 1000  # chunks; words that no more have are cheap, and never left out for being common
MOST_WORDS = 32  # of one query; a question has fewer, a pasted page is searched by its rarest


def inverse_frequency(frequency: int, chunks: int) -> float:
    """The weight of a word that `frequency` of `chunks` chunks have, in nats; above 0.

    Removed chunks are still counted in `frequency` for a while, so it may be above `chunks`.
    """
    frequency = min(frequency, chunks)
    return log1p((chunks - frequency + 0.5) / (frequency + 0.5))


def length_norms(word_counts: NDArray[np.int32]) -> Floats:
    """K1 times the length normalisation of each chunk, float32 [n]."""
    mean = max(1.0, float(word_counts.mean())) if len(word_counts) else 1.0
    norms: Floats = (K1 * (1 - B + B * word_counts / mean)).astype(np.float32)
    return norms


def contribution(counts: NDArray[np.uint8], norms: Floats, weight: float) -> Floats:
    """What a word adds to the score of each chunk that has it; both arrays are of those chunks."""
    counts_f = counts.astype(np.float32)
    added: Floats = np.float32(weight * (K1 + 1)) * counts_f / (counts_f + norms)
    return added


def upper_bound(frequencies: Mapping[int, int], chunks: int) -> float:
    """More than any chunk can score for these words."""
    return (K1 + 1) * sum(inverse_frequency(n, chunks) for n in frequencies.values())


def worth_scoring(frequencies: Mapping[int, int], chunks: int) -> dict[int, int]:
    """The words to score: the rarest, without those that many of the chunks have.

    Those cost the most and say the least. They stay if there is no other.
    """
    rarest = sorted(frequencies.items(), key=lambda item: (item[1], item[0]))[:MOST_WORDS]
    telling = [(word, n) for word, n in rarest if n <= max(FEW, COMMON_SHARE * chunks)]
    return dict(telling or rarest)
