"""Lets an exported model take LoRA adapters at run time, and writes such adapters.

Beside each chosen projection x W comes (x A) B (Hu et al., arXiv:2106.09685), where A and B are
inputs of the graph: empty by default, of any rank when an adapter brings them. The scale is in B.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

TARGETS = ("o_proj", "gate_proj", "up_proj", "down_proj", "lm_head")
_MODEL = "model.onnx"


def add_lora_inputs(folder: Path) -> dict[str, tuple[int, int]]:
    """Changes `model.onnx` in a model folder; returns what may be adapted.

    Returns:
        (in, out) of each projection by its name; an adapter may hold `NAME.lora_A` of shape
        (in, rank) and `NAME.lora_B` of shape (rank, out).
    """
    import onnx

    model = onnx.load(folder / _MODEL, load_external_data=False)
    shapes = {tensor.name: tuple(tensor.dims) for tensor in model.graph.initializer}
    found = {}
    for node in list(model.graph.node):
        shape = _projection_shape(node, shapes)
        if shape is not None:
            name = node.name.strip("/").rsplit("/", 1)[0].replace("/", ".")
            _adapt(model.graph, node, name, shape)
            found[name] = shape
    onnx.save(model, folder / _MODEL)
    return found


def write_adapter(file: Path, tensors: Mapping[str, NDArray[np.float32]]) -> None:
    """Writes an `.onnx_adapter` file of `NAME.lora_A` and `NAME.lora_B` tensors."""
    from onnxruntime import AdapterFormat, OrtValue

    adapter = AdapterFormat()
    adapter.set_adapter_version(1)
    adapter.set_model_version(1)
    values = {name: OrtValue.ortvalue_from_numpy(value) for name, value in tensors.items()}
    adapter.set_parameters(values)
    adapter.export_adapter(str(file))


def _projection_shape(node: Any, shapes: Mapping[str, tuple[int, ...]]) -> tuple[int, int] | None:
    """(in, out) of a float or an int4 projection among `TARGETS`; None for any other node."""
    if not any(f"/{target}/" in node.name for target in TARGETS):
        return None
    if node.op_type == "MatMulNBits":
        sizes = {attribute.name: attribute.i for attribute in node.attribute}
        return sizes["K"], sizes["N"]
    if node.op_type == "MatMul" and len(shapes.get(node.input[1], ())) == 2:
        wide, out = shapes[node.input[1]]
        return wide, out
    return None


def _adapt(graph: Any, node: Any, name: str, shape: tuple[int, int]) -> None:
    """Puts the adapter's product between the projection and whoever reads it."""
    from onnx import helper

    a, b = f"{name}.lora_A", f"{name}.lora_B"
    _add_empty_input(graph, a, (shape[0], 0), [shape[0], f"{name}.rank"])
    _add_empty_input(graph, b, (0, shape[1]), [f"{name}.rank", shape[1]])
    output = node.output[0]
    node.output[0] = f"{name}.plain"
    at = next(index for index, other in enumerate(graph.node) if other.name == node.name) + 1
    for made in (
        helper.make_node("MatMul", [node.input[0], a], [f"{name}.low"], f"/{name}/lora_A"),
        helper.make_node("MatMul", [f"{name}.low", b], [f"{name}.delta"], f"/{name}/lora_B"),
        helper.make_node("Add", [f"{name}.plain", f"{name}.delta"], [output], f"/{name}/lora"),
    ):
        graph.node.insert(at, made)
        at += 1


def _add_empty_input(graph: Any, name: str, shape: tuple[int, int], dims: list[Any]) -> None:
    from onnx import TensorProto, helper

    graph.input.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, dims))
    graph.initializer.append(helper.make_tensor(name, TensorProto.FLOAT, shape, []))
