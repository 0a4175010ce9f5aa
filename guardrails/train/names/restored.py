"""The network with the weights of an int8 file, to go on from: what was trained is kept.

A table that is narrower than the network's keeps its directions; the others are MiniLM's.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from skerry.guardrails.names.classifier import MANIFEST
from skerry.guardrails.train.names import network
from skerry.guardrails.weights import MODEL, Weights

_LARGEST_ACTIVATION = 127
_TABLES = {1: "shape", 2: "bert.embeddings.token_type_embeddings",
           3: "bert.embeddings.position_embeddings"}  # fmt: skip
_LAYER = ("attention.self.query", "attention.self.key", "attention.self.value",
          "attention.output.dense", "intermediate.dense", "output.dense")  # fmt: skip


def restored(folder: Path) -> tuple[network.Names, str]:
    """The network as it was written to `folder` (`export.write`), and its tokenizer.

    Raises:
        GuardrailError: a file is missing or was changed.
    """
    import onnx
    from onnx import numpy_helper

    weights = Weights.read(folder, MANIFEST)
    model = onnx.load_from_string(weights.content(MODEL))
    values = {one.name: numpy_helper.to_array(one) for one in model.graph.initializer}
    made, tokenizer = network.untrained()
    state = made.state_dict()
    state.update({name: torch.from_numpy(one.copy()) for name, one in values.items()
                  if name in state and not name.endswith("position_ids")})  # fmt: skip
    for name, matrix in zip(_products(), _matrices(model, values), strict=True):
        _put(state[f"{name}.weight"], matrix.T)
    _put(state["table.weight"], _table(values, "embedding"))
    for number, name in _TABLES.items():
        _put(state[f"{name}.weight"], _table(values, f"embedding_{number}"))
    made.load_state_dict(state)
    return made, tokenizer


def _products() -> list[str]:
    layers = [f"bert.encoder.layer.{at}.{one}" for at in range(network.LAYERS) for one in _LAYER]
    return ["widen", *layers, "head"]


def _matrices(model: Any, values: dict[str, Any]) -> list[Any]:
    """The weights [inputs, outputs] in the order of the graph, with their smoothing undone."""
    found = []
    for node in model.graph.node:
        if node.op_type == "MatMulInteger":
            activation, out = node.input[0].removesuffix("/u8"), node.output[0].removesuffix("/i32")
            scale = values[f"{out}/scale"] * _LARGEST_ACTIVATION
            inverse = values[f"{activation}/inverse"]
            found.append(inverse[:, None] * values[f"{out}/weight"] * scale)
    return found


def _table(values: dict[str, Any], name: str) -> Any:
    return values[f"{name}/codes"] * values[f"{name}/scales"].astype(np.float32)


def _put(into: Any, matrix: Any) -> None:
    """The matrix into the first rows and columns; what is beyond stays as it was."""
    rows, columns = matrix.shape
    into[:rows, :columns] = torch.from_numpy(np.ascontiguousarray(matrix, np.float32))
