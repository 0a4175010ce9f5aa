"""Token statistics agree with the textbook."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.edge.engines.stats import RowMeter, StatsSum, top_ids
from skerry.edge.errors import ModelError

LOGITS = st.lists(st.floats(-30, 30, width=32), min_size=2, max_size=50)


@given(LOGITS)
def test_measure_is_softmax_and_entropy(logits: list[float]) -> None:
    row = np.array(logits, np.float32)
    kept = row.copy()
    found = RowMeter(row.size).measure(row)
    wide = row.astype(np.float64)
    logprobs = wide - np.log(np.exp(wide).sum())
    best, second = np.sort(logprobs)[::-1][:2]
    assert row[found.best] == row.max()
    assert found.log_z == pytest.approx(math.log(np.exp(wide).sum()), abs=1e-4)
    assert found.entropy == pytest.approx(-(np.exp(logprobs) * logprobs).sum(), abs=1e-3)
    assert found.margin == pytest.approx(best - second, abs=1e-4)
    assert (row == kept).all()


def test_a_forbidden_token_does_not_spoil_the_entropy() -> None:
    found = RowMeter(3).measure(np.array([0.0, 0.0, -np.inf], np.float32))
    assert found.entropy == pytest.approx(math.log(2), abs=1e-5)
    assert found.margin == 0


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_broken_logits(value: float) -> None:
    with pytest.raises(ModelError, match="instead of probabilities"):
        RowMeter(4).measure(np.full(4, value, np.float32))


@given(LOGITS, st.integers(0, 60))
def test_top_ids_are_the_largest(logits: list[float], count: int) -> None:
    row = np.array(logits, np.float32)
    found = row[top_ids(row, count)].tolist()
    assert found == sorted(row.tolist(), reverse=True)[:count]


def test_sums_become_means() -> None:
    stats = StatsSum()
    assert stats.means() is None
    stats.add(-1.0, 0.5, 2.0)
    stats.add(-3.0, 1.5, 4.0)
    means = stats.means()
    assert means is not None
    assert (means.mean_logprob, means.min_logprob) == (-2.0, -3.0)
    assert (means.mean_entropy, means.mean_margin) == (1.0, 3.0)
