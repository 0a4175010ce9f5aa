"""The int8 rewriting and the vocabulary, on small graphs. Needs the `export` extra."""

from __future__ import annotations

import numpy as np
import pytest

from skerry.export.encoder.vocabulary import renumbered, used_ids

DOCUMENT = {
    "model": {"vocab": {"[PAD]": 0, "[unused0]": 1, "[CLS]": 2, "[unused1]": 3, "ward": 4}},
    "added_tokens": [{"id": 0, "content": "[PAD]"}, {"id": 2, "content": "[CLS]"}],
    "post_processor": {"special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [2]}}},
}


def test_placeholders_leave_the_vocabulary() -> None:
    kept = used_ids(DOCUMENT)
    result = renumbered(DOCUMENT, kept)
    assert kept == [0, 2, 4]
    assert result["model"]["vocab"] == {"[PAD]": 0, "[CLS]": 1, "ward": 2}
    assert [token["id"] for token in result["added_tokens"]] == [0, 1]
    assert result["post_processor"]["special_tokens"]["[CLS]"]["ids"] == [1]
    assert DOCUMENT["model"]["vocab"]["ward"] == 4


def test_a_quantized_product_is_close_and_independent_of_its_batch() -> None:
    onnx = pytest.importorskip("onnx")
    ort = pytest.importorskip("onnxruntime")
    from skerry.export.encoder.quantize import products, quantize

    random = np.random.default_rng(0)
    weight = random.normal(size=(64, 32)).astype(np.float32)
    x = random.normal(size=(3, 5, 64)).astype(np.float32) * np.geomspace(0.1, 30, 64)
    x = x.astype(np.float32)
    quantized = quantize(_product(onnx, weight), {"x": np.abs(x).max(axis=(0, 1))})
    assert products(quantized.graph) == []
    session = ort.InferenceSession(quantized.SerializeToString())
    y = session.run(["y"], {"x": x})[0]
    assert np.corrcoef(y.ravel(), (x @ weight).ravel())[0, 1] > 0.999
    assert np.array_equal(session.run(["y"], {"x": x[1:2]})[0], y[1:2])


def _product(onnx: object, weight: np.ndarray) -> object:
    from onnx import TensorProto, helper, numpy_helper

    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["b", "t", weight.shape[0]])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["b", "t", weight.shape[1]])
    node = helper.make_node("MatMul", ["x", "w"], ["y"])
    graph = helper.make_graph([node], "g", [x], [y], [numpy_helper.from_array(weight, "w")])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
