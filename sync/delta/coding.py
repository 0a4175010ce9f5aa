"""Sequences of a window, coded or decoded by the same calls.

Whoever walks a window calls the same methods of a `Coder` for both directions: a `WindowEncoder` is
given the new values and learns models from them, a `WindowDecoder` gives them back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from skerry.sync.delta import models, prediction
from skerry.sync.delta.arrays import Bytes, Floats, Shorts
from skerry.sync.delta.fields import Reader, Writer
from skerry.sync.delta.rans import Decoder, Encoder, decoding_table

STATES = 4
"""What is known of a byte from the byte above it: 0, 1, 2 or more, all are 0 above."""
_CHUNK = 1 << 18


class Coder(Protocol):
    """`new` is what is coded, or None where it is decoded."""

    def units(
        self,
        levels: Floats,
        rows: prediction.Rows,
        old: Bytes,
        new: Bytes | None,
        *,
        pairs: bool,
    ) -> Bytes:
        """Units [n, units] of sub-blocks whose row is known, by what is predicted from `old`."""
        ...

    def symbols(self, contexts: Shorts, most: int, new: Bytes | None) -> Bytes:
        """Bytes [n] whose context, below `most`, is known."""
        ...


def chunked(count: int) -> list[slice]:
    return [slice(at, min(at + _CHUNK, count)) for at in range(0, count, _CHUNK)]


class WindowEncoder:
    """Learns and collects; `finish` gives the head and the stream."""

    def __init__(self) -> None:
        self._head = Writer()
        self._coder = Encoder()
        self.bits = 0.0

    def units(
        self,
        levels: Floats,
        rows: prediction.Rows,
        old: Bytes,
        new: Bytes | None,
        *,
        pairs: bool,
    ) -> Bytes:
        assert new is not None, "an encoder is given what it codes"
        guess, context = prediction.contexts(levels, rows, pairs=pairs)
        flat_guess, flat_context = guess.ravel(), context.ravel()
        most = prediction.context_count(pairs=pairs)
        counts = np.zeros(most * 256, np.int64)
        residual = np.empty(new.shape, np.uint8)
        kinds = np.empty(new.shape, np.uint16)
        for part in _row_chunks(*new.shape):
            index = (rows.of[part] << 8)[:, None] + old[part]
            np.subtract(new[part], flat_guess.take(index), residual[part])
            flat_context.take(index, out=kinds[part], mode="clip")
            counts += np.bincount(_joint(kinds[part], residual[part]), minlength=most * 256)
        self._add(counts.reshape(most, 256), kinds.reshape(-1), residual.reshape(-1))
        return new

    def symbols(self, contexts: Shorts, most: int, new: Bytes | None) -> Bytes:
        assert new is not None, "an encoder is given what it codes"
        counts = np.zeros(most * 256, np.int64)
        for part in chunked(len(new)):
            counts += np.bincount(_joint(contexts[part], new[part]), minlength=most * 256)
        self._add(counts.reshape(most, 256), contexts, new)
        return new

    def _add(self, counts: models.Counts, contexts: Shorts, symbols: Bytes) -> None:
        learnt = models.learn(counts)
        models.write(learnt, self._head)
        self.bits += models.coded_bits(learnt, counts)
        self._coder.add(learnt.frequencies, learnt.of.take(contexts), symbols)

    def finish(self, lanes: Callable[[float], int]) -> tuple[bytes, int, bytes]:
        """The head, the number of lanes and the stream; `lanes` chooses by the bits of it."""
        chosen = lanes(self.bits)
        return self._head.bytes(), chosen, self._coder.finish(chosen)


class WindowDecoder:
    """Gives back what a `WindowEncoder` was given. Raises DeltaInvalid as soon as it cannot."""

    def __init__(self, head: Reader, stream: bytes | memoryview, lanes: int) -> None:
        self._head = head
        self._coder = Decoder(stream, lanes)

    def units(
        self,
        levels: Floats,
        rows: prediction.Rows,
        old: Bytes,
        new: Bytes | None,  # noqa: ARG002
        *,
        pairs: bool,
    ) -> Bytes:
        learnt = models.read(self._head, prediction.context_count(pairs=pairs))
        guess, context = prediction.contexts(levels, rows, pairs=pairs)
        entry = (guess | learnt.of.take(context).astype(np.uint16) << 8).ravel()
        table = decoding_table(learnt.frequencies)
        flat = np.empty(old.size, np.uint8)
        start = (rows.of << 8).astype(np.int32)
        for part in self._coder.blocks(old.size):
            found = entry.take(_indices(start, old, part), mode="clip").view(np.uint8)
            symbols = self._coder.decode(table, found[1::2])
            np.add(symbols, found[::2], flat[part])
        return flat.reshape(old.shape)

    def symbols(self, contexts: Shorts, most: int, new: Bytes | None) -> Bytes:  # noqa: ARG002
        learnt = models.read(self._head, most)
        table = decoding_table(learnt.frequencies)
        found = np.empty(len(contexts), np.uint8)
        for part in self._coder.blocks(len(contexts)):
            found[part] = self._coder.decode(table, learnt.of.take(contexts[part]))
        return found

    def finish(self) -> None:
        """Raises DeltaInvalid unless everything was read."""
        self._head.finish()
        self._coder.finish()


def _indices(start: NDArray[np.int32], old: Bytes, part: slice) -> NDArray[np.int32]:
    """Where the table has the units `part` of `old` [sub-blocks, units]."""
    width = old.shape[1]
    first, last = part.start // width, -(-part.stop // width)
    found = start[first:last, None] + old[first:last]
    at = first * width
    return found.reshape(-1)[part.start - at : part.stop - at]


def _row_chunks(rows: int, width: int) -> list[slice]:
    step = max(1, _CHUNK // width)
    return [slice(at, min(at + step, rows)) for at in range(0, rows, step)]


def _joint(contexts: Shorts, symbols: Bytes) -> NDArray[np.intp]:
    return (contexts.astype(np.intp) << 8 | symbols).reshape(-1)
