"""Floats by what they were: the difference of their bits, in the order of their values.

Bits of floats of one sign are ordered as their values are. With the negative ones mirrored, two
floats that are near have integers that are near, and the difference of the integers is coded a
byte at a time from the top. The exponent of the old value, or what the caller knows better, is
the context: it says how large a step of the last bit is.
"""

from __future__ import annotations

import numpy as np

from skerry.sync.delta.arrays import Integers, Shorts
from skerry.sync.delta.coding import STATES, Coder

CONTEXTS = 32


def code_words(coder: Coder, old: Integers, new: Integers | None, context: Shorts) -> Integers:
    """New bits [n], by the old ones and a context [n] below 32 each."""
    width = old.dtype.itemsize
    before = _ordered(old)
    difference = None if new is None else _folded(_ordered(new) - before)
    made = np.zeros(len(old), old.dtype)
    state = np.full(len(old), STATES - 1, np.uint16)
    for shift in range(8 * width - 8, -1, -8):
        given = None if difference is None else (difference >> shift & 255).astype(np.uint8)
        byte = coder.symbols(context * np.uint16(STATES) + state, CONTEXTS * STATES, given)
        made |= byte.astype(old.dtype) << old.dtype.type(shift)
        state = np.where((state == STATES - 1) & (byte == 0), state, np.minimum(byte, STATES - 2))
        state = state.astype(np.uint16)
    return _bits(_unfolded(made) + before)


def exponents(old: Integers, at: int) -> Shorts:
    """The last five bits of the exponents, which begin at bit `at`."""
    return (old >> old.dtype.type(at) & old.dtype.type(CONTEXTS - 1)).astype(np.uint16)


def _sign(bits: Integers) -> Integers:
    return bits >> bits.dtype.type(8 * bits.dtype.itemsize - 1)


def _ordered(bits: Integers) -> Integers:
    """Bits of floats as integers in the order of their values."""
    top = bits.dtype.type(1 << (8 * bits.dtype.itemsize - 1))
    return np.where(_sign(bits) == 1, ~bits, bits | top)


def _bits(ordered: Integers) -> Integers:
    top = ordered.dtype.type(1 << (8 * ordered.dtype.itemsize - 1))
    return np.where(_sign(ordered) == 1, ordered ^ top, ~ordered)


def _folded(difference: Integers) -> Integers:
    """0, -1, 1, -2, 2 … as 0, 1, 2, 3, 4 …"""
    one = difference.dtype.type(1)
    return np.where(_sign(difference) == 1, ~(difference << one), difference << one)


def _unfolded(folded: Integers) -> Integers:
    one = folded.dtype.type(1)
    return np.where(folded & one == one, ~(folded >> one), folded >> one)
