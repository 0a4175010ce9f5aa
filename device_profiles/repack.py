"""Which weights llama.cpp keeps twice: as the file has them, and rearranged for the CPU's kernels.

The copy is made when the model is loaded. The mapped pages of the original stay in memory until
the system takes them back, so that at the peak both are there. From
`ggml_repack_get_optimal_repack_type` in ggml/src/ggml-cpu/repack.cpp, as it is in llama-cpp-python
0.3.36. Knows no file format: the caller says which matrices a model has.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

_BY_FEATURE = {
    "avx2": ("q4_0", "q4_K", "iq4_nl", "mxfp4"),
    "avx512f": ("q2_K",),
    "dotprod": ("q4_0", "q8_0", "q4_K", "q5_K", "q6_K", "iq4_nl", "mxfp4", "q1_0"),
    "i8mm": ("q4_0", "q8_0", "q4_K", "q5_K", "q6_K", "q1_0"),
}
"""ggml's types by instruction set."""

_ROWS = 8
_EMBEDDING, _HEAD = "token_embd.weight", "output.weight"


@dataclass(frozen=True, slots=True)
class Matrix:
    """A matrix of weights: its name as GGUF has it, ggml's name of its type, rows, bytes."""

    name: str
    type: str
    rows: int
    size: int


def repacked_types(features: Iterable[str]) -> frozenset[str]:
    """The types that are kept twice on a CPU with these instruction sets (as in `Cpu.features`)."""
    return frozenset(kind for one in features for kind in _BY_FEATURE.get(one, ()))


def matrix_bytes(matrices: Iterable[Matrix]) -> dict[str, int]:
    """Bytes of what may be kept twice, by type.

    The embedding is looked up row by row and stays as it is, unless it is the head as well. A
    number of rows that is no multiple of 8 does not suit the kernels.
    """
    found = tuple(matrices)
    tied = not any(one.name == _HEAD for one in found)
    sums: dict[str, int] = {}
    for one in found:
        if one.rows % _ROWS == 0 and (tied or one.name != _EMBEDDING):
            sums[one.type] = sums.get(one.type, 0) + one.size
    return sums
