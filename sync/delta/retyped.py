"""Tensors whose type has changed: new blocks by the weights that the old ones stand for."""

from __future__ import annotations

import numpy as np

from skerry.bundles.gguf.ggml import TYPES, TYPES_BY_NAME
from skerry.sync.delta import prediction
from skerry.sync.delta.arrays import Bytes, Floats
from skerry.sync.delta.blocks import dequantized, valued
from skerry.sync.delta.coding import Coder
from skerry.sync.delta.layouts import LAYOUTS, Layout, Parts, halves
from skerry.sync.delta.places import BF16, F16, F32
from skerry.sync.delta.words import code_words, exponents

_CLASSES = 17
_EXPONENT_AT = {F32: 23, F16: 10, BF16: 7}


def can_be_retyped(kind: int) -> bool:
    """Whether tensors of this type can be made from others, and others from them."""
    return kind in _EXPONENT_AT or (kind in TYPES and TYPES[kind].name in LAYOUTS)


def code_retyped(coder: Coder, kind: int, was: int, old: Bytes, new: Bytes | None) -> Bytes:
    """New bytes of the type `kind`, by the old ones of the type `was`."""
    with np.errstate(all="ignore"):
        weights = _weights(was, old)
        if kind in _EXPONENT_AT:
            return _code_floats(coder, kind, weights, new)
        return _code_blocks(coder, LAYOUTS[TYPES[kind].name], weights, new)


def _weights(kind: int, raw: Bytes) -> Floats:
    if kind == F32:
        return raw.view("<f4")
    if kind == F16:
        return raw.view("<f2").astype(np.float32)
    if kind == BF16:
        return (raw.view("<u2").astype(np.uint32) << np.uint32(16)).view(np.float32)
    layout = LAYOUTS[TYPES[kind].name]
    return dequantized(layout, raw.reshape(-1, layout.bytes)).reshape(-1)


def _code_floats(coder: Coder, kind: int, weights: Floats, new: Bytes | None) -> Bytes:
    """The nearest value is predicted; of bfloat16, the bits cut off."""
    if kind == F16:
        guess = weights.astype(np.float16).view(np.uint16)
    elif kind == BF16:
        guess = (weights.view(np.uint32) >> np.uint32(16)).astype(np.uint16)
    else:
        guess = weights.view(np.uint32)
    dtype = np.dtype(f"<u{guess.dtype.itemsize}")
    given = None if new is None else new.view(dtype)
    made = code_words(coder, guess, given, exponents(guess, _EXPONENT_AT[kind]))
    return made.astype(dtype).view(np.uint8)


def _code_blocks(coder: Coder, layout: Layout, weights: Floats, new: Bytes | None) -> Bytes:
    blocks = weights.reshape(-1, TYPES_BY_NAME[layout.name].block)
    after = None if new is None else layout.split(new.reshape(-1, layout.bytes))
    guess = (np.abs(blocks).max(axis=1) / np.abs(layout.levels).max()).astype(np.float16)
    nothing = np.zeros(len(blocks), np.uint16)
    words = [
        code_words(
            coder, guess.view(np.uint16), None if after is None else after.words[one], nothing
        )
        for one in range(layout.words)
    ]
    fine = []
    for one in range(len(layout.fine_levels)):
        count = layout.sub_blocks
        context = np.tile(np.arange(count, dtype=np.uint16), len(blocks))
        given = None if after is None else np.ascontiguousarray(after.fine[one]).reshape(-1)
        fine.append(coder.symbols(context, count, given).reshape(-1, count))
    scale, offset = layout.steps(halves(words), valued(layout, fine))
    shifted = blocks.reshape(*scale.shape, -1)
    shifted = shifted if offset is None else shifted - offset[:, :, None]
    target = np.nan_to_num(shifted / scale[:, :, None], posinf=1e9, neginf=-1e9).ravel()
    codes = _code_codes(
        coder, layout.levels, target, None if after is None else layout.codes(after.units)
    )
    units = layout.units(codes.reshape(*scale.shape, -1))
    return layout.join(Parts(words, fine, units)).reshape(-1)


def _code_codes(coder: Coder, levels: Floats, target: Floats, new: Bytes | None) -> Bytes:
    """Codes [n], by what the weights are in the new steps."""
    between = (levels[1:] + levels[:-1]) / np.float32(2)
    code = np.searchsorted(between, target).astype(np.uint8)
    context = prediction.distance_classes(levels, target, code)
    given = None if new is None else new.reshape(-1) - code
    return coder.symbols(context, _CLASSES, given) + code
