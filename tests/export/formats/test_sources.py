"""What is refused as a source before any tool opens it."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from skerry.export.encoder.folder import read_encoder
from skerry.export.errors import SourceRefused
from skerry.export.formats.sources import check_source, tensors, weight_files


def packed(header: object, data: bytes = b"") -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def entry(dtype: str, *shape: int, at: tuple[int, int]) -> dict[str, Any]:
    return {"w": {"dtype": dtype, "shape": list(shape), "data_offsets": list(at)}}


F32 = packed(entry("F32", 2, at=(0, 8)), np.array([1, 2], "<f4").tobytes())
BF16 = packed(entry("BF16", 2, at=(0, 4)), np.array([0x3F80, 0xFF7F], "<u2").tobytes())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config.json").write_text('{"model_type": "llama"}')
    return tmp_path


@dataclass(frozen=True, slots=True)
class Weights:
    name: str
    content: bytes
    said: str


BAD = (
    Weights("empty", b"", "not a whole safetensors"),
    Weights("short", b"\x01\x00", "not a whole safetensors"),
    Weights("a header as long as the universe", b"\xff" * 8 + b"{}", "not a whole safetensors"),
    Weights("a header that is a list", packed([]), "not an object"),
    Weights("a deep header", struct.pack("<Q", 200_000) + b"[" * 200_000, "safetensors"),
    Weights("no offsets", packed({"w": {"dtype": "F32", "shape": [1]}}), "not described"),
    Weights("no description", packed({"w": 3}), "not described"),
    Weights("int8", packed(entry("I8", 1, at=(0, 1)), b"1"), "is I8"),
    Weights("cut off", F32[:-1], "does not fit"),
    Weights("negative", packed(entry("F32", 2, at=(-8, 0)), b"12345678"), "does not fit"),
    Weights("another size", packed(entry("F32", 3, at=(0, 8)), b"12345678"), "does not fit"),
    Weights("a huge shape", packed(entry("F32", 1 << 62, 4, at=(0, 8)), b"12345678"), "not fit"),
    Weights("float32 nan", F32[:-4] + np.array([np.nan], "<f4").tobytes(), "not finite"),
    Weights("float32 inf", F32[:-4] + np.array([-np.inf], "<f4").tobytes(), "not finite"),
    Weights("bfloat16 nan", BF16[:-2] + b"\xc0\x7f", "not finite"),
    Weights("float16 inf", packed(entry("F16", 1, at=(0, 2)), b"\x00\x7c"), "not finite"),
)


@pytest.mark.parametrize("case", BAD, ids=[case.name for case in BAD])
def test_bad_weights(case: Weights, folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(case.content)
    with pytest.raises(SourceRefused, match=case.said) as caught:
        check_source(folder, frozenset(), gguf=False)
    assert caught.value.hint


@pytest.mark.parametrize("content", [F32, BF16, packed({"__metadata__": {"format": "pt"}})])
def test_good_weights(content: bytes, folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(content)
    check_source(folder, frozenset({"llama"}), gguf=False)


def test_shards(folder: Path) -> None:
    index = {"weight_map": {"w": "a.safetensors", "v": "b.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    (folder / "a.safetensors").write_bytes(F32)
    with pytest.raises(SourceRefused, match=r"b\.safetensors' is missing"):
        check_source(folder, frozenset(), gguf=False)
    (folder / "b.safetensors").write_bytes(F32)
    assert len(weight_files(folder)) == 2
    assert [tensor.name for file in weight_files(folder) for tensor in tensors(file)] == ["w", "w"]


@pytest.mark.parametrize("index", ["{}", '{"weight_map": {"w": "../b.safetensors"}}'])
def test_an_index_that_names_no_shards(index: str, folder: Path) -> None:
    (folder / "model.safetensors.index.json").write_text(index)
    with pytest.raises(SourceRefused, match="names no shards"):
        check_source(folder, frozenset(), gguf=False)


@pytest.mark.parametrize("config", ["", "[]", "{", "[" * 100_000, '{"model_type": "rwkv"}'])
def test_a_config_of_another_kind(config: str, folder: Path) -> None:
    (folder / "config.json").write_text(config)
    (folder / "model.safetensors").write_bytes(F32)
    with pytest.raises(SourceRefused, match=r"config\.json|rwkv"):
        check_source(folder, frozenset({"llama"}), gguf=False)


def test_gguf_where_it_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "model.gguf"
    file.write_bytes(b"GGUF" + bytes(20))
    check_source(file, frozenset(), gguf=True)
    with pytest.raises(SourceRefused, match="GGUF"):
        check_source(file, frozenset(), gguf=False)


BERT = {"model_type": "bert", "hidden_size": 384, "max_position_embeddings": 512}
MEAN = {"word_embedding_dimension": 384, "pooling_mode_mean_tokens": True}
TYPES = "sentence_transformers.models"


@pytest.fixture
def encoder(tmp_path: Path) -> Callable[..., Path]:
    def make(**files: object) -> Path:
        parts = {"config": BERT, "pooling": MEAN, "tokenizer": {}, **files}
        places = {"pooling": "1_Pooling/config.json", "sentence": "sentence_bert_config.json"}
        for name, document in parts.items():
            file = tmp_path / places.get(name, f"{name}.json")
            file.parent.mkdir(exist_ok=True)
            if document is not None:
                file.write_text(json.dumps(document))
        return tmp_path

    return make


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, (384, 512, "mean")),
        ({"sentence": {"max_seq_length": 256}}, (384, 256, "mean")),
        ({"sentence": {"max_seq_length": None}}, (384, 512, "mean")),
        ({"pooling": {"pooling_mode_cls_token": True}}, (384, 512, "cls")),
        ({"modules": [{"type": f"{TYPES}.Transformer"}, {"type": f"{TYPES}.Pooling"}]}, None),
    ],
)
def test_an_encoder(
    files: dict[str, object], expected: tuple[object, ...] | None, encoder: Callable[..., Path]
) -> None:
    found = read_encoder(encoder(**files))
    assert (found.dimensions, found.max_tokens, found.pooling) == (expected or (384, 512, "mean"))


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"config": {"model_type": "mpnet"}}, "'mpnet'"),
        ({"config": {"model_type": "bert"}}, "None for hidden_size"),
        ({"config": {**BERT, "max_position_embeddings": 0}}, "0 for max_position"),
        ({"config": {**BERT, "hidden_size": "384"}}, "'384' for hidden_size"),
        ({"tokenizer": None}, "no tokenizer"),
        ({"pooling": None}, "how it pools"),
        ({"pooling": {"pooling_mode_max_tokens": True}}, "pools by"),
        ({"pooling": {**MEAN, "pooling_mode_cls_token": True}}, "pools by"),
        ({"modules": [{"type": f"{TYPES}.Dense"}]}, "Dense"),
        ({"modules": {}}, "not readable"),
    ],
)
def test_an_encoder_of_another_kind(
    files: dict[str, object], said: str, encoder: Callable[..., Path]
) -> None:
    with pytest.raises(SourceRefused, match=said):
        read_encoder(encoder(**files))
