"""From the trained network to the files that a device loads: int8, checked against float32."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import torch

from skerry.export.encoder.quantize import products, quantize
from skerry.guardrails.grounding.inputs import MAX_TOKENS
from skerry.guardrails.train.grounding.batches import Example, example
from skerry.guardrails.train.grounding.pair import Pair
from skerry.guardrails.weights import write_manifest

NAME = "minilm-grounding-int8"
INPUTS = ("input_ids", "token_type_ids")
OUTPUTS = ("outcome", "not_held")
_UNSET = 0.5  # until the threshold is chosen, with what is written


# torch is `Any` to the type checker where it is not installed
class _Unpadded(torch.nn.Module):  # type: ignore[misc, unused-ignore]
    """The network for texts that are not padded: probabilities of outcomes and of tokens."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: Any, token_type_ids: Any) -> tuple[Any, Any]:
        outcome, tokens = self.model(input_ids, token_type_ids, torch.ones_like(input_ids))
        return torch.softmax(outcome, 1), torch.sigmoid(tokens)


def write(
    model: Any, tokenizer: Any, calibration: Sequence[Pair], checked: Sequence[Pair], out: Path
) -> None:
    """Writes model, tokenizer and manifest into `out`; says how far int8 is from float32."""
    reference = float32(model)
    samples = [example(tokenizer, pair) for pair in calibration]
    content = quantized(reference, samples)
    agreement = fidelity(content, reference, [example(tokenizer, pair) for pair in checked])
    files = {"model.onnx": content, "tokenizer.json": tokenizer.to_str().encode()}
    manifest = {
        "name": NAME,
        "max_tokens": MAX_TOKENS,
        "sha256": {name: hashlib.sha256(data).hexdigest() for name, data in files.items()},
        "int8_same_outcome": round(agreement, 4),
        "threshold": _UNSET,
    }
    out.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (out / name).write_bytes(data)
    write_manifest(out / "grounding.json", manifest)
    print(f"{len(content) / 1e6:.1f} MB; the same outcome as float32 in {agreement:.1%}")


def float32(model: Any) -> bytes:
    """The network as an ONNX graph: int64 [batch, length] twice -> [batch, 3], [batch, length]."""
    batch = torch.export.Dim("batch")
    length = torch.export.Dim("length", max=MAX_TOKENS)
    ids = torch.tensor([[1, 7, 3, 9, 3], [1, 8, 3, 5, 3]])
    types = torch.tensor([[0, 0, 0, 1, 1], [0, 0, 0, 1, 1]])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "float32.onnx")
        torch.onnx.export(
            _Unpadded(model).eval(),
            (ids, types),
            str(path),
            input_names=INPUTS,
            output_names=list(OUTPUTS),
            dynamic_shapes={name: {0: batch, 1: length} for name in INPUTS},
            dynamo=True,
            external_data=False,
            opset_version=20,
        )
        return path.read_bytes()


def quantized(reference: bytes, samples: Sequence[Example]) -> bytes:
    """The int8 graph, as for the text encoder (docs/decisions/0003)."""
    model = onnx.load_from_string(reference)
    names = sorted({product.activation for product in products(model.graph)})
    result: bytes = quantize(model, _peaks(model, names, samples)).SerializeToString(
        deterministic=True
    )
    return result


def _peaks(model: Any, names: Sequence[str], samples: Sequence[Example]) -> dict[str, Any]:
    """The largest |value| of each channel of the activations `names`."""
    observed = onnx.ModelProto()
    observed.CopyFrom(model)
    observed.graph.output.extend(
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in names
    )
    session = _session(observed.SerializeToString())
    peaks: dict[str, Any] = dict.fromkeys(names, 0.0)
    for sample in samples:
        for name, value in zip(names, session.run(list(names), feed(sample)), strict=True):
            peaks[name] = np.maximum(peaks[name], np.abs(value).max(axis=(0, 1)))
    return peaks


def feed(sample: Example) -> dict[str, Any]:
    """One example as the graph's inputs."""
    rows = (sample.encoded.ids, sample.encoded.types)
    return {name: np.array([row], np.int64) for name, row in zip(INPUTS, rows, strict=True)}


def fidelity(content: bytes, reference: bytes, samples: Sequence[Example]) -> float:
    """The share of examples with the same outcome in both."""
    one, two = _session(content), _session(reference)
    same = [
        np.argmax(one.run([OUTPUTS[0]], feed(each))[0])
        == np.argmax(two.run([OUTPUTS[0]], feed(each))[0])
        for each in samples
    ]
    return float(np.mean(same))


def _session(model: bytes) -> Any:
    return ort.InferenceSession(model, providers=["CPUExecutionProvider"])
