"""Choosing a token: filters, penalties, temperature and the seed do what their sources say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from skerry.edge.engines.base import Sampling
from skerry.edge.engines.genai.sampling import Chooser, likely, penalised

ROWS = arrays(np.float32, 20, elements=st.floats(-20, 20, width=32))
ROW = np.log(np.array([0.5, 0.2, 0.15, 0.1, 0.05], np.float32))


def chances(logits: np.ndarray) -> np.ndarray:
    weights = np.exp(logits - logits.max())
    return weights / weights.sum()


@pytest.mark.parametrize(
    ("sampling", "kept"),
    [
        (Sampling(), {0, 1, 2, 3, 4}),
        (Sampling(top_k=2), {0, 1}),
        (Sampling(top_k=99), {0, 1, 2, 3, 4}),
        (Sampling(top_p=0.6), {0, 1}),
        (Sampling(top_p=0.0), {0}),
        (Sampling(min_p=0.25), {0, 1, 2}),
        (Sampling(min_p=1.0), {0}),
        (Sampling(top_k=3, top_p=0.9, min_p=0.35), {0, 1}),
    ],
)
def test_filters(sampling: Sampling, kept: set[int]) -> None:
    assert set(likely(ROW, sampling).tolist()) == kept


@given(ROWS, st.integers(0, 25), st.floats(0, 1), st.floats(0, 1))
def test_filters_keep_the_likeliest(row: np.ndarray, k: int, p: float, m: float) -> None:
    kept = likely(row, Sampling(top_k=k, top_p=p, min_p=m))
    assert 1 <= kept.size <= (k or row.size)
    rest = np.delete(row, kept)
    assert row[kept].max() == row.max()
    assert rest.size == 0 or rest.max() <= row[kept].min()


def test_penalties() -> None:
    row = np.array([2.0, -2.0, 1.0], np.float32)
    sampling = Sampling(repeat_penalty=2.0, frequency_penalty=0.5, presence_penalty=0.25)
    changed = penalised(row, [0, 1, 1], sampling)
    assert changed.tolist() == [2 / 2 - 0.5 - 0.25, -2 * 2 - 2 * 0.5 - 0.25, 1.0]
    assert row.tolist() == [2.0, -2.0, 1.0]


def test_greedy_needs_no_scores() -> None:
    assert Chooser(Sampling(), 0).scores(ROW, [1, 2]) is None
    assert Chooser(Sampling(frequency_penalty=1), 0).scores(ROW, [0]) is not None


@given(ROWS, st.integers(0, 2**32 - 1))
def test_a_seed_fixes_the_scores(row: np.ndarray, seed: int) -> None:
    hot = Sampling(temperature=0.8, top_k=5)
    one, two = Chooser(hot, seed).scores(row, []), Chooser(hot, seed).scores(row, [])
    assert one is not None
    assert np.array_equal(one, two)  # type: ignore[arg-type]  # neither is None
    assert one.argmax() in likely(row, hot)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_choices_follow_the_distribution(temperature: float) -> None:
    """Gumbel-max draws from softmax(logits / T): 4000 draws, each within four deviations."""
    chooser, draws = Chooser(Sampling(temperature=temperature), 7), 4000
    taken = [int(chooser.scores(ROW, []).argmax()) for _ in range(draws)]  # type: ignore[union-attr]  # hot
    wanted = chances(ROW / temperature)
    found = np.bincount(taken, minlength=ROW.size) / draws
    assert np.all(np.abs(found - wanted) < 4 * np.sqrt(wanted * (1 - wanted) / draws))


def test_a_filtered_token_beats_a_masked_one() -> None:
    """A grammar may forbid all that the filters left; then the likeliest of the rest is taken."""
    scores = Chooser(Sampling(temperature=1.0, top_k=2), 0).scores(ROW, [])
    assert scores is not None
    scores[:2] = -np.inf
    assert scores.argmax() == 2
