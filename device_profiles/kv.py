"""The number types that a KV cache can have, and what they take of memory."""

from __future__ import annotations

from enum import StrEnum


class KvType(StrEnum):
    """ggml's names of the types that llama.cpp takes for a KV cache."""

    F32 = "f32"
    F16 = "f16"
    BF16 = "bf16"
    Q8_0 = "q8_0"
    Q5_1 = "q5_1"
    Q5_0 = "q5_0"
    Q4_1 = "q4_1"
    Q4_0 = "q4_0"
    IQ4_NL = "iq4_nl"

    @property
    def bytes_per_element(self) -> float:
        elements, size = _BLOCKS[self]
        return size / elements


# Elements and bytes of one block: ggml/src/ggml-common.h, the sizes of block_q8_0 and its kin.
_BLOCKS = {
    KvType.F32: (1, 4),
    KvType.F16: (1, 2),
    KvType.BF16: (1, 2),
    KvType.Q8_0: (32, 34),
    KvType.Q5_1: (32, 24),
    KvType.Q5_0: (32, 22),
    KvType.Q4_1: (32, 20),
    KvType.Q4_0: (32, 18),
    KvType.IQ4_NL: (32, 18),
}
