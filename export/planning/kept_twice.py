"""Bytes of a GGUF file's matrices by ggml's type, before it is made: what may be kept twice. Pure.

Types of a mix, and what rows fall back to that are no whole super-blocks: `llama_tensor_get_type`
and `tensor_type_fallback` in llama.cpp's llama-quant.cpp. How much of a
mix is of which type follows from its mean bits per weight (`sizes`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from skerry.export.planning.sizes import FALLING_BACK, SUPER_BLOCK, mean_bits

_BITS = {
    "q8_0": 8.5, "q6_K": 6.5625, "q5_1": 6.0, "q5_0": 5.5, "q5_K": 5.5, "q4_1": 5.0, "q4_0": 4.5,
    "q4_K": 4.5, "iq4_nl": 4.5, "iq4_xs": 4.25, "mxfp4": 4.25, "q3_K": 3.4375, "q2_K": 2.625,
}  # fmt: skip

_MIXES = {
    "q6_k": ("q6_K", "q6_K"), "q5_k_m": ("q5_K", "q6_K"), "q5_k_s": ("q5_K", "q5_K"),
    "q4_k_m": ("q4_K", "q6_K"), "q4_k_s": ("q4_K", "q5_K"), "q3_k_l": ("q3_K", "q5_K"),
    "q3_k_m": ("q3_K", "q5_K"), "q3_k_s": ("q3_K", "q3_K"), "q2_k": ("q2_K", "q4_K"),
    "q2_k_s": ("q2_K", "q4_K"), "iq4_xs": ("iq4_xs", "iq4_xs"),
}  # fmt: skip
"""The narrower and the wider type of a mix; other precisions are one type."""

_FALLS_TO = {"q6_K": "q8_0", "q5_K": "q5_1", "q4_K": "q5_0", "q3_K": "iq4_nl", "q2_K": "iq4_nl",
             "iq4_xs": "iq4_nl"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Widths:
    """What decides: all parameters, the width of the embedding, and the tokens."""

    parameters: int
    embedding: int
    vocabulary: int

    @property
    def whole(self) -> bool:
        """Whether rows of the embedding's width are whole super-blocks."""
        return self.embedding % SUPER_BLOCK == 0

    @property
    def of_tokens(self) -> int:
        """Weights of the matrix of the vocabulary, which is the head or as large as it."""
        return min(self.vocabulary * self.embedding, self.parameters)


def matrix_estimate(precision: str, widths: Widths) -> dict[str, int]:
    """Bytes by ggml's type, of a GGUF file in `precision`; none where the types are not known."""
    sums: dict[str, float] = {}
    for kind, weights in _weights(precision.lower(), widths):
        sums[kind] = sums.get(kind, 0.0) + weights * _BITS[kind] / 8
    return {kind: round(size) for kind, size in sums.items()}


def _weights(precision: str, widths: Widths) -> Iterator[tuple[str, float]]:
    """Each type and how many weights are of it."""
    narrow, wide = _MIXES.get(precision, (precision, precision))
    if narrow not in _BITS:
        return
    head = "q8_0" if precision == "q8_0" or not widths.whole else "q6_K"
    yield head, widths.of_tokens
    rest = widths.parameters - widths.of_tokens
    share = _share_of_wide(precision, narrow, wide)
    for kind, part in ((narrow, 1 - share), (wide, share)):
        yield from _fallen_back(kind, rest * part, widths)


def _share_of_wide(precision: str, narrow: str, wide: str) -> float:
    low, high, mean = _BITS[narrow], _BITS[wide], mean_bits(precision)
    return 0.0 if high == low or mean is None else min(1.0, max(0.0, (mean - low) / (high - low)))


def _fallen_back(kind: str, weights: float, widths: Widths) -> Iterator[tuple[str, float]]:
    if widths.whole or kind not in _FALLS_TO:
        yield kind, weights
        return
    yield _FALLS_TO[kind], FALLING_BACK * weights
    yield kind, (1 - FALLING_BACK) * weights
