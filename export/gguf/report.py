"""What a GGUF file holds: bits per weight, tensors by type, and types that fell back."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from skerry.bundles.gguf.container import Gguf, TensorInfo
from skerry.device_profiles.repack import Matrix, matrix_bytes
from skerry.export.gguf.precisions import Precision

_BLOCK_THAT_ALWAYS_FITS = 32


@dataclass(frozen=True, slots=True)
class Fallback:
    """`tensors` with rows of `columns` weights could not be `asked` and are `got`."""

    asked: str
    block: int
    columns: int
    got: str
    tensors: int

    def __str__(self) -> str:
        return (
            f"{self.tensors} tensors are {self.got}, not {self.asked}: their rows of "
            f"{self.columns} weights are no multiple of its blocks of {self.block}"
        )


def bits_per_weight(file: Gguf) -> float:
    """Of all tensors, norms included; the file's header is not counted."""
    weights = sum(tensor.values for tensor in file.tensors)
    return round(8 * sum(tensor.size_bytes for tensor in file.tensors) / weights, 3)


def types(file: Gguf) -> dict[str, int]:
    """Number of tensors of each type, the most frequent first."""
    return dict(Counter(tensor.kind.name for tensor in file.tensors).most_common())


def bytes_by_type(file: Gguf) -> dict[str, int]:
    """Of the matrices that llama.cpp may keep twice (`skerry.device_profiles.repack`)."""
    return matrix_bytes(
        Matrix(one.name, one.kind.name, one.shape[1], one.size_bytes)
        for one in file.tensors
        if len(one.shape) > 1
    )


def fallbacks(file: Gguf, precision: Precision) -> tuple[Fallback, ...]:
    """Matrices whose rows the main type's blocks do not divide: llama.cpp changes their type
    without an error. What they got instead is read from the file."""
    main = precision.main
    fell = Counter(
        (tensor.shape[0], tensor.kind.name) for tensor in file.tensors if _fell(tensor, main.block)
    )
    return tuple(
        Fallback(main.name, main.block, columns, got, count)
        for (columns, got), count in sorted(fell.items())
    )


def _fell(tensor: TensorInfo, block: int) -> bool:
    matrix = len(tensor.shape) > 1 and tensor.kind.block > 1
    return matrix and tensor.kind.block <= _BLOCK_THAT_ALWAYS_FITS and tensor.shape[0] % block > 0
