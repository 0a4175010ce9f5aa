"""An entropy coder in numpy: many rANS states side by side, over one shared stream of words.

The coder is that of Duda (arXiv:1311.2540) with interleaved states as in Giesen
(arXiv:1402.3392). A step codes one symbol in each of `lanes` states. States are 32 bits wide and at
least 2**16; a state that falls below takes one word of 16 bits. Frequencies of a model sum to
2**12. Symbol `i` of a sequence belongs to lane `i % lanes`, so that a step is one row.

It knows symbols (bytes) and numbers of models; what they mean is for others.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from skerry.sync.delta.arrays import Bytes, Shorts, Words
from skerry.sync.delta.errors import DeltaInvalid

PRECISION = 12
TOTAL = 1 << PRECISION
LEAST = 1 << 16
MOST_LANES = 1 << 14
_TOGETHER = 1 << 16
"""Symbols that are prepared together: few enough for the processor's cache."""

_MASK = np.uint32(TOTAL - 1)
_SHIFT = np.uint32(PRECISION)
_FREQUENCY = np.uint32(8)
_START = np.uint32(8 + PRECISION)
_LOW = np.uint32(LEAST)
_WORD = np.uint32(16)


def decoding_table(frequencies: Shorts) -> Words:
    """The table of models [models, 256] for decoding, [models * 2**12].

    An entry is symbol | frequency << 8 | place in the symbol's range << 20.
    """
    counts = frequencies.astype(np.int64).ravel()
    symbols = np.tile(np.arange(256, dtype=np.uint32), len(frequencies))
    entry = symbols | counts.astype(np.uint32) << _FREQUENCY
    first = np.cumsum(counts) - counts
    place = np.arange(len(frequencies) * TOTAL, dtype=np.int64) - np.repeat(first, counts)
    table: Words = np.repeat(entry, counts) | place.astype(np.uint32) << _START
    return table


class Encoder:
    """Collects sequences in the order in which they are decoded; `finish` codes them."""

    def __init__(self) -> None:
        self._sequences: list[tuple[Shorts, Bytes, Bytes]] = []

    def add(self, frequencies: Shorts, models: Bytes, symbols: Bytes) -> None:
        """`frequencies` [models, 256]; `models` and `symbols` [n]."""
        self._sequences.append((frequencies, models, symbols))

    def finish(self, lanes: int) -> bytes:
        """The first states of `lanes` lanes, and the words that they take."""
        states = np.full(lanes, LEAST, np.uint64)
        words: list[Shorts] = []
        for frequencies, models, symbols in reversed(self._sequences):
            _encode(states, words, frequencies, models, symbols)
        stream = np.concatenate(words[::-1]) if words else np.empty(0, np.uint16)
        return states.astype("<u4").tobytes() + stream.astype("<u2").tobytes()


def _encode(
    states: NDArray[np.uint64],
    words: list[Shorts],
    frequencies: Shorts,
    models: Bytes,
    symbols: Bytes,
) -> None:
    lanes = len(states)
    wide = frequencies.astype(np.uint32)
    starts = (np.cumsum(wide, axis=1) - wide).ravel()
    flat = wide.ravel()
    for row in range((len(symbols) - 1) // lanes, -1, -1):
        span = slice(row * lanes, (row + 1) * lanes)
        which = models[span].astype(np.int32) << 8 | symbols[span]
        frequency = flat[which].astype(np.uint64)
        state = states[: len(which)]
        full = (state >= frequency << np.uint64(32 - PRECISION)).nonzero()[0]
        if len(full):
            words.append(state[full].astype(np.uint16))
            state[full] >>= np.uint64(16)
        quotient = (state.astype(np.float64) / frequency).astype(np.uint64)
        state[:] = (
            (quotient << np.uint64(PRECISION)) + (state - quotient * frequency) + starts[which]
        )


class Decoder:
    """Decodes sequences in the order in which they were added to an `Encoder`."""

    def __init__(self, stream: bytes | memoryview, lanes: int) -> None:
        """Raises DeltaInvalid: the stream is too short for its lanes."""
        if not 1 <= lanes <= MOST_LANES or len(stream) < 4 * lanes or len(stream) % 2:
            raise _damaged("its coded part is cut off")
        self._states = np.frombuffer(stream, "<u4", lanes).astype(np.uint32)
        self._words = np.frombuffer(stream, "<u2", offset=4 * lanes)
        self._at = 0
        self._lanes = lanes
        self._slot = np.empty(lanes, np.uint32)
        self._frequency = np.empty(lanes, np.uint32)
        self._low = np.empty(lanes, np.bool_)
        self._entries = np.empty(self.block, np.uint32)

    @property
    def block(self) -> int:
        """Sequences are best decoded in blocks of this many symbols."""
        return max(self._lanes, _TOGETHER // self._lanes * self._lanes)

    def blocks(self, count: int) -> Iterator[slice]:
        """`count` symbols, cut into blocks."""
        for start in range(0, count, self.block):
            yield slice(start, min(start + self.block, count))

    def decode(self, table: Words, models: NDArray[np.integer]) -> Bytes:
        """The next symbols, one for each of `models`: at most `block` of them, and a multiple of
        the number of lanes unless a sequence ends with them.

        Raises:
            DeltaInvalid: the stream ends too soon.
        """
        base = models.astype(np.uint32)
        base <<= _SHIFT
        lanes, entries = self._lanes, self._entries
        for start in range(0, len(base), lanes):
            row = base[start : start + lanes]
            self._step(table, row, entries[start : start + len(row)])
        return entries[: len(base)].view(np.uint8)[::4].copy()

    def _step(self, table: Words, base: Words, entry: Words) -> None:
        """One symbol of each lane; `entry` takes what the table has for it."""
        count = len(base)
        state, slot = self._states[:count], self._slot[:count]
        frequency, low = self._frequency[:count], self._low[:count]
        np.bitwise_and(state, _MASK, slot)
        np.add(slot, base, slot)
        table.take(slot, out=entry, mode="clip")
        np.right_shift(entry, _FREQUENCY, frequency)
        np.bitwise_and(frequency, _MASK, frequency)
        np.right_shift(state, _SHIFT, state)
        np.multiply(state, frequency, state)
        np.right_shift(entry, _START, slot)
        np.add(state, slot, state)
        np.less(state, _LOW, low)
        which = low.nonzero()[0]
        if len(which):
            self._refill(state, which)

    def _refill(self, state: Words, which: NDArray[np.intp]) -> None:
        words = self._words[self._at : self._at + len(which)]
        if len(words) < len(which):
            raise _damaged("its coded part is cut off")
        self._at += len(which)
        state[which] = state[which] << _WORD | words

    def finish(self) -> None:
        """Raises DeltaInvalid unless all was decoded and every lane is where coding began."""
        if self._at != len(self._words) or (self._states != _LOW).any():
            raise _damaged("its coded part does not come out even")


def _damaged(what: str) -> DeltaInvalid:
    return DeltaInvalid(f"the delta is damaged: {what}", hint="fetch it again")
