"""Keeps the block scales of the version before, so that the next update is small.

A small change of the weights moves almost every block's scale a little, and with it codes of
weights that did not change. Where a block's old scale is within `NEAR` of the new one and serves
about as well, the block is coded with it. Codes follow the new weights alone: nothing of the change
is held back. A tensor is changed only if its delta shrinks and its error does not grow.

For q4_0, q5_0 and q8_0: blocks of 32 weights with one scale (ggml-common.h).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skerry.bundles.gguf.container import TensorInfo
from skerry.export.gguf.distortion import matrices
from skerry.export.gguf.opened import read_back

NEAR = 0.02
"""Of the new scale."""

_BLOCK = 32
_WORST_BLOCK = 1.25
_WORST_TENSOR = 1.001
_LEAST_GAIN = 0.02

Bytes = NDArray[np.uint8]
Codes = NDArray[np.int8]
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Layout:
    """A type with blocks of one scale and 32 codes from `low` to `high`, around zero."""

    low: int
    high: int
    codes: Callable[[Bytes], Codes]
    packed: Callable[[Codes], Bytes]


@dataclass(frozen=True, slots=True)
class Kept:
    """`tensors` were changed; `share` of all blocks with a scale before kept it.

    The bytes are what an ideal coder would need for the codes and scales, from the old ones.
    """

    tensors: int
    share: float
    delta_bytes_before: int
    delta_bytes: int


def keep_scales(made: Path, previous: Path, floats: Path) -> Kept:
    """Rewrites blocks of the GGUF file `made`, in place.

    Args:
        made: quantized from `floats`.
        previous: an earlier version of it; tensors of other shapes or types are passed over.
        floats: the weights in f32, f16 or bf16.
    """
    old = {one.name: one for one in matrices(read_back(previous).tensors)}
    true = {one.name: one for one in matrices(read_back(floats).tensors)}
    totals = np.zeros(4)
    changed = 0
    for one in matrices(read_back(made).tensors):
        before = old.get(one.name)
        if one.kind.name not in LAYOUTS or before is None or one.name not in true:
            continue
        if (before.kind, before.shape) == (one.kind, one.shape):
            row = _tensor(made, one, (previous, before), (floats, true[one.name]))
            changed += row[0] > 0
            totals += row
    return Kept(int(changed), float(totals[0] / max(totals[1], 1)), int(totals[2]), int(totals[3]))


def _tensor(
    made: Path, one: TensorInfo, previous: tuple[Path, TensorInfo], floats: tuple[Path, TensorInfo]
) -> NDArray[np.float64]:
    """Blocks that kept their scale, all blocks, bytes of the delta before and after."""
    layout = LAYOUTS[one.kind.name]
    new, old = _blocks(made, one), _blocks(*previous)
    weights = _weights(*floats)
    mixed = _steadied(layout, new, old, weights)
    errors = [_errors(layout, blocks, weights).sum() for blocks in (new, mixed)]
    deltas = [delta_bytes(layout, old, blocks) for blocks in (new, mixed)]
    kept = (_scales(mixed) == _scales(old)).sum()
    if errors[1] > _WORST_TENSOR * errors[0] or deltas[1] > (1 - _LEAST_GAIN) * deltas[0]:
        return np.array([0, len(new), deltas[0], deltas[0]], np.float64)
    target = np.memmap(made, np.uint8, "r+", one.offset, new.shape)
    target[:] = mixed
    target.flush()
    return np.array([kept, len(new), deltas[0], deltas[1]], np.float64)


def _steadied(layout: Layout, new: Bytes, old: Bytes, weights: Floats) -> Bytes:
    """The new blocks, those coded with their old scale where that serves as well."""
    before, after = _scales(old), _scales(new)
    near = np.abs(before - after) <= NEAR * np.abs(after)
    trial = new.copy()
    trial[:, :2] = old[:, :2]
    step = np.where(before == 0, np.float32(1), before)[:, None]
    codes = np.rint(weights / step).clip(layout.low, layout.high).astype(np.int8)
    trial[:, 2:] = layout.packed(codes)
    serves = _errors(layout, trial, weights) <= _WORST_BLOCK * _errors(layout, new, weights)
    mixed: Bytes = np.where((near & (before != 0) & serves)[:, None], trial, new)
    return mixed


def _errors(layout: Layout, blocks: Bytes, weights: Floats) -> NDArray[np.float64]:
    """Squared, by block."""
    values = layout.codes(blocks[:, 2:]).astype(np.float32) * _scales(blocks)[:, None]
    errors: NDArray[np.float64] = np.square(values - weights, dtype=np.float64).sum(axis=1)
    return errors


def delta_bytes(layout: Layout, old: Bytes, new: Bytes) -> float:
    """The entropy of codes and scales, given what the old block lets expect of them."""
    before, after = _scales(old), _scales(new)
    ratio = before / np.where(after == 0, np.float32(1), after)
    expected = np.rint(layout.codes(old[:, 2:]) * ratio[:, None]).clip(layout.low, layout.high)
    moved = layout.codes(new[:, 2:]) - expected.astype(np.int16)
    bits = [part[:, :2].copy().view("<u2").astype(np.int32)[:, 0] for part in (old, new)]
    return (_entropy_bits(moved) + _entropy_bits(bits[1] - bits[0])) / 8


def _entropy_bits(values: NDArray[Any]) -> float:
    """Of all values together, by their own frequencies."""
    counts = np.unique(values, return_counts=True)[1]
    return float(-(counts * np.log2(counts / counts.sum())).sum())


def _blocks(path: Path, tensor: TensorInfo) -> Bytes:
    """Shape (blocks, bytes of one), in memory."""
    shape = (tensor.values // _BLOCK, tensor.kind.bytes)
    return np.array(np.memmap(path, np.uint8, "r", tensor.offset, shape))


def _weights(path: Path, tensor: TensorInfo) -> Floats:
    """Shape (blocks, 32)."""
    dtype = {"f32": "<f4", "f16": "<f2", "bf16": "<u2"}[tensor.kind.name]
    raw: NDArray[Any] = np.memmap(
        path, dtype, "r", tensor.offset, (tensor.values // _BLOCK, _BLOCK)
    )
    if tensor.kind.name == "bf16":
        return (raw.astype(np.uint32) << 16).view(np.float32)
    return raw.astype(np.float32)


def _scales(blocks: Bytes) -> Floats:
    return blocks[:, :2].copy().view("<f2")[:, 0].astype(np.float32)


def _codes4(body: Bytes) -> Codes:
    return np.concatenate([body & 15, body >> 4], axis=1).astype(np.int8) - np.int8(8)


def _packed4(codes: Codes) -> Bytes:
    plain = (codes + np.int8(8)).astype(np.uint8)
    packed: Bytes = (plain[:, :16] | plain[:, 16:] << 4).astype(np.uint8)
    return packed


def _codes5(body: Bytes) -> Codes:
    """Four bytes of fifth bits, then the others as in q4_0."""
    high = np.unpackbits(body[:, :4], axis=1, bitorder="little")
    low = np.concatenate([body[:, 4:] & 15, body[:, 4:] >> 4], axis=1)
    codes: Codes = (low | high << 4).astype(np.int8) - np.int8(16)
    return codes


def _packed5(codes: Codes) -> Bytes:
    plain = (codes + np.int8(16)).astype(np.uint8)
    high = np.packbits(plain >> 4, axis=1, bitorder="little")
    low = (plain[:, :16] & 15) | (plain[:, 16:] & 15) << 4
    return np.concatenate([high, low], axis=1)


LAYOUTS = {
    "q4_0": Layout(-8, 7, _codes4, _packed4),
    "q5_0": Layout(-16, 15, _codes5, _packed5),
    "q8_0": Layout(-127, 127, lambda body: body.view(np.int8), lambda codes: codes.view(np.uint8)),
}
