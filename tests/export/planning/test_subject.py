"""A Hugging Face folder is read without loading it; what is none is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from skerry.export.errors import SourceRefused
from skerry.export.exporter import Kind
from skerry.export.planning import read_folder

CONFIG = {
    "model_type": "llama", "hidden_size": 8, "intermediate_size": 16, "num_hidden_layers": 2,
    "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 10,
    "max_position_embeddings": 64,
}  # fmt: skip


def write_folder(folder: Path, **config: object) -> Path:
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({**CONFIG, **config}))
    data = np.arange(80, dtype=np.float32).tobytes()
    head = {"w": {"dtype": "F32", "shape": [10, 8], "data_offsets": [0, len(data)]}}
    text = json.dumps(head).encode()
    file = folder / "model.safetensors"
    file.write_bytes(len(text).to_bytes(8, "little") + text + data)
    return folder


def test_a_language_model(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "m")
    (folder / "README.md").write_text("---\ntags:\n- x\nlicense: mit\n---\nlicense: no\n")
    (folder / "tokenizer_config.json").write_text('{"chat_template": "{{ x }}"}')
    found = read_folder(folder)
    assert (found.name, found.kind, found.licence) == ("m", Kind.LLM, "mit")
    assert (found.size, found.parameters, found.bits_per_weight) == (320, 80, 32.0)
    assert found.kv_values == 2 * 2 * 2 * 2
    assert found.chat_template == "{{ x }}"


def test_an_encoder(tmp_path: Path) -> None:
    found = read_folder(write_folder(tmp_path / "m", model_type="bert"))
    assert (found.kind, found.kv_values, found.licence) == (Kind.ENCODER, 0, "unknown")


def test_a_folder_called_model_goes_by_the_one_around_it(tmp_path: Path) -> None:
    assert read_folder(write_folder(tmp_path / "model")).name == tmp_path.name


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"hidden_size": None}, "does not say its hidden_size"),
        ({"hidden_size": "8"}, "hidden_size is 8"),
        ({"vocab_size": -1}, "vocab_size is -1"),
        ({"vocab_size": 1 << 40}, "vocab_size"),
        ({"intermediate_size": True}, "intermediate_size"),
        ({"head_dim": 0}, "head_dim"),
    ],
)
def test_a_config_that_no_model_has_is_refused(
    config: dict[str, object], says: str, tmp_path: Path
) -> None:
    with pytest.raises(SourceRefused, match=says) as caught:
        read_folder(write_folder(tmp_path / "m", **config))
    assert caught.value.hint


def test_weights_in_a_pickle_are_refused(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "m")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(SourceRefused, match="pickle"):
        read_folder(folder)


@pytest.mark.parametrize("content", ["", "[]", "{", "[" * 100_000])
def test_a_config_that_is_none_is_refused(content: str, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "m")
    (folder / "config.json").write_text(content)
    with pytest.raises(SourceRefused):
        read_folder(folder)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceRefused, match="no model"):
        read_folder(tmp_path)
