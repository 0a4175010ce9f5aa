"""Vectors as bytes in the file and as arrays in memory, and the search for the nearest.

A vector is kept as int8 codes with one scale. A large collection is searched in two steps:
the signs of the codes, packed into 64-bit words, choose candidates by Hamming distance; the codes
put them in order. A small or narrowly filtered one is searched by the codes alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Rows = NDArray[np.intp]
Mask = NDArray[np.bool_]

EXACT_ROWS = 4096  # up to so many allowed rows, every one is compared by its codes
_BASE_CANDIDATES = 600
_CANDIDATE_SHARE = 80  # and one more candidate for so many rows


def row_type(dimensions: int) -> np.dtype[np.void]:
    """The stored form of a vector: value = scale * code."""
    return np.dtype([("scale", "<f4"), ("codes", "i1", (dimensions,))])


def quantise(vectors: Floats) -> list[bytes]:
    """The stored form of each of `vectors`, float32 [n, dimensions].

    The scale maps the largest absolute value to 127, so the error of a value is at most half a
    scale.
    """
    scales = np.maximum(np.abs(vectors).max(axis=1, initial=0.0), np.finfo(np.float32).tiny) / 127
    rows = np.empty(len(vectors), row_type(vectors.shape[1]))
    rows["scale"] = scales
    rows["codes"] = np.rint(vectors / scales[:, None])
    return [row.tobytes() for row in rows]


def sign_words(codes: NDArray[np.int8]) -> NDArray[np.uint64]:
    """The signs of the codes as bits, uint64 [ceil(dimensions / 64), n]."""
    bits = np.packbits(codes > 0, axis=1)
    padded = np.zeros((len(codes), -(-codes.shape[1] // 64) * 8), np.uint8)
    padded[:, : bits.shape[1]] = bits
    return np.ascontiguousarray(padded.view(np.uint64).T)


@dataclass(frozen=True, slots=True)
class VectorSet:
    """The vectors of a collection: int8 [n, dimensions], float32 [n], and arrays uint64 [n]."""

    codes: NDArray[np.int8]
    scales: Floats
    signs: Sequence[NDArray[np.uint64]]

    def nearest(self, query: Floats, allowed: Mask, limit: int) -> tuple[Rows, Floats]:
        """The `limit` allowed rows of the highest cosine with the unit vector `query`, unordered.

        Returns:
            The rows and their cosines.
        """
        rows = self._candidates(query, allowed, limit)
        cosines = self.cosines(query, rows)
        if len(rows) <= limit:
            return rows, cosines
        best = np.argpartition(-cosines, limit)[:limit]
        return rows[best], cosines[best]

    def cosines(self, query: Floats, rows: Rows) -> Floats:
        """Cosines of the vectors in `rows` with the unit vector `query`, float32 [len(rows)]."""
        # Row by row, not as a matrix product: that would start threads for so little work.
        products: Floats = np.vecdot(self.codes[rows].astype(np.float32), query)
        return products * self.scales[rows]

    def _candidates(self, query: Floats, allowed: Mask, limit: int) -> Rows:
        count = int(np.count_nonzero(allowed))
        wanted = max(_BASE_CANDIDATES + len(allowed) // _CANDIDATE_SHARE, 4 * limit)
        if count <= max(EXACT_ROWS, wanted):
            return np.flatnonzero(allowed)
        distances = np.where(allowed, self._distances(query), np.uint16(len(query) + 1))
        reached = np.cumsum(np.bincount(distances))
        return np.flatnonzero(distances <= np.searchsorted(reached, wanted))

    def _distances(self, query: Floats) -> NDArray[np.uint16]:
        """Hamming distances of the signs, uint16 [n]."""
        bits = sign_words(np.where(query > 0, 1, -1).astype(np.int8)[None, :])
        distances = np.zeros(len(self.scales), np.uint16)
        differing = np.empty(len(self.scales), np.uint64)
        for column, word in zip(self.signs, bits[:, 0], strict=True):
            np.bitwise_xor(column, word, out=differing)
            distances += np.bitwise_count(differing)
        return distances
