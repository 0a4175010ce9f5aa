"""What quantizing a tensor to a type costs, before any model is run.

For y = W x with error E in W, the mean of |E x|^2 is about the sum over columns of (sum of
squared errors in it) x (mean of squared x), the second being the importance matrix. Rows are
independent, so a sample of them is enough.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skerry.bundles.gguf.container import TensorInfo
from skerry.bundles.gguf.ggml import TYPES_BY_NAME, TensorType
from skerry.export.exporter import Progress, unheard
from skerry.export.gguf.imatrix import load
from skerry.export.gguf.opened import read_back
from skerry.export.gguf.precisions import PRECISIONS
from skerry.export.gguf.quantize import Recipe, quantize

_SAMPLED_ROWS = 128
_ASKED_AS = {
    "q2_K": "q2_k", "q3_K": "q3_k_s", "q4_K": "q4_k_s", "q5_K": "q5_k_s", "q6_K": "q6_k",
}  # fmt: skip
"""The precision whose main type a tensor type is, where their names differ."""


@dataclass(frozen=True, slots=True)
class Costs:
    """By tensor and type: `errors` (weighted squares) and `sizes` in bytes."""

    errors: dict[str, dict[str, float]]
    sizes: dict[str, dict[str, int]]


def matrices(tensors: Iterable[TensorInfo]) -> list[TensorInfo]:
    """The tensors that llama.cpp quantizes."""
    return [one for one in tensors if len(one.shape) == 2 and one.name.endswith(".weight")]


def costs(
    source: Path,
    types: Sequence[str],
    imatrix: Path,
    *,
    work: Path,
    progress: Progress = unheard,
) -> Costs:
    """Quantizes a float GGUF file wholly to each of `types`, and compares a sample of the rows.

    `imatrix` is a file; a type is left out for tensors whose rows it does not divide.
    """
    before = {one.name: one for one in matrices(read_back(source).tensors)}
    errors: dict[str, dict[str, float]] = {name: {} for name in before}
    means = load(imatrix).means()
    for place, kind in enumerate(types):
        made = work / f"{kind}.gguf"
        recipe = Recipe(PRECISIONS[_ASKED_AS.get(kind, kind)], imatrix=imatrix, pure=True)
        quantize(source, made, recipe)
        for after in matrices(read_back(made).tensors):
            if after.kind.name == kind:
                weight = means.get(after.name, np.ones(after.shape[0], np.float32))
                error = _error(source, before[after.name], made, after, weight)
                errors[after.name][kind] = error
        made.unlink()
        progress("comparing types", (place + 1) / len(types))
    sizes = {name: _sizes(before[name], kinds) for name, kinds in errors.items()}
    return Costs(errors, sizes)


def _sizes(tensor: TensorInfo, kinds: Mapping[str, float]) -> dict[str, int]:
    return {kind: TYPES_BY_NAME[kind].size_bytes(tensor.values) for kind in kinds}


def _error(
    source: Path, before: TensorInfo, made: Path, after: TensorInfo, means: NDArray[np.float32]
) -> float:
    """Summed over all rows, from the sampled ones."""
    step = max(1, before.shape[1] // _SAMPLED_ROWS)
    rows, whole = _rows(source, before, step), _rows(made, after, step)
    squares = np.square(rows - whole, dtype=np.float64).mean(axis=0)
    return float((squares * means).sum() * before.shape[1])


def _rows(path: Path, tensor: TensorInfo, step: int) -> NDArray[np.float32]:
    """Every `step`-th row as float32."""
    from gguf import GGMLQuantizationType
    from gguf.quants import dequantize

    width = tensor.kind.size_bytes(tensor.shape[0])
    raw: NDArray[Any] = np.memmap(path, np.uint8, "r", tensor.offset, (tensor.shape[1], width))
    sample = np.ascontiguousarray(raw[::step])
    kind: TensorType = tensor.kind
    if kind.name in {"f32", "f16"}:
        return sample.view(np.dtype(f"<f{kind.bytes}")).astype(np.float32)
    values: NDArray[np.float32] = dequantize(sample, GGMLQuantizationType(kind.number))
    return values.reshape(len(sample), -1)
