"""Rewrites a float32 encoder graph to int8: smoothed, with one activation scale for each token.

Four choices, each measured (docs/decisions/0003): a scale for each output channel of a weight; a
scale for each token of an activation, which also makes a vector independent of what else is in
the batch; input channels evened out first (SmoothQuant, Xiao et al. 2023, arXiv:2211.10438); and
weights within +-64, so that the 16-bit sums of pre-VNNI processors never saturate
(255 * 64 * 2 < 2^15) and every processor gets the same integers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

Array = NDArray[np.float32]

_WEIGHT_MAX = 64
_TABLE_MAX = 127
_ACTIVATION_MAX = 127
_ZERO_POINT = 128
_SMOOTHING = 0.6  # share of the activations' spread that is moved into the weights
_SMALLEST = 1e-6


@dataclass(frozen=True, slots=True)
class Product:
    """A MatMul of an activation with a constant weight [inputs, outputs]."""

    node: Any
    weight: Array

    @property
    def activation(self) -> str:
        return str(self.node.input[0])


def products(graph: Any) -> list[Product]:
    """The MatMuls of `graph` whose right side is constant."""
    constants = _constants(graph)
    return [
        Product(node, numpy_helper.to_array(constants[node.input[1]]))
        for node in graph.node
        if node.op_type == "MatMul" and node.input[1] in constants
    ]


def quantize(model: Any, peaks: Mapping[str, Array]) -> Any:
    """An int8 copy of `model`.

    Args:
        peaks: for each activation that enters a product, the largest |value| of each channel
            over the calibration texts, [inputs].
    """
    rewriter = _Rewriter(model.graph, _smoothings(products(model.graph), peaks))
    return rewriter.rewritten(model)


def _smoothings(found: list[Product], peaks: Mapping[str, Array]) -> dict[str, Array]:
    """For each activation, what its channels are divided by; the geometric mean is 1."""
    weights: dict[str, list[Array]] = defaultdict(list)
    for product in found:
        weights[product.activation].append(np.abs(product.weight).max(axis=1))
    return {name: _smoothing(peaks[name], np.max(rows, axis=0)) for name, rows in weights.items()}


def _smoothing(activation: Array, weight: Array) -> Array:
    log = _SMOOTHING * np.log(np.maximum(activation, _SMALLEST))
    log -= (1 - _SMOOTHING) * np.log(np.maximum(weight, _SMALLEST))
    smoothing: Array = np.exp(log - log.mean()).astype(np.float32)
    return smoothing


def _constants(graph: Any) -> dict[str, Any]:
    return {tensor.name: tensor for tensor in graph.initializer}


@dataclass(slots=True)
class _Rewriter:
    graph: Any
    smoothings: Mapping[str, Array]
    added: dict[str, Any] = field(default_factory=dict)
    dropped: set[str] = field(default_factory=set)
    quantized: set[str] = field(default_factory=set)

    def rewritten(self, model: Any) -> Any:
        """`model` with every product and every embedding table in int8."""
        nodes = [new for node in self.graph.node for new in self._replace(node)]
        kept = [t for name, t in _constants(self.graph).items() if name not in self.dropped]
        graph = helper.make_graph(
            nodes, "encoder", self.graph.input, self.graph.output, [*kept, *self.added.values()]
        )
        result = helper.make_model(graph, opset_imports=model.opset_import)
        result.ir_version = model.ir_version
        onnx.checker.check_model(result)
        return result

    def _replace(self, node: Any) -> Iterator[Any]:
        constants = _constants(self.graph)
        if node.op_type == "MatMul" and node.input[1] in constants:
            yield from self._quantize_activation(node.input[0])
            yield from self._multiply(node, numpy_helper.to_array(constants[node.input[1]]))
            self.dropped.add(node.input[1])
        elif node.op_type == "Gather" and _is_table(constants.get(node.input[0])):
            yield from self._look_up(node, numpy_helper.to_array(constants[node.input[0]]))
            self.dropped.add(node.input[0])
        else:
            yield _bare(node)

    def _quantize_activation(self, name: str) -> Iterator[Any]:
        """`name` [batch, length, inputs] -> uint8, and the peak of each token as its scale."""
        if name in self.quantized:
            return
        self.quantized.add(name)
        inverse = self._constant(f"{name}/inverse", 1 / self.smoothings[name])
        yield helper.make_node("Mul", [name, inverse], [f"{name}/smooth"])
        yield helper.make_node("Abs", [f"{name}/smooth"], [f"{name}/abs"])
        axis = self._constant("last_axis", np.array([-1], np.int64))
        yield helper.make_node("ReduceMax", [f"{name}/abs", axis], [f"{name}/max"], keepdims=1)
        least = self._constant("smallest", np.array(_SMALLEST, np.float32))
        yield helper.make_node("Max", [f"{name}/max", least], [f"{name}/peak"])
        yield helper.make_node("Div", [f"{name}/smooth", f"{name}/peak"], [f"{name}/unit"])
        step = self._constant("step", np.array(1 / _ACTIVATION_MAX, np.float32))
        yield helper.make_node(
            "QuantizeLinear", [f"{name}/unit", step, self._zero_point()], [f"{name}/u8"]
        )

    def _multiply(self, node: Any, weight: Array) -> Iterator[Any]:
        name, out = node.input[0], node.output[0]
        smooth = weight * self.smoothings[name][:, None]
        codes, scale = _codes(smooth, axis=0, largest=_WEIGHT_MAX)
        weights = self._constant(f"{out}/weight", codes)
        zero = self._constant("zero", np.array(0, np.int8))
        yield helper.make_node(
            "MatMulInteger", [f"{name}/u8", weights, self._zero_point(), zero], [f"{out}/i32"]
        )
        yield helper.make_node("Cast", [f"{out}/i32"], [f"{out}/f32"], to=TensorProto.FLOAT)
        scales = self._constant(f"{out}/scale", scale[0] / _ACTIVATION_MAX)
        yield helper.make_node("Mul", [f"{out}/f32", scales], [f"{out}/scaled"])
        yield helper.make_node("Mul", [f"{out}/scaled", f"{name}/peak"], [out])

    def _look_up(self, node: Any, table: Array) -> Iterator[Any]:
        """Rows of an embedding table: int8 codes, and a float16 scale for each row."""
        out, index = node.output[0], node.input[1]
        codes, scale = _codes(table, axis=1, largest=_TABLE_MAX)
        for part, values in (("codes", codes), ("scales", scale.astype(np.float16))):
            name = self._constant(f"{out}/{part}", values)
            yield helper.make_node("Gather", [name, index], [f"{out}/{part}_row"])
            yield helper.make_node(
                "Cast", [f"{out}/{part}_row"], [f"{out}/{part}_f32"], to=TensorProto.FLOAT
            )
        yield helper.make_node("Mul", [f"{out}/codes_f32", f"{out}/scales_f32"], [out])

    def _zero_point(self) -> str:
        return self._constant("zero_point", np.array(_ZERO_POINT, np.uint8))

    def _constant(self, name: str, values: NDArray[Any]) -> str:
        if name not in self.added:
            self.added[name] = numpy_helper.from_array(np.ascontiguousarray(values), name)
        return name


def _is_table(tensor: Any) -> bool:
    return tensor is not None and len(tensor.dims) == 2 and tensor.data_type == TensorProto.FLOAT


def _codes(values: Array, *, axis: int, largest: int) -> tuple[NDArray[np.int8], Array]:
    """Symmetric int8 codes within +-`largest`, and the scale of each slice along `axis`."""
    scale = np.maximum(np.abs(values).max(axis=axis, keepdims=True), _SMALLEST) / largest
    scale = scale.astype(np.float16).astype(np.float32)
    codes = np.clip(np.round(values / scale), -largest, largest)
    return codes.astype(np.int8), scale


def _bare(node: Any) -> Any:
    """`node` without the exporter's notes, which are as large as the small tensors."""
    node.doc_string = ""
    del node.metadata_props[:]
    return node
