"""Gumbel noise that device and cloud draw alike, from a counter instead of a stream.

A token is sampled by `argmax(logits / T + noise)` (the Gumbel-max trick). Where both sides take
the same noise, the device's guess is often the cloud's choice, and the choice depends on the seed
alone, whoever drafted: Daliri, Musco, Suresh, "Coupling without communication and drafter-invariant
speculative decoding" (arXiv:2408.07978).

The hash is SplitMix64's finalizer (Steele, Lea, Flood, OOPSLA 2014), applied to seed, position and
token id in turn, so that any token's noise is had without that of the others.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_BITS = 53
_LOWEST_UNIFORM = 2.0 ** -(_BITS + 1)

MOST = float(-np.log(-np.log1p(-_LOWEST_UNIFORM)))
"""The largest value that the noise can have, about 37.4."""
LEAST = float(-np.log(-np.log(_LOWEST_UNIFORM)))
"""The smallest one, about -3.6."""

Ids = NDArray[np.integer]


def gumbel(seed: int, position: int, ids: Ids) -> NDArray[np.float64]:
    """Standard Gumbel noise of the tokens `ids` [n] at an absolute position: [n].

    `seed` is taken modulo 2**64. Equal arguments give equal noise, on every machine up to the last
    bit of its logarithm.
    """
    with np.errstate(over="ignore"):
        at = _mixed(_mixed(_word(seed)) ^ _word(position))
        hashed = _mixed(at ^ ids.astype(np.uint64))
    uniform = (hashed >> np.uint64(64 - _BITS)).astype(np.float64) * 2.0**-_BITS + _LOWEST_UNIFORM
    return -np.log(-np.log(uniform))


def _word(number: int) -> NDArray[np.uint64]:
    return np.array([number % 2**64], np.uint64)


def _mixed(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    words = words + _GAMMA
    words = (words ^ (words >> np.uint64(30))) * _MIX_1
    words = (words ^ (words >> np.uint64(27))) * _MIX_2
    return words ^ (words >> np.uint64(31))
