"""How ggml's block types lay out scales and codes, taken apart and put together.

The layouts are those of ggml-common.h and the `dequantize_row_*` functions of ggml-quants.c. Every
layout is a bijection: what `split` takes apart, `join` puts together byte for byte, for any bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from skerry.sync.delta import packing
from skerry.sync.delta.arrays import Bytes, Floats, Integers


@dataclass(slots=True)
class Parts:
    """Blocks, taken apart. `words` [blocks] each: scales as the bits of float16. `fine` [blocks,
    sub-blocks] each: small integers that scale them. `units` [blocks, units]: codes, one or two a
    byte, sub-block after sub-block."""

    words: list[Integers]
    fine: list[Bytes]
    units: Bytes


@dataclass(frozen=True)
class Layout:
    """One block type of `bytes` bytes.

    A code `q` of a sub-block means `levels[q] * scale + offset`; `pairs`: a unit is two codes of
    four bits. `fine_levels` are the values of the fine scales; `steps` says how words and fine
    scales become the scales and offsets [blocks, sub-blocks] (an offset may be None). `words` is
    how many there are. The codes of a unit are `neighbours`, or half a sub-block apart.
    """

    name: str
    bytes: int
    levels: Floats
    pairs: bool
    split: Callable[[Bytes], Parts]
    join: Callable[[Parts], Bytes]
    steps: Callable[[list[Floats], list[Floats]], tuple[Floats, Floats | None]]
    fine_levels: tuple[Floats, ...] = field(default=())
    words: int = 1
    sub_blocks: int = 1
    neighbours: bool = False

    def codes(self, units: Bytes) -> Bytes:
        """Units [blocks, units] as codes [blocks, sub-blocks, codes], in the order of weights."""
        apart = units.reshape(len(units), self.sub_blocks, -1)
        if not self.pairs:
            return apart
        both = [apart & 15, apart >> 4]
        if self.neighbours:
            return np.stack(both, axis=3).reshape(*apart.shape[:2], -1)
        return np.concatenate(both, axis=2)

    def units(self, codes: Bytes) -> Bytes:
        """What `codes` took apart."""
        if self.pairs:
            half = codes.shape[2] // 2
            first, second = (
                (codes[:, :, ::2], codes[:, :, 1::2])
                if self.neighbours
                else (codes[:, :, :half], codes[:, :, half:])
            )
            codes = first | second << 4
        return codes.reshape(len(codes), -1)


def halves(words: list[Integers]) -> list[Floats]:
    """Bits of float16 as float32, one column each; what is no number is 0."""
    found = []
    for word in words:
        value = word.view(np.float16).astype(np.float32)
        found.append(np.where(np.isfinite(value), value, np.float32(0))[:, None])
    return found


def _linear(low: int, high: int) -> Floats:
    return np.arange(low, high + 1, dtype=np.float32)


def _word(raw: Bytes, at: int) -> Integers:
    return np.ascontiguousarray(raw[:, at : at + 2]).view("<u2").ravel()


def _as_bytes(word: Integers) -> Bytes:
    return word.astype("<u2").view(np.uint8).reshape(-1, 2)


def _one_scale(words: list[Floats], fine: list[Floats]) -> tuple[Floats, Floats | None]:  # noqa: ARG001
    return words[0], None


def _scale_and_offset(words: list[Floats], fine: list[Floats]) -> tuple[Floats, Floats | None]:  # noqa: ARG001
    return words[0], words[1]


def _fine_scale(words: list[Floats], fine: list[Floats]) -> tuple[Floats, Floats | None]:
    return words[0] * fine[0], None


def _fine_scale_and_minimum(
    words: list[Floats], fine: list[Floats]
) -> tuple[Floats, Floats | None]:
    return words[0] * fine[0], -(words[1] * fine[1])


def _plain(name: str, words: int, low: int, size: int) -> Layout:
    """Words, then bytes of codes: Q4_0, Q4_1, IQ4_NL."""
    at = 2 * words

    def split(raw: Bytes) -> Parts:
        return Parts([_word(raw, 2 * one) for one in range(words)], [], raw[:, at:])

    def join(parts: Parts) -> Bytes:
        return np.concatenate([*map(_as_bytes, parts.words), parts.units], axis=1)

    steps = _one_scale if words == 1 else _scale_and_offset
    levels = IQ4_LEVELS if name == "iq4_nl" else _linear(low, low + 15)
    return Layout(name, size, levels, True, split, join, steps, words=words)


IQ4_LEVELS = np.array(
    (-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113), np.float32
)


def _q8_split(raw: Bytes) -> Parts:
    return Parts([_word(raw, 0)], [], raw[:, 2:] ^ 128)


def _q8_join(parts: Parts) -> Bytes:
    return np.concatenate([_as_bytes(parts.words[0]), parts.units ^ 128], axis=1)


def _q5(name: str, words: int, low: int, size: int) -> Layout:
    """Words, a bit of 32 codes, four bits of 32 codes."""
    at = 2 * words

    def split(raw: Bytes) -> Parts:
        high = np.unpackbits(raw[:, at : at + 4].view(np.uint8), axis=1, bitorder="little")
        low_bits = packing.nibbles_apart(raw[:, at + 4 :], 16)
        return Parts([_word(raw, 2 * one) for one in range(words)], [], low_bits | high << 4)

    def join(parts: Parts) -> Bytes:
        high = np.packbits(parts.units >> 4, axis=1, bitorder="little")
        low_bits = packing.nibbles_together(parts.units & 15, 16)
        return np.concatenate([*map(_as_bytes, parts.words), high, low_bits], axis=1)

    steps = _one_scale if words == 1 else _scale_and_offset
    return Layout(name, size, _linear(low, low + 31), False, split, join, steps, words=words)


def _q4_k_split(raw: Bytes) -> Parts:
    scales, minima = packing.k4_scales_apart(raw[:, 4:16])
    return Parts([_word(raw, 0), _word(raw, 2)], [scales, minima], packing.pairs_apart(raw[:, 16:]))


def _q4_k_join(parts: Parts) -> Bytes:
    scales = packing.k4_scales_together(*parts.fine)
    words = map(_as_bytes, parts.words)
    return np.concatenate([*words, scales, packing.pairs_together(parts.units)], axis=1)


def _q5_k_split(raw: Bytes) -> Parts:
    scales, minima = packing.k4_scales_apart(raw[:, 4:16])
    high = packing.bits_apart(raw[:, 16:48], 8, 1)
    codes = packing.nibbles_apart(raw[:, 48:], 32) | high << 4
    return Parts([_word(raw, 0), _word(raw, 2)], [scales, minima], codes)


def _q5_k_join(parts: Parts) -> Bytes:
    scales = packing.k4_scales_together(*parts.fine)
    high = packing.bits_together(parts.units >> 4, 8, 1)
    low = packing.nibbles_together(parts.units & 15, 32)
    return np.concatenate([*map(_as_bytes, parts.words), scales, high, low], axis=1)


def _q6_k_split(raw: Bytes) -> Parts:
    blocks = len(raw)
    low = packing.nibbles_apart(raw[:, :128], 64)
    high = packing.bits_apart(raw[:, 128:192].reshape(-1, 32), 4, 2).reshape(blocks, 256)
    return Parts([_word(raw, 208)], [raw[:, 192:208] ^ 128], low | high << 4)


def _q6_k_join(parts: Parts) -> Bytes:
    blocks = len(parts.units)
    low = packing.nibbles_together(parts.units & 15, 64)
    high = packing.bits_together((parts.units >> 4).reshape(-1, 128), 4, 2).reshape(blocks, 64)
    return np.concatenate([low, high, parts.fine[0] ^ 128, _as_bytes(parts.words[0])], axis=1)


def _q3_k_split(raw: Bytes) -> Parts:
    blocks = len(raw)
    high = packing.bits_apart(raw[:, :32], 8, 1)
    low = packing.bits_apart(raw[:, 32:96].reshape(-1, 32), 4, 2).reshape(blocks, 256)
    return Parts([_word(raw, 108)], [packing.k3_scales_apart(raw[:, 96:108])], low | high << 2)


def _q3_k_join(parts: Parts) -> Bytes:
    blocks = len(parts.units)
    high = packing.bits_together(parts.units >> 2, 8, 1)
    low = packing.bits_together((parts.units & 3).reshape(-1, 128), 4, 2).reshape(blocks, 64)
    scales = packing.k3_scales_together(parts.fine[0])
    return np.concatenate([high, low, scales, _as_bytes(parts.words[0])], axis=1)


def _q2_k_split(raw: Bytes) -> Parts:
    codes = packing.bits_apart(raw[:, 16:80].reshape(-1, 32), 4, 2).reshape(len(raw), 256)
    return Parts([_word(raw, 80), _word(raw, 82)], [raw[:, :16] & 15, raw[:, :16] >> 4], codes)


def _q2_k_join(parts: Parts) -> Bytes:
    codes = packing.bits_together(parts.units.reshape(-1, 128), 4, 2).reshape(-1, 64)
    scales = parts.fine[0] | parts.fine[1] << 4
    return np.concatenate([scales, codes, *map(_as_bytes, parts.words)], axis=1)


def _iq4_xs_split(raw: Bytes) -> Parts:
    scales = packing.iq4_scales_apart(_word(raw, 2), raw[:, 4:8])
    return Parts([_word(raw, 0)], [scales], raw[:, 8:])


def _iq4_xs_join(parts: Parts) -> Bytes:
    high, low = packing.iq4_scales_together(parts.fine[0])
    return np.concatenate([_as_bytes(parts.words[0]), _as_bytes(high), low, parts.units], axis=1)


_SIX = _linear(0, 63)
_SIX_SIGNED = _linear(-32, 31)
_ALL = (
    _plain("q4_0", 1, -8, 18),
    _plain("q4_1", 2, 0, 20),
    _plain("iq4_nl", 1, 0, 18),
    _q5("q5_0", 1, -16, 22),
    _q5("q5_1", 2, 0, 24),
    Layout("q8_0", 34, _linear(-128, 127), False, _q8_split, _q8_join, _one_scale),
    Layout("q2_K", 84, _linear(0, 3), False, _q2_k_split, _q2_k_join, _fine_scale_and_minimum,
           (_linear(0, 15), _linear(0, 15)), words=2, sub_blocks=16),
    Layout("q3_K", 110, _linear(-4, 3), False, _q3_k_split, _q3_k_join, _fine_scale,
           (_SIX_SIGNED,), sub_blocks=16),
    Layout("q4_K", 144, _linear(0, 15), True, _q4_k_split, _q4_k_join, _fine_scale_and_minimum,
           (_SIX, _SIX), words=2, sub_blocks=8, neighbours=True),
    Layout("q5_K", 176, _linear(0, 31), False, _q5_k_split, _q5_k_join, _fine_scale_and_minimum,
           (_SIX, _SIX), words=2, sub_blocks=8),
    Layout("q6_K", 210, _linear(-32, 31), False, _q6_k_split, _q6_k_join, _fine_scale,
           (_linear(-128, 127),), sub_blocks=16),
    Layout("iq4_xs", 136, IQ4_LEVELS, True, _iq4_xs_split, _iq4_xs_join, _fine_scale,
           (_SIX_SIGNED,), sub_blocks=8),
)  # fmt: skip
LAYOUTS = {layout.name: layout for layout in _ALL}
