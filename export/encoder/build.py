"""The recipe: export, calibrate, quantize, gate, write. Nothing is written that was refused."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from skerry.export.encoder.card import card
from skerry.export.encoder.float32 import INPUTS, OUTPUT, source_folder, write_float32
from skerry.export.encoder.folder import EncoderSource, read_encoder
from skerry.export.encoder.gate import Fidelity, Vectors, fidelity
from skerry.export.encoder.vocabulary import pruned, read_tokenizer
from skerry.guardrails.weights import write_manifest

NAME = "minilm-l6-int8"
MODEL = "model.onnx"
TOKENIZER = "tokenizer.json"
OWN_TEXTS = Path(__file__).parent / "texts.txt"

Texts = Sequence[str]


@dataclass(frozen=True, slots=True)
class Built:
    """The bytes of an encoder that passed the gate, and how it did on each set of texts."""

    source: EncoderSource
    model: bytes
    tokenizer: bytes
    results: Mapping[str, Fidelity]


def build(text_sets: Mapping[str, Texts], folder: Path | None = None) -> Built:
    """Makes the encoder and gates it on the repository's texts and on every set given.

    Args:
        text_sets: more texts, by the name of their set.
        folder: of the encoder's source; None for MiniLM's package.

    Raises:
        GateRefused: on some set it is too far from float32.
        SourceRefused: the folder is no encoder that can be taken.
    """
    source = read_encoder(source_folder() if folder is None else folder)
    tokenizer, reference = float_graph(source)
    own = own_texts()
    model = _quantized(reference, tokenizer, source.max_tokens, own[::2])
    results = {
        name: _gated(_vectors(tokenizer, source.max_tokens, texts), model, reference)
        for name, texts in {"own": own[1::2], **text_sets}.items()
    }
    return Built(source, model, tokenizer.to_str().encode(), results)


def own_texts() -> list[str]:
    """The repository's texts: those of even places calibrate, the others are held out."""
    return OWN_TEXTS.read_text(encoding="utf-8").splitlines()


def float_graph(source: EncoderSource) -> tuple[Any, bytes]:
    """A tokenizer without tokens that no text can produce, and the float32 ONNX graph for it."""
    from tokenizers import Tokenizer

    document, kept = pruned(read_tokenizer(source.folder / TOKENIZER))
    tokenizer = Tokenizer.from_str(json.dumps(document))
    with tempfile.TemporaryDirectory() as made:
        float32 = Path(made, "float32.onnx")
        write_float32(source, float32, kept)
        return tokenizer, float32.read_bytes()


def write(built: Built, out: Path, *, name: str | None = None) -> None:
    """Writes model, tokenizer, `encoder.json` and, of MiniLM, `card.md` into the folder `out`.

    Args:
        built: what passed the gate.
        out: is made where it is not there.
        name: of another encoder than MiniLM, which has no card here.
    """
    out.mkdir(parents=True, exist_ok=True)
    contents = {MODEL: built.model, TOKENIZER: built.tokenizer}
    manifest = {
        "name": name or NAME,
        "dimensions": built.source.dimensions,
        "max_tokens": built.source.max_tokens,
        "sha256": {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()},
        "fidelity": {name: asdict(result) for name, result in built.results.items()},
    }
    for file, data in contents.items():
        (out / file).write_bytes(data)
    write_manifest(out / "encoder.json", manifest)
    if name is None:
        (out / "card.md").write_text(card(built.results, len(built.model)), encoding="utf-8")


def _quantized(reference: bytes, tokenizer: Any, most: int, calibration: Texts) -> bytes:
    import onnx

    from skerry.export.encoder.quantize import products, quantize

    model = onnx.load_from_string(reference)
    names = sorted({product.activation for product in products(model.graph)})
    feeds = [_feed(tokenizer, text, most) for text in calibration]
    result: bytes = quantize(model, _peaks(model, names, feeds)).SerializeToString(
        deterministic=True
    )
    return result


def _peaks(model: Any, names: list[str], feeds: Sequence[Any]) -> dict[str, Any]:
    """The largest |value| of each channel of the activations `names` over `feeds`."""
    import onnx

    observed = onnx.ModelProto()
    observed.CopyFrom(model)
    observed.graph.output.extend(
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in names
    )
    session = _session(observed.SerializeToString())
    peaks: dict[str, Any] = dict.fromkeys(names, 0.0)
    for feed in feeds:
        for name, value in zip(names, session.run(names, feed), strict=True):
            peaks[name] = np.maximum(peaks[name], np.abs(value).max(axis=(0, 1)))
    return peaks


def _gated(vectors: Callable[[bytes], Vectors], model: bytes, reference: bytes) -> Fidelity:
    result = fidelity(vectors(model), vectors(reference))
    result.check()
    return result


def _vectors(tokenizer: Any, most: int, texts: Texts) -> Callable[[bytes], Vectors]:
    """Makes the vectors of `texts` with a model's bytes."""
    feeds = [_feed(tokenizer, text, most) for text in texts]

    def run(model: bytes) -> Vectors:
        session = _session(model)
        return np.concatenate([session.run([OUTPUT], feed)[0] for feed in feeds])

    return run


def _feed(tokenizer: Any, text: str, most: int) -> dict[str, Any]:
    ids = np.array([tokenizer.encode(text).ids[:most]], np.int64)
    return dict(zip(INPUTS, (ids, np.ones_like(ids)), strict=True))


def _session(model: bytes) -> Any:
    import onnxruntime as ort

    return ort.InferenceSession(model, providers=["CPUExecutionProvider"])
