"""Adapters written as GGUF and merged, beside what llama.cpp computes. No torch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from gguf import GGUFReader

from skerry.export.adapters.base import read_base
from skerry.export.adapters.gguf_adapter import write_gguf_adapter
from skerry.export.adapters.merge import merge
from skerry.export.adapters.pairs import Method, Pair, gguf_alpha, merged, permuted, scale_of
from skerry.export.adapters.peft_folder import read_adapter
from skerry.export.adapters.tensors import Floats, read_folder
from skerry.export.errors import ExportError, OutputFailed, SourceRefused, Unsupported
from tests.export.llama_logits import llama_logits
from tests.export.tiny_llama import (
    MODULES,
    lora_tensors,
    shape_of,
    weights,
    write_adapter,
    write_folder,
    write_gguf,
)

IDS = [1, 7, 3, 22, 39, 7, 11, 5]
CLOSE = 2e-3
"""llama.cpp keeps keys and values in float16; logits are about 4 apart."""


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`hf`, a folder, and `base.gguf`, the same model."""
    place = tmp_path_factory.mktemp("tiny")
    made = weights()
    write_folder(place / "hf", made)
    write_gguf(place / "base.gguf", made)
    return place


def expected(place: Path, tensors: Mapping[str, Floats]) -> Floats:
    """What llama.cpp computes with other weights."""
    return llama_logits(write_gguf(place / "expected.gguf", tensors), IDS)


def by_hand(tensors: Mapping[str, Floats], scales: Mapping[str, float]) -> dict[str, Floats]:
    made = weights()
    for module, scale in scales.items():
        place = f"base_model.model.{module}"
        delta = tensors[f"{place}.lora_B.weight"] @ tensors[f"{place}.lora_A.weight"]
        made[f"{module}.weight"] = made[f"{module}.weight"] + np.float32(scale) * delta
    return made


@pytest.mark.parametrize("source", ["hf", "base.gguf"])
@pytest.mark.parametrize(
    ("config", "scale"),
    [
        pytest.param({}, 2.0, id="lora"),
        pytest.param({"use_rslora": True}, 4.0, id="rslora"),
        pytest.param({"lora_alpha": 2.5}, 0.625, id="an alpha that is no whole number"),
    ],
)
def test_llama_cpp_computes_what_the_merged_weights_do(
    tiny: Path, tmp_path: Path, source: str, config: dict[str, object], scale: float
) -> None:
    tensors = lora_tensors()
    base = read_base(tiny / source)
    adapter = read_adapter(write_adapter(tmp_path / "lora", tensors, **config), base)
    write_gguf_adapter(adapter, base, tmp_path / "lora.gguf")
    wanted = expected(tmp_path, by_hand(tensors, dict.fromkeys(MODULES, scale)))
    plain = llama_logits(tiny / "base.gguf", IDS)
    made = llama_logits(tiny / "base.gguf", IDS, tmp_path / "lora.gguf")
    assert np.abs(made - wanted).max() < CLOSE
    assert np.abs(plain - wanted).max() > 100 * CLOSE


def test_ranks_and_alphas_of_their_own(tiny: Path, tmp_path: Path) -> None:
    wide = [name for name in MODULES if name.endswith("q_proj")]
    narrow = [name for name in MODULES if not name.endswith("q_proj")]
    tensors = lora_tensors(8, modules=wide) | lora_tensors(4, modules=narrow)
    base = read_base(tiny / "hf")
    folder = write_adapter(
        tmp_path / "lora", tensors, rank_pattern={"q_proj": 8}, alpha_pattern={"q_proj": 4}
    )
    write_gguf_adapter(read_adapter(folder, base), base, tmp_path / "lora.gguf")
    scales = dict.fromkeys(wide, 0.5) | dict.fromkeys(narrow, 2.0)
    wanted = expected(tmp_path, by_hand(tensors, scales))
    made = llama_logits(tiny / "base.gguf", IDS, tmp_path / "lora.gguf")
    assert np.abs(made - wanted).max() < CLOSE


def vera_tensors(rank: int = 8) -> dict[str, Floats]:
    draw = np.random.default_rng(2)
    inputs = max(shape_of(module)[1] for module in MODULES)
    outputs = max(shape_of(module)[0] for module in MODULES)
    made = {
        "base_model.vera_A": draw.standard_normal((rank, inputs)).astype(np.float32) / 4,
        "base_model.vera_B": draw.standard_normal((outputs, rank)).astype(np.float32) / 4,
    }
    for module in MODULES:
        place = f"base_model.model.{module}"
        made[f"{place}.vera_lambda_d"] = draw.standard_normal(rank).astype(np.float32)
        made[f"{place}.vera_lambda_b"] = draw.standard_normal(shape_of(module)[0]).astype(
            np.float32
        )
    return made


def test_vera_is_written_as_the_lora_that_it_equals(tiny: Path, tmp_path: Path) -> None:
    tensors = vera_tensors()
    base = read_base(tiny / "hf")
    folder = write_adapter(tmp_path / "vera", tensors, peft_type="VERA", r=8)
    write_gguf_adapter(read_adapter(folder, base), base, tmp_path / "vera.gguf")
    changed = weights()
    for module in MODULES:
        place, (outputs, inputs) = f"base_model.model.{module}", shape_of(module)
        b = np.diag(tensors[f"{place}.vera_lambda_b"]) @ tensors["base_model.vera_B"][:outputs]
        a = np.diag(tensors[f"{place}.vera_lambda_d"]) @ tensors["base_model.vera_A"][:, :inputs]
        changed[f"{module}.weight"] = (changed[f"{module}.weight"] + b @ a).astype(np.float32)
    made = llama_logits(tiny / "base.gguf", IDS, tmp_path / "vera.gguf")
    assert np.abs(made - expected(tmp_path, changed)).max() < CLOSE


def dora_tensors() -> dict[str, Floats]:
    draw = np.random.default_rng(3)
    return lora_tensors() | {
        f"base_model.model.{module}.lora_magnitude_vector": draw.uniform(
            0.5, 1.5, shape_of(module)[0]
        ).astype(np.float32)
        for module in MODULES
    }


def test_dora_is_merged(tiny: Path, tmp_path: Path) -> None:
    tensors = dora_tensors()
    base = read_base(tiny / "hf")
    adapter = read_adapter(write_adapter(tmp_path / "dora", tensors, use_dora=True), base)
    with pytest.raises(Unsupported, match="cannot apply DoRA") as caught:
        write_gguf_adapter(adapter, base, tmp_path / "dora.gguf")
    assert "--merge" in caught.value.hint
    merge(adapter, tiny / "hf", tmp_path / "merged")
    made = read_folder(tmp_path / "merged")
    for module in MODULES:
        lengths = np.linalg.norm(made[f"{module}.weight"], axis=1)
        wanted = tensors[f"base_model.model.{module}.lora_magnitude_vector"]
        assert np.allclose(lengths, wanted, rtol=1e-5)
    summed = by_hand(tensors, dict.fromkeys(MODULES, 2.0))
    one = MODULES[3]
    turned = summed[f"{one}.weight"] / np.linalg.norm(summed[f"{one}.weight"], axis=1)[:, None]
    ours = made[f"{one}.weight"] / np.linalg.norm(made[f"{one}.weight"], axis=1)[:, None]
    assert np.allclose(ours, turned, atol=1e-6)


@pytest.mark.parametrize(("dtype", "close"), [("F32", 0), ("F16", 1e-3), ("BF16", 8e-3)])
def test_a_merge_keeps_the_sources_type_and_all_else(
    tmp_path: Path, dtype: str, close: float
) -> None:
    write_folder(tmp_path / "hf", weights(), dtype=dtype)
    base = read_base(tmp_path / "hf")
    adapter = read_adapter(write_adapter(tmp_path / "lora", lora_tensors()), base)
    heard: list[float] = []
    merge(adapter, tmp_path / "hf", tmp_path / "out", progress=lambda _, done: heard.append(done))
    made, before = read_folder(tmp_path / "out"), read_folder(tmp_path / "hf")
    assert heard == sorted(heard)
    assert heard[-1] == 1
    assert {one.dtype for one in made.stored.values()} == {dtype}
    assert made.raw("model.norm.weight") == before.raw("model.norm.weight")
    wanted = by_hand(lora_tensors(), dict.fromkeys(MODULES, 2.0))
    for module in MODULES:
        name = f"{module}.weight"
        assert np.abs(made[name] - wanted[name]).max() <= close * np.abs(wanted[name]).max()
    assert (tmp_path / "out" / "config.json").read_bytes() == (
        tmp_path / "hf" / "config.json"
    ).read_bytes()


def test_what_llama_cpp_wants_to_know_is_in_the_file(tiny: Path, tmp_path: Path) -> None:
    base = read_base(tiny / "hf")
    adapter = read_adapter(write_adapter(tmp_path / "notes", lora_tensors()), base)
    write_gguf_adapter(adapter, base, tmp_path / "x.gguf", precision="f16")
    reader = GGUFReader(str(tmp_path / "x.gguf"))
    facts = {key: field.contents() for key, field in reader.fields.items()}
    assert facts["general.type"] == "adapter"
    assert facts["general.architecture"] == "llama"
    assert facts["adapter.type"] == "lora"
    assert facts["adapter.lora.alpha"] == 8
    assert facts["general.name"] == "notes"
    assert len(reader.tensors) == 2 * len(MODULES)
    assert {tensor.tensor_type.name for tensor in reader.tensors} == {"F16"}
    assert [path.name for path in tmp_path.iterdir() if "partial" in path.name] == []


def test_the_same_adapter_is_the_same_file(tiny: Path, tmp_path: Path) -> None:
    base = read_base(tiny / "hf")
    adapter = read_adapter(write_adapter(tmp_path / "lora", lora_tensors()), base)
    for name in ("one.gguf", "two.gguf"):
        write_gguf_adapter(adapter, base, tmp_path / name)
    assert (tmp_path / "one.gguf").read_bytes() == (tmp_path / "two.gguf").read_bytes()


def test_float16_that_cannot_hold_it_leaves_nothing(tiny: Path, tmp_path: Path) -> None:
    tensors = lora_tensors()
    tensors[next(iter(tensors))][0, 0] = 1e6
    base = read_base(tiny / "hf")
    adapter = read_adapter(write_adapter(tmp_path / "lora", tensors), base)
    with pytest.raises(OutputFailed, match="float16 cannot hold"):
        write_gguf_adapter(adapter, base, tmp_path / "x.gguf", precision="f16")
    assert [path.name for path in tmp_path.iterdir()] == ["lora"]


def test_a_merge_replaces_nothing(tiny: Path, tmp_path: Path) -> None:
    adapter = read_adapter(write_adapter(tmp_path / "lora", lora_tensors()), read_base(tiny / "hf"))
    (tmp_path / "out").mkdir()
    with pytest.raises(OutputFailed, match="exists already"):
        merge(adapter, tiny / "hf", tmp_path / "out")
    with pytest.raises(SourceRefused):
        merge(adapter, tmp_path / "lora", tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_a_merge_that_is_stopped_leaves_nothing(tiny: Path, tmp_path: Path) -> None:
    adapter = read_adapter(write_adapter(tmp_path / "lora", lora_tensors()), read_base(tiny / "hf"))

    def stop(_: str, done: float) -> None:
        if done > 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        merge(adapter, tiny / "hf", tmp_path / "out", progress=stop)
    assert [path.name for path in tmp_path.iterdir()] == ["lora"]


def test_rows_are_turned_as_llama_cpp_turns_them() -> None:
    rows = np.arange(8, dtype=np.float32)[:, None]
    assert permuted(rows, 1)[:, 0].tolist() == [0, 4, 1, 5, 2, 6, 3, 7]
    assert permuted(rows, 2)[:, 0].tolist() == [0, 2, 1, 3, 4, 6, 5, 7]


@pytest.mark.parametrize(
    ("method", "scale", "alpha"),
    [(Method.LORA, 2.0, 32.0), (Method.RSLORA, 8.0, 128.0), (Method.DORA, 2.0, 32.0)],
)
def test_llama_cpps_alpha_over_the_rank_is_the_scale(
    method: Method, scale: float, alpha: float
) -> None:
    made = scale_of(method, 32, 16)
    assert made == scale
    pair = Pair(np.ones((16, 3), np.float32), np.ones((2, 16), np.float32), made)
    assert gguf_alpha({"one": pair}) == alpha
    other = Pair(pair.a, pair.b, 1.0)
    assert gguf_alpha({"one": pair, "two": other}) is None


def test_a_row_of_no_length_cannot_be_given_one() -> None:
    pair = Pair(np.zeros((1, 2), np.float32), np.zeros((2, 1), np.float32), 1.0, np.ones(2))
    with pytest.raises(ValueError, match="row is zero"):
        merged(np.zeros((2, 2), np.float32), pair)


def test_every_error_of_the_room_is_one(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="neither a GGUF file nor"):
        read_base(tmp_path)
