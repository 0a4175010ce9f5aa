"""The recipe: export, calibrate, quantize, gate, write. Nothing is written that was refused."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from skerry.export.encoder.card import card
from skerry.export.encoder.float32 import (
    DIMENSIONS,
    INPUTS,
    MAX_TOKENS,
    OUTPUT,
    source_folder,
    write_float32,
)
from skerry.export.encoder.gate import Fidelity, Vectors, fidelity
from skerry.export.encoder.vocabulary import read_tokenizer, renumbered, used_ids
from skerry.guardrails.weights import write_manifest

NAME = "minilm-l6-int8"
MODEL = "model.onnx"
TOKENIZER = "tokenizer.json"
OWN_TEXTS = Path(__file__).parent / "texts.txt"

Texts = Sequence[str]


@dataclass(frozen=True, slots=True)
class Built:
    """The bytes of an encoder that passed the gate, and how it did on each set of texts."""

    model: bytes
    tokenizer: bytes
    results: Mapping[str, Fidelity]


def build(text_sets: Mapping[str, Texts]) -> Built:
    """Makes the encoder and gates it on the repository's texts and on every set given.

    Raises:
        GateRefused: on some set it is too far from float32.
    """
    from tokenizers import Tokenizer

    source = source_folder()
    document = read_tokenizer(source / TOKENIZER)
    kept = used_ids(document)
    tokenizer = Tokenizer.from_str(json.dumps(renumbered(document, kept)))
    own = OWN_TEXTS.read_text(encoding="utf-8").splitlines()
    with tempfile.TemporaryDirectory() as folder:
        float32 = Path(folder, "float32.onnx")
        write_float32(source, float32, kept)
        reference = float32.read_bytes()
    model = _quantized(reference, tokenizer, own[::2])
    results = {
        name: _gated(model, reference, tokenizer, texts)
        for name, texts in {"own": own[1::2], **text_sets}.items()
    }
    return Built(model, tokenizer.to_str().encode(), results)


def write(built: Built, out: Path) -> None:
    """Writes model, tokenizer, `encoder.json` and `card.md` into the folder `out`."""
    out.mkdir(parents=True, exist_ok=True)
    contents = {MODEL: built.model, TOKENIZER: built.tokenizer}
    manifest = {
        "name": NAME,
        "dimensions": DIMENSIONS,
        "max_tokens": MAX_TOKENS,
        "sha256": {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()},
        "fidelity": {name: asdict(result) for name, result in built.results.items()},
    }
    for name, data in contents.items():
        (out / name).write_bytes(data)
    write_manifest(out / "encoder.json", manifest)
    (out / "card.md").write_text(card(built.results, len(built.model)), encoding="utf-8")


def _quantized(reference: bytes, tokenizer: Any, calibration: Texts) -> bytes:
    import onnx

    from skerry.export.encoder.quantize import products, quantize

    model = onnx.load_from_string(reference)
    names = sorted({product.activation for product in products(model.graph)})
    peaks = _peaks(model, names, tokenizer, calibration)
    result: bytes = quantize(model, peaks).SerializeToString(deterministic=True)
    return result


def _peaks(model: Any, names: list[str], tokenizer: Any, texts: Texts) -> dict[str, Any]:
    """The largest |value| of each channel of the activations `names` over `texts`."""
    import onnx

    observed = onnx.ModelProto()
    observed.CopyFrom(model)
    observed.graph.output.extend(
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in names
    )
    session = _session(observed.SerializeToString())
    peaks: dict[str, Any] = dict.fromkeys(names, 0.0)
    for text in texts:
        for name, value in zip(names, session.run(names, _feed(tokenizer, text)), strict=True):
            peaks[name] = np.maximum(peaks[name], np.abs(value).max(axis=(0, 1)))
    return peaks


def _gated(model: bytes, reference: bytes, tokenizer: Any, texts: Texts) -> Fidelity:
    result = fidelity(_vectors(model, tokenizer, texts), _vectors(reference, tokenizer, texts))
    result.check()
    return result


def _vectors(model: bytes, tokenizer: Any, texts: Texts) -> Vectors:
    session = _session(model)
    rows = [session.run([OUTPUT], _feed(tokenizer, text))[0] for text in texts]
    return np.concatenate(rows)


def _feed(tokenizer: Any, text: str) -> dict[str, Any]:
    ids = np.array([tokenizer.encode(text).ids[:MAX_TOKENS]], np.int64)
    return dict(zip(INPUTS, (ids, np.ones_like(ids)), strict=True))


def _session(model: bytes) -> Any:
    import onnxruntime as ort

    return ort.InferenceSession(model, providers=["CPUExecutionProvider"])
