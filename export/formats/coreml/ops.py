"""The operations of MIL that exported models use, in numpy. Parameters are MIL's own.

Semantics from coremltools' documentation of each operation; sums are made in float32.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

_TYPES: Mapping[str, Any] = {
    "fp16": np.float16, "fp32": np.float32, "int32": np.int32, "int16": np.int16,
    "uint16": np.uint16, "int8": np.int8, "uint8": np.uint8, "bool": np.bool_,
}  # fmt: skip


def _wide(x: Array) -> Array:
    """float16 as float32; other types as they are."""
    array = np.asarray(x)
    return array.astype(np.float32) if array.dtype == np.float16 else array


def _binary(function: Callable[[Array, Array], Array]) -> Callable[..., Array]:
    return lambda x, y: function(_wide(x), _wide(y))


def _unary(function: Callable[[Array], Array]) -> Callable[..., Array]:
    return lambda x, **_: function(_wide(x))


def _axes(axes: Array | None) -> tuple[int, ...] | None:
    return None if axes is None else tuple(int(axis) for axis in np.atleast_1d(axes))


def linear(x: Array, weight: Array, bias: Array | None = None) -> Array:
    made = _wide(x) @ _wide(weight).T
    return made if bias is None else made + _wide(bias)


def matmul(x: Array, y: Array, transpose_x: bool = False, transpose_y: bool = False) -> Array:
    left, right = _wide(x), _wide(y)
    left = np.swapaxes(left, -1, -2) if transpose_x else left
    return left @ (np.swapaxes(right, -1, -2) if transpose_y else right)


def layer_norm(
    x: Array,
    axes: Array,
    gamma: Array | None = None,
    beta: Array | None = None,
    epsilon: Any = 1e-5,
) -> Array:
    wide, over = _wide(x), _axes(axes)
    centred = wide - wide.mean(axis=over, keepdims=True)
    made = centred / np.sqrt((centred**2).mean(axis=over, keepdims=True) + np.float32(epsilon))
    made = made if gamma is None else made * _wide(gamma)
    shifted: Array = made if beta is None else made + _wide(beta)
    return shifted


def softmax(x: Array, axis: Any = -1) -> Array:
    wide = _wide(x)
    raised = np.exp(wide - wide.max(axis=int(axis), keepdims=True))
    made: Array = raised / raised.sum(axis=int(axis), keepdims=True)
    return made


def erf(x: Array) -> Array:
    """Within 1.5e-7 (Abramowitz, Stegun 1964, 7.1.26): less than float16 can tell."""
    t = 1 / (1 + 0.3275911 * np.abs(x))
    powers = (((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t
    made: Array = np.sign(x) * (1 - (powers + 0.254829592) * t * np.exp(-(x**2)))
    return made


def gelu(x: Array, mode: str = "EXACT") -> Array:
    """Hendrycks, Gimpel 2016, arXiv:1606.08415."""
    wide = _wide(x)
    inner = 0.7978845608 * (wide + 0.044715 * wide**3)
    raised = erf(wide / np.float32(np.sqrt(2))) if mode == "EXACT" else np.tanh(inner)
    made: Array = 0.5 * wide * (1 + raised)
    return made


def gather(x: Array, indices: Array, axis: Any = 0, batch_dims: Any = 0, **_: Any) -> Array:
    """Without batch dimensions, which exported models do not use."""
    if int(batch_dims) != 0:
        raise NotImplementedError("gather with batch_dims")
    return np.take(x, indices.astype(np.int64), axis=int(axis))


def reshape(x: Array, shape: Array) -> Array:
    """A 0 keeps the dimension at its place."""
    wanted = [x.shape[at] if size == 0 else int(size) for at, size in enumerate(shape)]
    return x.reshape(wanted)


def slice_by_index(x: Array, begin: Array, end: Array, **more: Array) -> Array:
    """`more`: stride, begin_mask, end_mask, squeeze_mask, each of one value for each dimension."""
    return x[tuple(_slice(at, begin, end, more) for at in range(len(begin)))]


def _slice(at: int, begin: Array, end: Array, more: Mapping[str, Array]) -> int | slice:
    def masked(name: str) -> bool:
        return name in more and bool(more[name][at])

    if masked("squeeze_mask"):
        return int(begin[at])
    first = None if masked("begin_mask") else int(begin[at])
    last = None if masked("end_mask") else int(end[at])
    return slice(first, last, int(more["stride"][at]) if "stride" in more else 1)


def split(
    x: Array, axis: Any, num_splits: Any = None, split_sizes: Array | None = None
) -> tuple[Array, ...]:
    if split_sizes is None:
        return tuple(np.split(x, int(num_splits), axis=int(axis)))
    return tuple(np.split(x, np.cumsum(split_sizes)[:-1], axis=int(axis)))


def expand_dims(x: Array, axes: Array) -> Array:
    return np.expand_dims(x, _axes(axes) or ())


def _reduce(function: Callable[..., Array]) -> Callable[..., Array]:
    def apply(x: Array, axes: Array | None = None, keep_dims: bool = False) -> Array:
        return function(_wide(x), axis=_axes(axes), keepdims=bool(keep_dims))

    return apply


def _l2(x: Array, axis: Any, keepdims: bool) -> Array:
    made: Array = np.sqrt((x**2).sum(axis=axis, keepdims=keepdims))
    return made


def concat(values: Sequence[Array], axis: Any, interleave: bool = False) -> Array:
    if interleave:
        raise NotImplementedError("concat with interleave")
    return np.concatenate(values, axis=int(axis))


def cast(x: Array, dtype: str) -> Array:
    return np.asarray(x).astype(_TYPES[dtype])


def blockwise(data: Array, scale: Array, offset: Array | None = None) -> Array:
    """constexpr_blockwise_shift_scale: each dimension of `scale` divides that of `data`."""
    spread = _spread(scale, data.shape)
    shifted = data.astype(np.float32)
    if offset is not None:
        shifted = shifted - _spread(offset, data.shape).astype(np.float32)
    return (shifted * spread.astype(np.float32)).astype(scale.dtype)


def lut(indices: Array, lut: Array, **_: Any) -> Array:
    """constexpr_lut_to_dense: a palette [.., numbers, 1] for each group of `indices`."""
    if lut.shape[-1] != 1:
        raise NotImplementedError("palettes of vectors")
    palettes = lut[..., 0]
    for axis, size in enumerate(indices.shape):
        palettes = np.repeat(palettes, size // palettes.shape[axis], axis=axis)
    chosen = np.take_along_axis(palettes, indices[..., None].astype(np.int64), axis=-1)
    made: Array = chosen[..., 0]
    return made


def _spread(values: Array, shape: tuple[int, ...]) -> Array:
    for axis, size in enumerate(shape):
        values = np.repeat(values, size // values.shape[axis], axis=axis)
    return values


OPERATIONS: Mapping[str, Callable[..., Any]] = {
    "add": _binary(np.add),
    "sub": _binary(np.subtract),
    "mul": _binary(np.multiply),
    "real_div": _binary(np.divide),
    "floor_div": _binary(np.floor_divide),
    "maximum": _binary(np.maximum),
    "minimum": _binary(np.minimum),
    "pow": _binary(np.power),
    "equal": _binary(np.equal),
    "greater": _binary(np.greater),
    "greater_equal": _binary(np.greater_equal),
    "less": _binary(np.less),
    "less_equal": _binary(np.less_equal),
    "logical_and": _binary(np.logical_and),
    "cos": _unary(np.cos),
    "sin": _unary(np.sin),
    "exp": _unary(np.exp),
    "tanh": _unary(np.tanh),
    "sqrt": _unary(np.sqrt),
    "identity": lambda x: x,
    "rsqrt": lambda x, epsilon=1e-12: 1 / np.sqrt(_wide(x) + np.float32(epsilon)),
    "sigmoid": lambda x: 1 / (1 + np.exp(-_wide(x))),
    "silu": lambda x: _wide(x) / (1 + np.exp(-_wide(x))),
    "clip": lambda x, alpha, beta: np.clip(_wide(x), alpha, beta),
    "select": lambda cond, a, b: np.where(cond, a, b),
    "linear": linear,
    "matmul": matmul,
    "layer_norm": layer_norm,
    "softmax": softmax,
    "gelu": gelu,
    "gather": gather,
    "reshape": reshape,
    "transpose": lambda x, perm: np.transpose(x, _axes(perm)),
    "expand_dims": expand_dims,
    "squeeze": lambda x, axes=None: np.squeeze(x, _axes(axes)),
    "slice_by_index": slice_by_index,
    "split": split,
    "concat": concat,
    "tile": lambda x, reps: np.tile(x, _axes(reps) or ()),
    "cast": cast,
    "reduce_sum": _reduce(np.sum),
    "reduce_mean": _reduce(np.mean),
    "reduce_max": _reduce(np.max),
    "reduce_l2_norm": _reduce(_l2),
    "constexpr_blockwise_shift_scale": blockwise,
    "constexpr_lut_to_dense": lut,
}
