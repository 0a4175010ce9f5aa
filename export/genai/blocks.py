"""Block quantization of weights, in the layouts of ONNX Runtime's MatMulNBits. Pure numpy.

Four bits with a scale and a float offset per 32 weights are what llama.cpp's Q4_1 stores, so
weights that come from there are kept exactly; eight bits with a scale are its Q8_0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BLOCK = 32
_HALF = {4: 8, 8: 128}  # MatMulNBits takes these from the codes when it is given no zero points

Weight = NDArray[np.float32]
"""Shape (in, out), as ONNX's MatMul takes it."""


@dataclass(frozen=True, slots=True)
class Blocks:
    """A weight matrix as codes: weight = scale * (code - half) [+ offset].

    Attributes:
        codes: (out, in / BLOCK, BLOCK * bits / 8), uint8; of two four-bit codes the first is low.
        scales: (out, in / BLOCK), float32.
        offsets: (in / BLOCK, out), float32; None for weights around zero.
    """

    bits: int
    codes: NDArray[np.uint8]
    scales: NDArray[np.float32]
    offsets: NDArray[np.float32] | None = None


def affine4(weight: Weight) -> Blocks:
    """Four bits from the smallest to the largest weight of each block.

    The error is half a step at most, and nothing for weights on such a grid already.
    """
    blocks = _split(weight)
    low, high = blocks.min(-1), blocks.max(-1)
    step = _not_zero((high - low) / np.float32(15))
    codes = np.rint((blocks - low[..., None]) / step[..., None]).clip(0, 15).astype(np.uint8)
    packed = codes[..., 0::2] | codes[..., 1::2] << 4
    return Blocks(4, packed, step, np.ascontiguousarray((low + _HALF[4] * step).T))


def symmetric8(weight: Weight) -> Blocks:
    """Eight bits around zero, as far as the largest weight of each block."""
    blocks = _split(weight)
    step = _not_zero(np.abs(blocks).max(-1) / np.float32(127))
    codes = (np.rint(blocks / step[..., None]) + _HALF[8]).astype(np.uint8)
    return Blocks(8, codes, step)


def restored(blocks: Blocks) -> Weight:
    """The weights that the codes stand for."""
    codes = blocks.codes
    if blocks.bits == 4:
        codes = np.stack([codes & 15, codes >> 4], axis=-1).reshape(*codes.shape[:2], BLOCK)
    values = (codes.astype(np.float32) - _HALF[blocks.bits]) * blocks.scales[..., None]
    if blocks.offsets is not None:
        values += blocks.offsets.T[..., None]
    return np.ascontiguousarray(values.reshape(len(values), -1).T)


def _split(weight: Weight) -> NDArray[np.float32]:
    """(out, in / BLOCK, BLOCK)"""
    wide, out = weight.shape
    return np.ascontiguousarray(weight.T, np.float32).reshape(out, wide // BLOCK, BLOCK)


def _not_zero(step: NDArray[np.float32]) -> NDArray[np.float32]:
    """A block of equal weights has no step; any will do."""
    return np.where(step == 0, np.float32(1), step).astype(np.float32)
