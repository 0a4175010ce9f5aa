"""Quantized tensors of one type, coded by what they were: words, then fine scales, then codes."""

from __future__ import annotations

import numpy as np

from skerry.sync.delta import prediction
from skerry.sync.delta.arrays import Bytes, Floats, Shorts
from skerry.sync.delta.coding import Coder
from skerry.sync.delta.layouts import Layout, Parts, halves
from skerry.sync.delta.words import code_words


def code_blocks(
    coder: Coder, layout: Layout, old: list[Bytes], new: Bytes | None, change: Floats
) -> Bytes:
    """New blocks [n, bytes] by the old ones, which are taken out of a list of one. `change` [n]:
    the mean change of a weight in the tensor of each block, as `mean_change` has it."""
    before = layout.split(old.pop())
    after = None if new is None else layout.split(new)
    old_words = halves(before.words)
    words = [
        code_words(
            coder, word, None if after is None else after.words[one], _word_context(word, change)
        )
        for one, word in enumerate(before.words)
    ]
    new_words = halves(words)
    made = Parts(words, [], before.units[:0])
    for one, levels in enumerate(layout.fine_levels):
        given = None if after is None else after.fine[one]
        rows = _fine_rows(levels, old_words[one], new_words[one], change)
        made.fine.append(coder.units(levels, rows, before.fine[one], given, pairs=False))
    olds = layout.steps(old_words, valued(layout, before.fine))
    news = layout.steps(new_words, valued(layout, made.fine))
    rows = _rows(layout, olds, news, change)
    shape, width = before.units.shape, before.units.shape[1] // news[0].shape[1]
    units = coder.units(
        layout.levels,
        rows,
        before.units.reshape(-1, width),
        None if after is None else np.ascontiguousarray(after.units).reshape(-1, width),
        pairs=layout.pairs,
    )
    made.units = units.reshape(shape)
    del before, after, units, olds, news, rows
    return layout.join(made)


def mean_change(layout: Layout, old: Bytes, new: Bytes) -> float:
    """Mean absolute difference of the weights of blocks [n, bytes]."""
    return float(np.abs(dequantized(layout, new) - dequantized(layout, old)).mean())


def dequantized(layout: Layout, raw: Bytes) -> Floats:
    """Weights [n, values] of blocks."""
    parts = layout.split(raw)
    scale, offset = layout.steps(halves(parts.words), valued(layout, parts.fine))
    value = layout.levels[layout.codes(parts.units)] * scale[:, :, None]
    if offset is not None:
        value = value + offset[:, :, None]
    return value.reshape(len(raw), -1)


def valued(layout: Layout, fine: list[Bytes]) -> list[Floats]:
    """What fine scales stand for."""
    return [levels[codes] for levels, codes in zip(layout.fine_levels, fine, strict=True)]


def _word_context(word: Shorts, change: Floats) -> Shorts:
    """How large the change is beside the scale, and the first two bits of the scale's fraction:
    both say how many of its last bits will be other."""
    level = prediction.change_levels(halves([word])[0][:, 0], change)
    return ((np.clip(level - 1, 0, 7) << 2) + (word >> 8 & 3)).astype(np.uint16)


def _fine_rows(
    levels: Floats, old_word: Floats, new_word: Floats, change: Floats
) -> prediction.Rows:
    with np.errstate(all="ignore"):
        ratio = (old_word / new_word)[:, 0]
    level = prediction.change_levels(new_word[:, 0], change)
    return prediction.rows_by_ratio(levels, ratio, level)


def _rows(
    layout: Layout,
    olds: tuple[Floats, Floats | None],
    news: tuple[Floats, Floats | None],
    change: Floats,
) -> prediction.Rows:
    with np.errstate(all="ignore"):
        (old, old_offset), (new, new_offset) = olds, news
        level = prediction.change_levels(new, np.broadcast_to(change[:, None], new.shape)).ravel()
        ratio = old / new
        if old_offset is None or new_offset is None:
            return prediction.rows_by_ratio(layout.levels, ratio.ravel(), level)
        first = (old_offset - new_offset) / new
        slope = (ratio - np.float32(1)) * np.float32(len(layout.levels) - 1)
        return prediction.rows_by_ends(layout.levels, first.ravel(), (first + slope).ravel(), level)
