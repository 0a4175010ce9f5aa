"""Block quantization: small errors for any weights, none for weights that came from such blocks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from skerry.export.genai.blocks import BLOCK, Blocks, affine4, restored, symmetric8
from skerry.export.genai.measure import fidelity

WEIGHTS = st.tuples(st.integers(1, 3), st.integers(1, 4)).flatmap(
    lambda size: arrays(np.float32, (size[0] * BLOCK, size[1]), elements=st.floats(-8, 8, width=32))
)


def per_weight(blocks: Blocks) -> np.ndarray:
    """The scale of each weight, shape (in, out)."""
    return np.repeat(blocks.scales, BLOCK, axis=1).T


@pytest.mark.parametrize("scheme", [affine4, symmetric8])
@given(weight=WEIGHTS)
def test_the_error_is_half_a_step(scheme: object, weight: np.ndarray) -> None:
    blocks = scheme(weight)  # type: ignore[operator]  # one of the two
    error = np.abs(restored(blocks) - weight)
    assert np.all(error <= per_weight(blocks) * 0.5 + 1e-4)


@given(st.integers(0, 2**32 - 1), st.floats(2**-10, 1, width=16), st.floats(-4, 4, width=16))
def test_q4_1_weights_are_kept(seed: int, step: float, low: float) -> None:
    """Codes 0 and 15 occur in every block of Q4_1, which scales by smallest and largest."""
    draw = np.random.default_rng(seed)
    codes = draw.integers(0, 16, (2 * BLOCK, 5))
    codes[[0, BLOCK]], codes[[1, BLOCK + 1]] = 0, 15
    weight = codes.astype(np.float32) * np.float32(step) + np.float32(low)
    assert np.allclose(restored(affine4(weight)), weight, rtol=0, atol=np.abs(weight).max() * 1e-6)


def test_q8_0_weights_are_kept() -> None:
    codes = np.random.default_rng(0).integers(-127, 128, (BLOCK, 3))
    codes[0] = 127
    weight = codes.astype(np.float32) * np.float32(0.125)
    assert np.array_equal(restored(symmetric8(weight)), weight)


def test_equal_weights() -> None:
    weight = np.full((BLOCK, 2), 0.7, np.float32)
    assert np.allclose(restored(affine4(weight)), weight, atol=1e-6)
    assert not restored(symmetric8(np.zeros((BLOCK, 2), np.float32))).any()


def test_the_layout_is_that_of_matmulnbits() -> None:
    weight = np.zeros((2 * BLOCK, 3), np.float32)
    weight[0, 0], weight[1, 0] = 15, 1
    blocks = affine4(weight)
    assert blocks.codes.shape == (3, 2, BLOCK // 2)
    assert blocks.scales.shape == (3, 2)
    assert blocks.offsets is not None
    assert blocks.offsets.shape == (2, 3)
    assert blocks.codes[0, 0, 0] == 15 | 1 << 4  # the first of two codes is low


def test_fidelity() -> None:
    ids = np.array([0, 1, 1])
    source = np.log(np.array([[0.5, 0.5], [0.25, 0.75], [0.5, 0.5]]))
    same = fidelity(ids, source, source)
    assert (same.kl_mean_nats, same.top1_agreement) == (0, 1)
    assert same.perplexity == pytest.approx(1 / np.sqrt(0.5 * 0.75), abs=1e-3)
    export = np.log(np.array([[0.5, 0.5], [0.75, 0.25], [0.5, 0.5]]))
    other = fidelity(ids, source, export)
    assert other.kl_mean_nats == pytest.approx(0.5 * np.log(3) / 3, abs=1e-5)
    assert other.top1_agreement == pytest.approx(2 / 3, abs=1e-4)
