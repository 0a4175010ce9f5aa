"""Sees the inputs of every matrix product while llama.cpp runs a model.

ggml's scheduler calls back before each step (is it wanted?) and after it (here it is). The layout
of its tensors is that of ggml.h and is checked against the library's own size of it.
"""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skerry.export.errors import Unsupported

_MAX_DIMENSIONS, _MAX_OP_PARAMETERS, _MAX_SOURCES, _MAX_NAME = 4, 16, 10, 64  # ggml.h
_OBJECT_BYTES = 32  # sizeof(struct ggml_object), which ggml_tensor_overhead() adds
_OPERATIONS = 200
_F32 = 0
_WEIGHT = b".weight"


class _Tensor(ctypes.Structure):
    """`struct ggml_tensor`."""


_Tensor._fields_ = [
    ("type", ctypes.c_int),
    ("buffer", ctypes.c_void_p),
    ("ne", ctypes.c_int64 * _MAX_DIMENSIONS),
    ("nb", ctypes.c_size_t * _MAX_DIMENSIONS),
    ("op", ctypes.c_int),
    ("op_params", ctypes.c_int32 * _MAX_OP_PARAMETERS),
    ("flags", ctypes.c_int32),
    ("src", ctypes.POINTER(_Tensor) * _MAX_SOURCES),
    ("view_src", ctypes.c_void_p),
    ("view_offs", ctypes.c_size_t),
    ("data", ctypes.c_void_p),
    ("name", ctypes.c_char * _MAX_NAME),
    ("extra", ctypes.c_void_p),
    ("padding", ctypes.c_char * 8),
]


class InputSquares:
    """Sums of squared inputs by weight name, and over how many inputs each was taken.

    `callback` is for the context parameter `cb_eval`; keep this object as long as the context.

    Raises:
        Unsupported: this llama.cpp lays its tensors out in another way.
    """

    def __init__(self) -> None:
        import llama_cpp

        self._product = _product_number()
        self.sums: dict[str, NDArray[np.float64]] = {}
        self.counts: dict[str, int] = {}
        self.callback = llama_cpp.ggml_backend_sched_eval_callback(self._see)

    def _see(self, address: int, asked: bool, _data: object) -> bool:
        tensor = _Tensor.from_address(address)
        if asked:
            return bool(tensor.op == self._product and _of_a_weight(tensor))
        self._add(tensor.src[0].contents.name.decode(), _rows(tensor.src[1].contents))
        return True

    def _add(self, name: str, rows: NDArray[np.float32]) -> None:
        squares = np.square(rows, dtype=np.float64).sum(axis=0)
        self.sums[name] = self.sums.get(name, 0) + squares
        self.counts[name] = self.counts.get(name, 0) + len(rows)


def _of_a_weight(tensor: _Tensor) -> bool:
    """Products of two activations, as in attention, have no weight."""
    weight, given = tensor.src[0].contents, tensor.src[1].contents
    return bool(weight.name.endswith(_WEIGHT) and given.type == _F32)


def _rows(given: _Tensor) -> NDArray[np.float32]:
    """A view of an input of shape (inputs, columns)."""
    shape = tuple(given.ne)[::-1]
    span = sum((size - 1) * step for size, step in zip(shape, tuple(given.nb)[::-1], strict=True))
    memory = (ctypes.c_char * (span + 4)).from_address(given.data)
    strides = tuple(given.nb)[::-1]
    values: NDArray[np.float32] = np.ndarray(shape, np.float32, memory, 0, strides)
    return values.reshape(-1, shape[-1])


@cache
def _product_number() -> int:
    """ggml's number of the operation MUL_MAT, by its name."""
    from llama_cpp._ggml import libggml

    libggml.ggml_tensor_overhead.restype = ctypes.c_size_t
    libggml.ggml_op_name.restype = ctypes.c_char_p
    libggml.ggml_op_name.argtypes = [ctypes.c_int]
    if libggml.ggml_tensor_overhead() - _OBJECT_BYTES != ctypes.sizeof(_Tensor):
        raise Unsupported(
            "this llama.cpp lays its tensors out in a way that is not known here",
            hint="install a llama-cpp-python that pyproject.toml allows",
        )
    names: Any = (libggml.ggml_op_name(number) for number in range(_OPERATIONS))
    return next(number for number, name in enumerate(names) if name == b"MUL_MAT")
