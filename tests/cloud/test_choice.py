"""Coupled sampling is sampling: the same distribution, fixed by the seed."""

from __future__ import annotations

import numpy as np
import pytest

from skerry.cloud.hints.choice import Sampling, candidates, choose, penalized
from skerry.cloud.hints.noise import LEAST, MOST, gumbel

ROW = np.array([2.0, 1.0, 0.5, 0.0, -1.0, -3.0, 1.5, -60.0], np.float32)
NOISE_0 = [-0.6807578025137784, -0.5252187692498728, 1.739792013564271]
NOISE_1 = [1.1393806421082855, 0.43929559241840227, 1.585557131442853]
DRAWS = 20_000
CHI_SQUARE_AT_1E_6 = {1: 23.9, 2: 27.6, 3: 30.7, 4: 33.4, 5: 35.9, 6: 38.3}


def test_the_noise_is_what_the_protocol_says() -> None:
    """Values that any other implementation must give."""
    ids = np.array([0, 1, 49_151])
    assert gumbel(0, 0, ids) == pytest.approx(NOISE_0)
    assert gumbel(2**63 - 1, 1_000, ids) == pytest.approx(NOISE_1)


def test_the_noise_is_standard_gumbel() -> None:
    drawn = np.concatenate([gumbel(7, position, np.arange(200)) for position in range(200)])
    assert drawn.mean() == pytest.approx(0.5772, abs=0.03)
    assert drawn.var() == pytest.approx(np.pi**2 / 6, abs=0.06)
    assert drawn.min() >= LEAST
    assert drawn.max() <= MOST


def test_neighbouring_seeds_and_positions_are_independent() -> None:
    ids = np.arange(20_000)
    one = gumbel(1, 1, ids)
    for other in (gumbel(2, 1, ids), gumbel(1, 2, ids), gumbel(1, 1, ids + 1)):
        assert abs(np.corrcoef(one, other)[0, 1]) < 0.04


@pytest.mark.parametrize(
    "sampling",
    [
        Sampling(temperature=1.0),
        Sampling(temperature=0.5),
        Sampling(temperature=2.0, top_k=4),
        Sampling(temperature=1.0, top_p=0.8),
        Sampling(temperature=1.5, min_p=0.1),
        Sampling(temperature=1.3, top_k=6, top_p=0.9, min_p=0.02),
    ],
    ids=str,
)
def test_tokens_come_as_often_as_the_target_would_draw_them(sampling: Sampling) -> None:
    ids, scaled = candidates(ROW, sampling)
    likely = np.exp(scaled - scaled.max())
    expected = DRAWS * likely / likely.sum()
    drawn = [choose(ROW, sampling, position) for position in range(DRAWS)]
    counts = np.array([drawn.count(token) for token in ids])
    assert counts.sum() == DRAWS
    often = expected > 5
    statistic = (((counts - expected) ** 2) / expected)[often].sum()
    assert statistic < CHI_SQUARE_AT_1E_6[int(often.sum()) - 1]


def test_filters_keep_what_the_field_keeps() -> None:
    assert candidates(ROW, Sampling(temperature=1, top_k=3))[0].tolist() == [0, 1, 6]
    assert candidates(ROW, Sampling(temperature=1, top_p=1e-9))[0].tolist() == [0]
    assert candidates(ROW, Sampling(temperature=1, min_p=1.0))[0].tolist() == [0]
    equal = np.zeros(5, np.float32)
    assert candidates(equal, Sampling(temperature=1, top_k=2))[0].tolist() == [0, 1]


def test_greedy_takes_the_lowest_of_equal_ones() -> None:
    assert choose(np.zeros(9, np.float32), Sampling(), 3) == 0


def test_penalties_count_what_was_generated() -> None:
    sampling = Sampling(repetition_penalty=2, frequency_penalty=0.5, presence_penalty=0.25)
    row = penalized(ROW, sampling, [0, 0, 4])
    assert row[0] == pytest.approx(2 / 2 - 2 * 0.5 - 0.25)
    assert row[4] == pytest.approx(-1 * 2 - 0.5 - 0.25)
    assert row[[1, 2, 3]].tolist() == ROW[[1, 2, 3]].tolist()
    assert choose(ROW, sampling, 0, [0, 0, 4]) == 6


def test_what_no_noise_can_lift_is_not_hashed() -> None:
    """The token with -60 is out of reach: it never comes, and leaving it out changes nothing."""
    near = ROW[:7]
    sampling = Sampling(temperature=1.0, seed=3)
    assert [choose(ROW, sampling, i) for i in range(500)] == [
        choose(near, sampling, i) for i in range(500)
    ]
