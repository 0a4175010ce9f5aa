from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.edge.index.collection import Column
from skerry.edge.index.vectors import EXACT_ROWS, VectorSet, quantise, row_type, sign_words


def unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def vector_set(vectors: np.ndarray) -> VectorSet:
    rows = np.frombuffer(b"".join(quantise(vectors)), row_type(vectors.shape[1]))
    codes = np.ascontiguousarray(rows["codes"])
    return VectorSet(codes, np.ascontiguousarray(rows["scale"]), list(sign_words(codes)))


@given(seed=st.integers(0, 2**32 - 1), dimensions=st.integers(1, 130), count=st.integers(1, 40))
def test_stored_values_are_within_half_a_scale(seed: int, dimensions: int, count: int) -> None:
    vectors = unit(np.random.default_rng(seed).standard_normal((count, dimensions)))
    rows = np.frombuffer(b"".join(quantise(vectors)), row_type(dimensions))
    error = np.abs(rows["codes"] * rows["scale"][:, None] - vectors)
    assert (error <= rows["scale"][:, None] * 0.5001).all()


def test_a_zero_vector_is_stored() -> None:
    rows = np.frombuffer(b"".join(quantise(np.zeros((1, 8), np.float32))), row_type(8))
    assert (rows["codes"] == 0).all()


@given(seed=st.integers(0, 2**32 - 1), share=st.floats(0, 1), limit=st.integers(1, 30))
def test_filtered_search_equals_brute_force_over_the_allowed(
    seed: int, share: float, limit: int
) -> None:
    draw = np.random.default_rng(seed)
    vectors = vector_set(unit(draw.standard_normal((300, 48))))
    query = unit(draw.standard_normal((1, 48)))[0]
    allowed = draw.random(300) < share
    rows, cosines = vectors.nearest(query, allowed, limit)
    every = vectors.cosines(query, np.flatnonzero(allowed))
    assert allowed[rows].all()
    assert len(set(rows.tolist())) == len(rows) == min(limit, int(allowed.sum()))
    assert sorted(cosines) == pytest.approx(sorted(every)[::-1][:limit][::-1])


def clustered(count: int, seed: int) -> np.ndarray:
    """Vectors with near neighbours, as text has."""
    draw = np.random.default_rng(seed)
    centres = draw.standard_normal((count // 20, 384))
    return unit(centres[draw.integers(0, len(centres), count)] + draw.normal(0, 0.7, (count, 384)))


def recall(vectors: np.ndarray, queries: np.ndarray, allowed: np.ndarray) -> float:
    found = vector_set(vectors)
    shares = []
    for query in queries:
        exact = np.where(allowed, vectors @ query, -2)
        best = set(np.argsort(-exact)[:10].tolist())
        shares.append(len(best & set(found.nearest(query, allowed, 10)[0].tolist())) / 10)
    return float(np.mean(shares))


@pytest.mark.parametrize("share", [1.0, 0.5, 0.01])
def test_recall_against_exact_float_search(share: float) -> None:
    count = 6 * EXACT_ROWS
    vectors = clustered(count, 1)
    queries = unit(vectors[:40] + np.random.default_rng(2).normal(0, 0.02, (40, 384)))
    allowed = np.random.default_rng(3).random(count) < share
    assert recall(vectors, queries, allowed) >= 0.98


def test_a_column_that_grows_leaves_what_was_taken_as_it_was() -> None:
    column = Column(np.int64)
    column.extend(np.arange(3))
    before = column.taken()
    for _ in range(5):
        column.extend(np.arange(100))
    assert before.tolist() == [0, 1, 2]
    assert len(column.taken()) == 503
