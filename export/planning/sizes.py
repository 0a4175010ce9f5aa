"""How large a variant would be: bits per weight by format and precision. Estimates; pure.

GGUF: llama.cpp's own figures for Llama 3.1 8B (tools/quantize/README.md of llama.cpp), whose mixes
of types differ a little from model to model; the plain types are exact (ggml-common.h). It keeps
the matrix of the vocabulary in q6_k, and where rows have no multiple of 256 values it takes wider
types in place of k-quants (`llama_tensor_get_type` in llama-quant.cpp). Other formats: blocks of 32
with one scale.
"""

from __future__ import annotations

import re

from skerry.device_profiles.profile import Format

SUPER_BLOCK = 256
TOKENIZER_BYTES = 40
"""Of one token's text, score and merge in a file: SmolLM2's GGUF has 39."""

_GGUF = {
    "f32": 32.0, "f16": 16.0, "bf16": 16.0, "q8_0": 8.5, "q6_k": 6.56, "q5_1": 6.0, "q5_0": 5.5,
    "q5_k_m": 5.70, "q5_k_s": 5.57, "q4_1": 5.0, "q4_0": 4.5, "q4_k_m": 4.89, "q4_k_s": 4.67,
    "iq4_nl": 4.68, "iq4_xs": 4.46, "q3_k_l": 4.30, "q3_k_m": 4.00, "q3_k_s": 3.64, "iq3_m": 3.76,
    "iq3_s": 3.66, "iq3_xs": 3.50, "iq3_xxs": 3.25, "q2_k": 3.16, "q2_k_s": 2.97, "iq2_m": 2.93,
    "iq2_s": 2.74, "iq2_xs": 2.59, "iq2_xxs": 2.38, "iq1_m": 2.15, "iq1_s": 2.00,
    "tq2_0": 2.06, "tq1_0": 1.69, "mxfp4": 4.25,
}  # fmt: skip

_WIDER = {"q6_k": 8.5, "q5_k": 6.0, "q4_k": 5.5, "q3_k": 4.5, "q2_k": 4.5, "iq4_xs": 4.5,
          "iq3": 4.5, "iq2": 4.5, "iq1": 4.5, "tq": 4.5}  # fmt: skip
"""By the beginning of a precision's name: what it falls back to, of the rows that do not fit."""

FALLING_BACK = 0.75
"""Share of a layer's weights in rows of the embedding's width: the rest are those of the
feed-forward network's second matrix, whose rows are wider and mostly fit."""

_VOCABULARY_BITS = 6.56

_BY_NAME = (
    (r"8da4w|int4|4bit|palette4|q4", 4.5),
    (r"int8|8bit|w8|q8", 8.5),
    (r"f(p|loat)?16", 16.0),
    (r"f(p|loat)?32|float", 32.0),
)


def bits_per_weight(made: Format, precision: str, embedding: int = SUPER_BLOCK) -> float | None:
    """Bits that one weight takes, all in all; None for a precision of an unknown name.

    `embedding` is the model's width: rows of other than whole super-blocks fall back.
    """
    if made is Format.GGUF:
        return _gguf(precision.lower(), embedding)
    for pattern, bits in _BY_NAME:
        if re.search(pattern, precision.lower()):
            return bits
    return None


def mean_bits(precision: str) -> float | None:
    """Bits per weight of a GGUF precision, where all rows are whole super-blocks."""
    return _GGUF.get(precision)


def weights_bytes(
    made: Format, precision: str, *, parameters: int, embedding: int, vocabulary: int
) -> int | None:
    """Bytes of all weights; None where it is not known."""
    bits = bits_per_weight(made, precision, embedding)
    if bits is None:
        return None
    of_tokens = min(vocabulary * embedding, parameters)
    rest = (parameters - of_tokens) * bits
    return round((rest + of_tokens * _vocabulary_bits(made, bits, embedding)) / 8)


def estimate_bytes(
    made: Format, precision: str, *, parameters: int, embedding: int, vocabulary: int
) -> int | None:
    """Bytes of the files: the weights and the tokenizer's tables; None where it is not known."""
    weights = weights_bytes(
        made, precision, parameters=parameters, embedding=embedding, vocabulary=vocabulary
    )
    return None if weights is None else weights + TOKENIZER_BYTES * vocabulary


def _vocabulary_bits(made: Format, bits: float, embedding: int) -> float:
    if made is not Format.GGUF:
        return bits
    fits = embedding % SUPER_BLOCK == 0
    return max(bits, _VOCABULARY_BITS if fits else _WIDER["q6_k"])


def _gguf(precision: str, embedding: int) -> float | None:
    bits = _GGUF.get(precision)
    wider = next((one for name, one in _WIDER.items() if precision.startswith(name)), None)
    if bits is None or wider is None or embedding % SUPER_BLOCK == 0:
        return bits
    return max(bits, FALLING_BACK * wider + (1 - FALLING_BACK) * bits)
