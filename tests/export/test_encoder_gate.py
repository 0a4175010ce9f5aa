"""The gate between a float32 encoder and its int8 copy."""

from __future__ import annotations

import numpy as np
import pytest

from skerry.export.encoder.card import card
from skerry.export.encoder.gate import Fidelity, GateRefused, fidelity


def _unit(rows: int, seed: int) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(rows, 16)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_a_perfect_copy_passes() -> None:
    vectors = _unit(50, 1)
    result = fidelity(vectors, vectors)
    assert result.mean_cosine == pytest.approx(1)
    assert (result.neighbour_agreement, result.top10_overlap) == (1, 1)
    result.check()


def test_a_stranger_is_refused() -> None:
    result = fidelity(_unit(50, 1), _unit(50, 2))
    assert result.neighbour_agreement < 0.5
    with pytest.raises(GateRefused, match="cosine"):
        result.check()


def test_swapped_neighbours_are_counted() -> None:
    reference = np.eye(4, 16, dtype=np.float32)[[0, 0, 1, 1]]
    swapped = reference[[0, 2, 1, 3]]
    assert fidelity(swapped, reference).neighbour_agreement == 0
    assert fidelity(swapped, reference).top10_overlap == 1  # all three others, in another order


@pytest.mark.parametrize(
    ("cosine", "agreement", "passes"),
    [(0.993, 0.91, True), (0.9929, 0.99, False), (0.999, 0.9, False)],
)
def test_both_thresholds_hold(cosine: float, agreement: float, passes: bool) -> None:
    result = Fidelity(10, cosine, 0.9, agreement, 0.9)
    if passes:
        result.check()
    else:
        with pytest.raises(GateRefused):
            result.check()


def test_the_card_names_every_set() -> None:
    result = Fidelity(78, 0.9975, 0.99, 0.936, 0.95)
    text = card({"own": result, "other": result}, 22_527_722)
    assert "| own | 78 | 0.9975 |" in text
    assert "| other |" in text
    assert "22.5 MB" in text
    assert "Apache-2.0" in text
