"""How far an encoder's vectors are from its source's."""

from __future__ import annotations

import numpy as np

from skerry.export.encoder.gate import fidelity
from skerry.export.exporter import Vectors
from skerry.export.measure.errors import MeasureFailed
from skerry.export.measure.results import Encoding


def encoding(variant: Vectors, source: Vectors) -> Encoding:
    """From unit vectors [texts, dimensions] of the same texts, at least two.

    Raises:
        MeasureFailed: the shapes differ, or there are values that are not numbers.
    """
    if variant.shape != source.shape:
        raise MeasureFailed(f"vectors are {variant.shape}, and the source's {source.shape}")
    if not np.isfinite(variant).all():
        raise MeasureFailed("the vectors are not numbers", hint="the weights are damaged")
    found = fidelity(variant, source)
    cosines = np.einsum("ij,ij->i", variant, source)
    return Encoding(
        texts=found.texts,
        cosine_mean=found.mean_cosine,
        cosine_p1=float(np.quantile(cosines, 0.01)),
        nn_agreement=found.neighbour_agreement,
        top10_overlap=found.top10_overlap,
    )
