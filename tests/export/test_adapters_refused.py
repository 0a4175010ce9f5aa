"""Adapters and tensors that cannot be right are refused by name. No torch."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.export.adapters.base import Base, read_base
from skerry.export.adapters.peft_folder import read_adapter
from skerry.export.adapters.tensors import (
    Floats,
    read_folder,
    read_metadata,
    read_tensors,
    write_tensors,
)
from skerry.export.errors import ExportError, OutputFailed, SourceRefused, Unsupported
from tests.export.tiny_llama import (
    CONFIG,
    lora_tensors,
    weights,
    write_adapter,
    write_folder,
    write_gguf,
)

_Q = "base_model.model.model.layers.0.self_attn.q_proj"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Base:
    return read_base(write_folder(tmp_path_factory.mktemp("base") / "hf", weights()))


def _without(name: str) -> Callable[[dict[str, Floats]], None]:
    def change(tensors: dict[str, Floats]) -> None:
        del tensors[name]

    return change


def _put(name: str, value: Any) -> Callable[[dict[str, Floats]], None]:
    def change(tensors: dict[str, Floats]) -> None:
        tensors[name] = np.asarray(value, np.float32)

    return change


def _nothing(_: dict[str, Floats]) -> None:
    pass


@dataclass(frozen=True)
class Bad:
    """A change to a good adapter, and what is said of it."""

    name: str
    said: str
    change: Callable[[dict[str, Floats]], None] = _nothing
    config: tuple[tuple[str, Any], ...] = ()
    error: type[ExportError] = SourceRefused


NAN = np.full((4, 64), np.nan)
CASES = [
    Bad("half a pair", "lacks b of 'model.layers.0.self", _without(f"{_Q}.lora_B.weight")),
    Bad("another rank", "not of the rank 4", _put(f"{_Q}.lora_A.weight", np.ones((5, 64)))),
    Bad("another rank than it says", "not of the rank 8", config=(("r", 8),)),
    Bad("no number", "numbers that are none", _put(f"{_Q}.lora_A.weight", NAN)),
    Bad("another width", "does not fit", _put(f"{_Q}.lora_A.weight", np.ones((4, 32)))),
    Bad("a cube", "not of the rank", _put(f"{_Q}.lora_A.weight", np.ones((4, 8, 8)))),
    Bad("another model's module", "no matrix 'transformer.h.0.attn",
        lambda tensors: tensors.update({
            "base_model.model.transformer.h.0.attn.lora_A.weight": np.ones((4, 64), np.float32),
            "base_model.model.transformer.h.0.attn.lora_B.weight": np.ones((64, 4), np.float32),
        })),
    Bad("a layer that is not there", "no matrix 'model.layers.7",
        lambda tensors: tensors.update({
            name.replace("layers.0", "layers.7"): value for name, value in list(tensors.items())
        })),
    Bad("a head that is the embedding", "no matrix 'lm_head'",
        lambda tensors: tensors.update({
            "base_model.model.lm_head.lora_A.weight": np.ones((4, 64), np.float32),
            "base_model.model.lm_head.lora_B.weight": np.ones((40, 4), np.float32),
        })),
    Bad("a tensor of something else", "no adapter has", _put("model.norm.weight", np.ones(64))),
    Bad("an embedding", "changes the embedding",
        _put("base_model.model.model.embed_tokens.lora_embedding_A", np.ones((4, 40))),
        error=Unsupported),
    Bad("magnitudes without DoRA", "has magnitude of", _put(f"{_Q}.lora_magnitude_vector", [1])),
    Bad("DoRA without magnitudes", "lacks magnitude", config=(("use_dora", True),)),
    Bad("nothing", "has no tensors", lambda tensors: tensors.clear()),
    Bad("VeRA without its matrices", "hold VeRA's shared", config=(("peft_type", "VERA"),)),
    Bad("VeRA's matrices in LoRA", "says that it is another kind",
        _put("base_model.vera_A", np.ones((4, 64)))),
    Bad("another kind", "of the kind 'IA3'", config=(("peft_type", "IA3"),), error=Unsupported),
    Bad("no kind", "of the kind None", config=(("peft_type", None),), error=Unsupported),
    Bad("whole modules", "modules_to_save", config=(("modules_to_save", ["lm_head"]),),
        error=Unsupported),
    Bad("biases", "bias", config=(("bias", "all"),), error=Unsupported),
    Bad("two scales", "with rsLoRA", config=(("use_dora", True), ("use_rslora", True)),
        error=Unsupported),
    Bad("a rank that is none", "a rank of '4'", config=(("r", "4"),)),
    Bad("a rank of true", "a rank of True", config=(("r", True),)),
    Bad("a huge rank", "a rank of 1000000000", config=(("r", 10**9),)),
    Bad("an alpha that is none", "an alpha of None", config=(("lora_alpha", None),)),
    Bad("an alpha without end", "an alpha of inf", config=(("lora_alpha", float("inf")),)),
    Bad("an expression that never ends", "the expression", error=Unsupported,
        config=(("rank_pattern", {"(a+)+$": 4}),)),
    Bad("a pattern that is a list", "that is no object", config=(("rank_pattern", ["q_proj"]),)),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_bad_adapter_is_refused(base: Base, tmp_path: Path, case: Bad) -> None:
    tensors = lora_tensors()
    case.change(tensors)
    folder = write_adapter(tmp_path / "bad", tensors, **dict(case.config))
    with pytest.raises(case.error) as caught:
        read_adapter(folder, base)
    assert case.said in caught.value.what


def test_pickles_are_never_opened(base: Base, tmp_path: Path) -> None:
    folder = write_adapter(tmp_path / "old", lora_tensors())
    (folder / "adapter_model.safetensors").unlink()
    (folder / "adapter_model.bin").write_bytes(b"\x80\x04cos\nsystem\n(S'true'\ntR.")
    with pytest.raises(SourceRefused, match="pickle, which may run code"):
        read_adapter(folder, base)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b"[" * 100_000], ids=len)
def test_a_config_that_is_none(base: Base, tmp_path: Path, content: bytes) -> None:
    folder = write_adapter(tmp_path / "bad", lora_tensors())
    (folder / "adapter_config.json").write_bytes(content)
    with pytest.raises(SourceRefused, match=r"adapter_config\.json' is not"):
        read_adapter(folder, base)


def test_no_folder(base: Base, tmp_path: Path) -> None:
    with pytest.raises(SourceRefused, match=r"it has no adapter_config\.json"):
        read_adapter(tmp_path / "nowhere", base)


def test_an_adapter_of_another_model_with_the_same_matrices(base: Base, tmp_path: Path) -> None:
    folder = write_adapter(tmp_path / "other", lora_tensors())
    card = {"base": {"fingerprint": base.fingerprint() | {"layers": 24}}}
    (folder / "adapter.json").write_text(json.dumps(card))
    with pytest.raises(SourceRefused, match=r"another model .* layers 24 \(here 2\)"):
        read_adapter(folder, base)


def test_a_base_is_the_same_in_both_layouts(base: Base, tmp_path: Path) -> None:
    made = read_base(write_gguf(tmp_path / "base.gguf", weights()))
    assert made.fingerprint() == base.fingerprint()
    assert dict(made.shapes) == dict(base.shapes)


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"model_type": "mamba"}, Unsupported, "the kind 'mamba'"),
        ({"model_type": None}, Unsupported, "the kind 'None'"),
        ({"num_hidden_layers": 10**9}, SourceRefused, "num_hidden_layers"),
        ({"num_attention_heads": "4"}, SourceRefused, "num_attention_heads"),
        ({"hidden_size": 0}, SourceRefused, "hidden_size"),
    ],
)
def test_a_base_that_cannot_be(
    tmp_path: Path, change: dict[str, Any], error: type[ExportError], said: str
) -> None:
    folder = write_folder(tmp_path / "hf", weights())
    (folder / "config.json").write_text(json.dumps(CONFIG | change))
    with pytest.raises(error, match=said):
        read_base(folder)


@pytest.mark.parametrize("content", [b"", b"GGUF", b"GGUF" + b"\xff" * 60, b"nothing"])
def test_a_gguf_base_that_is_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.gguf").write_bytes(content)
    with pytest.raises(SourceRefused, match="not a whole GGUF file"):
        read_base(tmp_path / "x.gguf")


# ---- safetensors -----------------------------------------------------------------------------


def _file(header: object, data: bytes = b"") -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def _row(dtype: object = "F32", shape: object = (2,), offsets: object = (0, 8)) -> bytes:
    return _file({"x": {"dtype": dtype, "shape": shape, "data_offsets": offsets}}, bytes(8))


DAMAGED = {
    "empty": b"",
    "short": b"\x01\x02",
    "a length beyond the file": struct.pack("<Q", 2**63) + b"{}",
    "a header that is no JSON": struct.pack("<Q", 4) + b"nope",
    "a header that is a list": _file([]),
    "a header without end": struct.pack("<Q", 200_000) + b"[" * 200_000,
    "an unknown type": _row(dtype="F7"),
    "a type that is none": _row(dtype=[]),
    "a negative size": _row(shape=(-2,)),
    "a size that is no number": _row(shape=("2",)),
    "a huge size": _row(shape=(2**40, 2**40)),
    "numbers beyond the end": _row(offsets=(4, 12)),
    "numbers before the start": _row(offsets=(-8, 0)),
    "fewer numbers than it says": _row(offsets=(0, 4)),
    "three offsets": _row(offsets=(0, 4, 8)),
    "no offsets": _file({"x": {"dtype": "F32", "shape": [2]}}),
    "a row that is none": _file({"x": 7}),
    "cut off": _row()[:-1],
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.safetensors").write_bytes(content)
    with pytest.raises(SourceRefused, match=r"x\.safetensors"):
        read_tensors(tmp_path / "x.safetensors")


@given(st.binary(max_size=200))
def test_whatever_bytes_come_it_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    file = tmp_path_factory.getbasetemp() / "any.safetensors"
    file.write_bytes(content)
    try:
        made = read_tensors(file)
        for name in made:
            made.raw(name)
    except SourceRefused:
        pass


def test_shards_are_read_as_one(tmp_path: Path) -> None:
    for name, value in (("a", 1.0), ("b", 2.0)):
        one = {name: np.full((2, 2), value, np.float32)}
        write_tensors(tmp_path / f"{name}.safetensors", {name: ("F32", (2, 2))}, one.items())
    places = {"a": "a.safetensors", "b": "b.safetensors"}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": places}))
    made = read_folder(tmp_path)
    assert {name: float(made[name].mean()) for name in made} == {"a": 1.0, "b": 2.0}


@pytest.mark.parametrize("dtype", ["F32", "F16", "BF16"])
def test_numbers_come_back(tmp_path: Path, dtype: str) -> None:
    values = np.array([[0.0, -1.5, 3.0], [256.0, 2.0**-10, -0.0]], np.float32)
    write_tensors(
        tmp_path / "x.safetensors", {"x": (dtype, (2, 3))}, [("x", values)], {"made": "here"}
    )
    made = read_tensors(tmp_path / "x.safetensors")
    assert np.array_equal(made["x"], values)
    assert read_metadata(tmp_path / "x.safetensors") == {"made": "here"}


def test_bfloat16_is_rounded_to_the_nearest(tmp_path: Path) -> None:
    values = np.array([1 + 2**-9, 1 + 3 * 2**-9, 1 + 2**-8, 1 + 3 * 2**-8], np.float32)
    write_tensors(tmp_path / "x.safetensors", {"x": ("BF16", (4,))}, [("x", values)])
    made = read_tensors(tmp_path / "x.safetensors")["x"]
    assert made.tolist() == [1.0, 1 + 2**-7, 1.0, 1 + 2**-6]


def test_whole_numbers_are_no_weights(tmp_path: Path) -> None:
    (tmp_path / "x.safetensors").write_bytes(_row(dtype="I32"))
    with pytest.raises(SourceRefused, match="'I32'; weights are taken as"):
        read_tensors(tmp_path / "x.safetensors")


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    file = tmp_path / "x.safetensors"
    file.write_bytes(b"before")
    with pytest.raises(ValueError, match="not F32 of shape"):
        write_tensors(file, {"x": ("F32", (3,))}, [("x", np.zeros(2, np.float32))])
    with pytest.raises(ValueError, match="not those of the layout"):
        write_tensors(file, {"x": ("F32", (3,))}, [])
    with pytest.raises(OutputFailed, match="cannot be written"):
        write_tensors(tmp_path / "no" / "x", {"x": ("F32", (1,))}, [("x", np.zeros(1, np.float32))])
    assert file.read_bytes() == b"before"
    assert [path.name for path in tmp_path.iterdir()] == ["x.safetensors"]
