"""From safetensors to GGUF: llama.cpp computes what the model's definition says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from skerry.export.gguf.exporter import FILE, GgufExporter
from skerry.export.gguf.opened import read_back
from skerry.export.gguf.safetensors import floats
from tests.export.gguf import tiny

LLAMA3 = {
    "rope_type": "llama3",
    "rope_theta": 10000.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}
CASES: dict[str, dict[str, Any]] = {
    "llama": tiny.config(),
    "llama, own head": tiny.config(tie_word_embeddings=False),
    "llama, older config": tiny.config(rope_parameters=None, rope_theta=500.0),
    "llama 3 scaling": tiny.config(rope_parameters=LLAMA3),
    "linear scaling": tiny.config(
        rope_parameters={"rope_type": "linear", "factor": 4.0, "rope_theta": 10000.0}
    ),
    "mistral": tiny.config("MistralForCausalLM", head_dim=tiny.HEAD, sliding_window=None),
    "qwen2": tiny.config("Qwen2ForCausalLM", use_sliding_window=False),
    "qwen3": tiny.config("Qwen3ForCausalLM", head_dim=tiny.HEAD, tie_word_embeddings=False),
}
TEXT = "The emergency trolley is checked every day before 09:00."


def logprobs(logits: Any) -> Any:
    shifted = logits - logits.max(-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))


def exported(folder: Path, precision: str) -> Path:
    return GgufExporter(threads=1).export(folder, precision, folder.parent / precision).folder


@pytest.mark.parametrize("said", CASES.values(), ids=CASES)
def test_llama_cpp_agrees_with_the_definition(said: dict[str, Any], tmp_path: Path) -> None:
    model = tiny.save_model(tmp_path / "model", said)
    loaded = GgufExporter(threads=1).load(exported(tmp_path / "model", "f32"))
    ids = loaded.tokenize(TEXT * 3)
    assert len(ids) > 60
    expected = logprobs(tiny.forward(said, model, ids))
    assert np.abs(logprobs(loaded.logits(ids)) - expected).max() < 0.02
    loaded.close()


@pytest.mark.parametrize("dtype", ["F32", "F16", "BF16"])
@pytest.mark.parametrize(
    ("precision", "blur"), [("f32", 0.005), ("f16", 0.01), ("bf16", 0.1), ("q8_0", 0.2)]
)
def test_dtypes_become_what_was_asked(
    dtype: str, precision: str, blur: float, tmp_path: Path
) -> None:
    """`blur`: the mean difference of log probabilities from the stored weights' own."""
    model = tiny.save_model(tmp_path / "model", dtype=dtype)
    model = {name: floats(tiny.as_dtype(one, dtype)[1], dtype) for name, one in model.items()}
    made = exported(tmp_path / "model", precision)
    kinds = {len(one.shape): one.kind.name for one in read_back(made / FILE).tensors}
    assert kinds == {1: "f32", 2: precision}
    loaded = GgufExporter(threads=1).load(made)
    ids = loaded.tokenize(TEXT)
    expected = logprobs(tiny.forward(tiny.config(), model, ids))
    assert np.abs(logprobs(loaded.logits(ids)) - expected).mean() < blur
    loaded.close()


def test_bf16_is_rounded_to_the_nearest(tmp_path: Path) -> None:
    from skerry.export.gguf.convert import _bf16

    values = np.array([1.0, 1.00390625, 1.01171875, -3.14159, 1e-40, 65504], np.float32)
    back = (_bf16(values).astype(np.uint32) << 16).view(np.float32)
    assert np.abs(back - values).max() <= np.abs(values).max() / 256
    assert back[1] == 1.0  # half way: to even
    assert back[2] == np.float32(1.015625)


def test_parts_with_an_index_are_one_model(tmp_path: Path) -> None:
    import json

    model = tiny.save_model(tmp_path / "model")
    whole = exported(tmp_path / "model", "f16") / FILE
    split = tmp_path / "parts" / "model"
    tiny.save_model(split)
    (split / "model.safetensors").unlink()
    names = sorted(model)
    places = {name: f"model-{1 + at % 3:05}-of-00003.safetensors" for at, name in enumerate(names)}
    for part in set(places.values()):
        tensors = {name: ("F32", model[name]) for name in names if places[name] == part}
        tiny.save_safetensors(split / part, tensors)
    index = {"metadata": {}, "weight_map": places}
    (split / "model.safetensors.index.json").write_text(json.dumps(index))
    assert (exported(split, "f16") / FILE).read_bytes() == whole.read_bytes()


def test_the_same_source_gives_the_same_bytes(tmp_path: Path) -> None:
    tiny.save_model(tmp_path / "model")
    once = GgufExporter(threads=1).export(tmp_path / "model", "q4_0", tmp_path / "once")
    twice = GgufExporter(threads=1).export(tmp_path / "model", "q4_0", tmp_path / "twice")
    assert (once.folder / FILE).read_bytes() == (twice.folder / FILE).read_bytes()
    assert once.notes == twice.notes


def test_a_tensor_wider_than_a_slab_is_written_in_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny.save_model(tmp_path / "model")
    whole = exported(tmp_path / "model", "f16") / FILE
    monkeypatch.setattr("skerry.export.gguf.convert.SLAB_BYTES", 7 * 4 * tiny.HIDDEN)
    again = GgufExporter(threads=1).export(tmp_path / "model", "f16", tmp_path / "slabs")
    assert (again.folder / FILE).read_bytes() == whole.read_bytes()


def test_the_licence_of_the_model_card_is_kept(tmp_path: Path) -> None:
    tiny.save_model(tmp_path / "model")
    (tmp_path / "model" / "README.md").write_text("---\nlicense: apache-2.0\n---\n# A model\n")
    facts = read_back(exported(tmp_path / "model", "q8_0") / FILE).metadata
    assert facts["general.license"] == "apache-2.0"
    assert facts["general.name"] == "model"


def test_a_sliding_window_is_told(tmp_path: Path) -> None:
    tiny.save_model(tmp_path / "model", tiny.config("MistralForCausalLM", sliding_window=128))
    made = GgufExporter(threads=1).export(tmp_path / "model", "f16", tmp_path / "made")
    assert any("last 128" in note for note in made.notes)
