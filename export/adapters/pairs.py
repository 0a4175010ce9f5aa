"""The arithmetic of adapters, over plain arrays. Pure.

LoRA adds scale * B A to a matrix (Hu et al., arXiv:2106.09685), with the scale alpha / r, or
alpha / sqrt(r) in rsLoRA (Kalajdzievski, arXiv:2312.03732). DoRA gives each row of the sum a length
of its own (Liu et al., arXiv:2402.09353, as PEFT has it: one magnitude per output). VeRA's vectors
on shared matrices, diag(b) B diag(d) A (Kopiczko et al., arXiv:2310.11454), are a LoRA of those
products.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from skerry.export.adapters.tensors import Floats


class Method(StrEnum):
    """How an adapter changes a matrix."""

    LORA = "lora"
    RSLORA = "rslora"
    DORA = "dora"
    VERA = "vera"


@dataclass(frozen=True, slots=True)
class Pair:
    """What one matrix W of shape (outputs, inputs) becomes: W + scale * b a; where there is a
    `magnitude` of shape (outputs,), each row then has that length.

    a: (rank, inputs); b: (outputs, rank).
    """

    a: Floats
    b: Floats
    scale: float
    magnitude: Floats | None = None

    @property
    def rank(self) -> int:
        return len(self.a)

    @property
    def shape(self) -> tuple[int, int]:
        """(outputs, inputs)"""
        return len(self.b), self.a.shape[1]


def scale_of(method: Method, alpha: float, rank: int) -> float:
    """What B A is multiplied by."""
    if method is Method.VERA:
        return 1.0
    return alpha / math.sqrt(rank) if method is Method.RSLORA else alpha / rank


def vera_pair(a: Floats, b: Floats, d: Floats, of_outputs: Floats, inputs: int) -> Pair:
    """The LoRA that VeRA's vectors are; both shared matrices are cut to the matrix's size.

    Args:
        a, b: the shared matrices, (rank, most inputs) and (most outputs, rank).
        d, of_outputs: the vectors, (rank,) and (outputs,).
    """
    cut = b[: len(of_outputs)]
    return Pair(d[:, None] * a[:, :inputs], of_outputs[:, None] * cut, 1.0)


def merged(weight: Floats, pair: Pair) -> Floats:
    """The matrix with the adapter in it, in float32.

    Raises:
        ValueError: a row of DoRA's sum has no length.
    """
    total = weight.astype(np.float32) + np.float32(pair.scale) * (pair.b @ pair.a)
    if pair.magnitude is None:
        return total
    lengths = np.linalg.norm(total, axis=1)
    if not lengths.all():
        raise ValueError("a row is zero, and cannot be given a length")
    turned: Floats = (pair.magnitude / lengths)[:, None] * total
    return turned


def permuted(b: Floats, heads: int) -> Floats:
    """Rows of queries or keys in the order in which GGUF stores those of Llamas.

    Hugging Face turns the first half of a head's numbers with the second, llama.cpp each even one
    with the next (`LlamaModel.permute` in llama.cpp's conversion). Rows come from B alone, so that
    A stays as it is.
    """
    half = len(b) // heads // 2
    return b.reshape(heads, 2, half, -1).swapaxes(1, 2).reshape(b.shape)


def gguf_alpha(pairs: Mapping[str, Pair]) -> float | None:
    """The alpha from which llama.cpp's alpha / rank gives every pair its scale.

    None: there is no such number, and the scale must go into B, with an alpha of 0 (llama.cpp then
    multiplies by nothing).
    """
    alphas = {round(pair.scale * pair.rank, 9) for pair in pairs.values()}
    return alphas.pop() if len(alphas) == 1 else None
