"""Frequencies of symbols: from counts to few models, and their bytes in a delta.

Every context has counts of its symbols. Contexts that behave alike share a model, as long as what
that loses is less than what another model takes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skerry.sync.delta.arrays import Bytes, Shorts
from skerry.sync.delta.errors import DeltaInvalid
from skerry.sync.delta.fields import Reader, Writer
from skerry.sync.delta.rans import PRECISION, TOTAL

Counts = NDArray[np.int64]

MOST_MODELS = 64
MOST_CONTEXTS = 8192
_ROUNDS = 6
_BITS_A_MODEL = 40
_BITS_A_SYMBOL = 11
"""What a model takes in a delta, about, once it is deflated."""


@dataclass(frozen=True, slots=True)
class Models:
    """`of` [contexts]: the model of each; `frequencies` [models, 256], each row sums to 2**12."""

    of: Bytes
    frequencies: Shorts


def learn(counts: Counts, most: int = MOST_MODELS) -> Models:
    """Models of `counts` [contexts, 256], at most `most`."""
    used = counts.sum(axis=1).nonzero()[0]
    of = np.zeros(len(counts), np.uint8)
    if not len(used):
        return Models(of, frequencies(np.ones((1, 256), np.int64)))
    symbols = counts[used].any(axis=0).nonzero()[0]
    seen = counts[np.ix_(used, symbols)].astype(np.float64)
    place, sums = _merged(*_clustered(seen, most))
    of[used] = place
    whole = np.zeros((len(sums), 256), np.int64)
    whole[:, symbols] = sums.astype(np.int64)
    return Models(of, frequencies(whole))


def _clustered(
    seen: NDArray[np.float64], most: int
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Which cluster each row is in, and the sums of the clusters: k-means by coded length."""
    sums = seen[np.argsort(-seen.sum(axis=1), kind="stable")[:most]]
    place = np.zeros(len(seen), np.intp)
    for _ in range(_ROUNDS):
        place = (seen @ _lengths(sums).T).argmin(axis=1)
        kept, place = np.unique(place, return_inverse=True)
        sums = np.zeros((len(kept), seen.shape[1]))
        np.add.at(sums, place, seen)
    return place, sums


def _lengths(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Bits of each symbol in each model; what a model never saw takes the most."""
    share = sums / sums.sum(axis=1, keepdims=True)
    bits: NDArray[np.float64] = -np.log2(np.maximum(share, 1 / (4 * TOTAL)))
    return bits


def _merged(
    place: NDArray[np.intp], sums: NDArray[np.float64]
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Joins models while that takes fewer bits in all."""
    alive = list(range(len(sums)))
    bits = np.array([_bits(row) for row in sums])
    gains = np.full((len(sums), len(sums)), -np.inf)

    def compare(one: int) -> None:
        others = [other for other in alive if other != one]
        if others:
            joined = bits[one] + bits[others] - _bits_each(sums[one] + sums[others])
            gains[one, others] = gains[others, one] = joined

    for one in alive:
        compare(one)
    while len(alive) > 1:
        best = int(gains.argmax())
        into, gone = divmod(best, len(sums))
        if gains[into, gone] <= 0:
            break
        sums[into] += sums[gone]
        bits[into] = _bits(sums[into])
        place[place == gone] = into
        alive.remove(gone)
        gains[gone, :] = gains[:, gone] = -np.inf
        compare(into)
    renumbered = np.zeros(len(sums), np.intp)
    renumbered[alive] = np.arange(len(alive))
    return renumbered[place], sums[alive]


def _bits_each(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    total = np.maximum(rows.sum(axis=1), 1)
    inner = np.where(rows > 0, rows * np.log2(np.maximum(rows, 1)), 0).sum(axis=1)
    data: NDArray[np.float64] = total * np.log2(total) - inner
    data += _BITS_A_MODEL + _BITS_A_SYMBOL * (rows > 0).sum(axis=1)
    return data


def _bits(row: NDArray[np.float64]) -> float:
    return float(_bits_each(row[None])[0])


def frequencies(counts: Counts) -> Shorts:
    """Counts [models, 256] as frequencies: every symbol that occurs has one, and none has all."""
    lone = (counts > 0).sum(axis=1) == 1
    counts = counts.copy()
    counts[lone, (counts[lone].argmax(axis=1) + 1) % 256] = 1
    scaled = np.rint(counts * (TOTAL / counts.sum(axis=1, keepdims=True))).astype(np.int64)
    found = np.where(counts > 0, np.clip(scaled, 1, TOTAL - 1), 0)
    for row in found:
        _mend(row)
    return found.astype(np.uint16)


def _mend(row: NDArray[np.int64]) -> None:
    """Makes a row sum to 2**12, at the cost of the most frequent symbols."""
    while (off := int(TOTAL - row.sum())) != 0:
        if off > 0:
            row[row.argmax()] += off
            continue
        spare = np.argsort(-row, kind="stable")[: min(-off, int((row > 1).sum()))]
        row[spare[row[spare] > 1]] -= 1


def write(models: Models, to: Writer) -> None:
    """See docs/delta-format.md, "Models"."""
    symbols = np.flatnonzero(models.frequencies.any(axis=0))
    table = models.frequencies[:, symbols]
    to.uint(len(models.of))
    to.uint(len(table))
    to.raw(np.packbits(models.frequencies.any(axis=0)).tobytes())
    to.raw(models.of.tobytes())
    to.raw((table >> 8).astype(np.uint8).T.tobytes())
    to.raw((table & 255).astype(np.uint8).T.tobytes())


def read(source: Reader, contexts: int) -> Models:
    """Raises DeltaInvalid: not models, or not for `contexts` contexts."""
    if source.uint(MOST_CONTEXTS) != contexts:
        raise DeltaInvalid("the delta is damaged: its models are for others", hint="fetch it again")
    count = source.uint(MOST_MODELS)
    symbols = np.unpackbits(np.frombuffer(source.raw(32), np.uint8)).nonzero()[0]
    of = np.frombuffer(source.raw(contexts), np.uint8)
    shape = (len(symbols), count)
    high, low = (np.frombuffer(source.raw(count * len(symbols)), np.uint8) for _ in range(2))
    table = np.zeros((count, 256), np.uint16)
    table[:, symbols] = (high.astype(np.uint16) << 8 | low).reshape(shape).T
    _check(of, table)
    return Models(of, table)


def _check(of: Bytes, table: Shorts) -> None:
    sums = table.astype(np.int64).sum(axis=1)
    if not len(table) or (of >= len(table)).any() or (sums != TOTAL).any() or table.max() >= TOTAL:
        raise DeltaInvalid("the delta is damaged: its models are none", hint="fetch it again")


def coded_bits(models: Models, counts: Counts) -> float:
    """What symbols with these counts [contexts, 256] take in the stream."""
    bits = PRECISION - np.log2(np.maximum(models.frequencies, 1))
    return float((counts * bits[models.of]).sum())
