"""What an int8 encoder must keep of its float32 original, and how that is measured."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]

MIN_MEAN_COSINE = 0.993
MIN_NEIGHBOUR_AGREEMENT = 0.91


class GateRefused(Exception):
    """The int8 encoder is too far from the float32 one."""


@dataclass(frozen=True, slots=True)
class Fidelity:
    """`neighbour_agreement`: share of texts whose nearest other text is the same in both.

    `top10_overlap`: mean share of the ten nearest that both name.
    """

    texts: int
    mean_cosine: float
    least_cosine: float
    neighbour_agreement: float
    top10_overlap: float

    def check(self) -> None:
        """Raises GateRefused when a threshold is missed."""
        if self.mean_cosine < MIN_MEAN_COSINE:
            raise GateRefused(f"mean cosine {self.mean_cosine:.4f} is below {MIN_MEAN_COSINE}")
        if self.neighbour_agreement < MIN_NEIGHBOUR_AGREEMENT:
            raise GateRefused(
                f"nearest-neighbour agreement {self.neighbour_agreement:.3f} "
                f"is below {MIN_NEIGHBOUR_AGREEMENT}"
            )


def fidelity(quantized: Vectors, reference: Vectors) -> Fidelity:
    """Compares unit vectors [texts, dimensions] of the same texts, at least two."""
    cosines = np.einsum("ij,ij->i", quantized, reference)
    near, true = _neighbours(quantized), _neighbours(reference)
    overlap = [len(set(a) & set(b)) / len(a) for a, b in zip(near, true, strict=True)]
    return Fidelity(
        texts=len(cosines),
        mean_cosine=float(cosines.mean()),
        least_cosine=float(cosines.min()),
        neighbour_agreement=float(np.mean(near[:, 0] == true[:, 0])),
        top10_overlap=float(np.mean(overlap)),
    )


def _neighbours(vectors: Vectors) -> NDArray[np.intp]:
    """Indices of the (at most) ten nearest other rows, nearest first."""
    similarity = vectors @ vectors.T
    np.fill_diagonal(similarity, -np.inf)
    return np.argsort(-similarity, axis=1, kind="stable")[:, : min(10, len(vectors) - 1)]
