"""The trained network as an int8 ONNX file with its tokenizer and their digests."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from skerry.guardrails.names.encoding import LONGEST
from skerry.guardrails.train.names.compose import Labelled
from skerry.guardrails.train.names.fit import rows, tensors
from skerry.guardrails.train.names.network import Names
from skerry.guardrails.weights import write_manifest

INPUTS = ("ids", "shapes", "mask")
OUTPUT = "logits"


def write(network: Names, tokenizer: str, calibration: Sequence[str], out: Path) -> None:
    """Writes `model.onnx`, `tokenizer.json` and `names.json` into `out`.

    Args:
        calibration: texts whose activations set the smoothing of the int8 weights.
    """
    from tokenizers import Tokenizer

    seen = Tokenizer.from_str(tokenizer)
    fed = [_feed(text, seen) for text in calibration]
    contents = {"model.onnx": _int8(_float32(network), fed), "tokenizer.json": _plain(tokenizer)}
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()}
    out.mkdir(parents=True, exist_ok=True)
    for name, data in contents.items():
        (out / name).write_bytes(data)
    write_manifest(out / "names.json", {"name": "names-l2-int8", "sha256": digests})


def _plain(tokenizer: str) -> bytes:
    """The tokenizer without white space, which costs a tenth of its size."""
    return json.dumps(json.loads(tokenizer), separators=(",", ":"), ensure_ascii=False).encode()


def _feed(text: str, tokenizer: Any) -> dict[str, Any]:
    made = tensors(rows([Labelled(text, ())], tokenizer))[:3]
    return dict(zip(INPUTS, (one.numpy() for one in made), strict=True))


def _float32(network: Names) -> bytes:
    import torch

    batch, length = torch.export.Dim("batch"), torch.export.Dim("length", max=LONGEST)
    some = tuple(torch.full((2, 4), value) for value in (2, 3, 1))  # one tensor is one input
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "names.onnx")
        torch.onnx.export(
            network.eval(),
            some,
            str(path),
            input_names=INPUTS,
            output_names=[OUTPUT],
            dynamic_shapes={name: {0: batch, 1: length} for name in INPUTS},
            dynamo=True,
            external_data=False,
            opset_version=20,
        )
        return path.read_bytes()


def _int8(reference: bytes, fed: Sequence[dict[str, Any]]) -> bytes:
    import onnx

    from skerry.export.encoder.quantize import products, quantize

    model = onnx.load_from_string(reference)
    names = sorted({product.activation for product in products(model.graph)})
    result: bytes = quantize(model, _peaks(model, names, fed)).SerializeToString(deterministic=True)
    return result


def _peaks(model: Any, names: list[str], fed: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The largest |value| of each channel of the activations `names`."""
    import onnx
    import onnxruntime as ort

    observed = onnx.ModelProto()
    observed.CopyFrom(model)
    observed.graph.output.extend(
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in names
    )
    session = ort.InferenceSession(observed.SerializeToString(), providers=["CPUExecutionProvider"])
    peaks: dict[str, Any] = dict.fromkeys(names, 0.0)
    for feed in fed:
        for name, value in zip(names, session.run(names, feed), strict=True):
            peaks[name] = np.maximum(peaks[name], np.abs(value).max(axis=(0, 1)))
    return peaks
