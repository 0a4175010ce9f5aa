"""Paired statistics against values that were worked out otherwise."""

from __future__ import annotations

import numpy as np
import pytest

from skerry.export.evaluation.statistics import mcnemar, mean_interval, ratio_interval

HOW = {"confidence": 0.95, "resamples": 4000, "seed": 0}

# scipy.stats.binomtest(lost, lost + won).pvalue
EXACT = {
    (0, 0): 1.0,
    (1, 0): 1.0,
    (5, 0): 0.0625,
    (0, 6): 0.03125,
    (8, 2): 0.109375,
    (15, 4): 0.01921081542968751,
    (500, 500): 1.0,
}


@pytest.mark.parametrize(("changed", "p"), EXACT.items())
def test_mcnemar_is_the_exact_binomial_test(changed: tuple[int, int], p: float) -> None:
    assert mcnemar(*changed) == pytest.approx(p)
    assert mcnemar(*changed[::-1]) == pytest.approx(p)


def test_many_items_do_not_overflow() -> None:
    assert 0 <= mcnemar(3000, 9000) < 1e-300


def test_an_interval_is_near_that_of_the_normal_law() -> None:
    drawn = np.random.default_rng(5).normal(0.1, 0.3, 200)
    found = mean_interval(drawn.tolist(), **HOW)
    half = 1.96 * drawn.std() / np.sqrt(200)
    assert found.estimate == pytest.approx(drawn.mean())
    assert found.low == pytest.approx(drawn.mean() - half, abs=0.006)
    assert found.high == pytest.approx(drawn.mean() + half, abs=0.006)


def test_no_change_has_no_width_and_a_seed_gives_the_same() -> None:
    nothing = mean_interval([0.0] * 20, **HOW)
    assert (nothing.low, nothing.estimate, nothing.high) == (0, 0, 0)
    assert mean_interval([0.1, -0.3, 0.2], **HOW) == mean_interval([0.1, -0.3, 0.2], **HOW)


def test_weights_count() -> None:
    found = mean_interval([1.0, 0.0], weights=[3.0, 1.0], **HOW)
    assert found.estimate == pytest.approx(0.75)


def test_a_ratio_is_of_medians() -> None:
    found = ratio_interval([10.0, 12.0, 90.0], [6.0, 6.0, 6.0], **HOW)
    assert found.estimate == pytest.approx(2.0)
    assert found.low == pytest.approx(10 / 6)
    assert found.high == pytest.approx(15.0)
