"""What is missing, damaged, hostile or of an unknown kind is refused, and nothing is left."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from skerry.export.errors import ExportError, OutputFailed, SourceRefused, Unsupported
from skerry.export.gguf.exporter import GgufExporter
from skerry.export.gguf.safetensors import open_file
from tests.export.gguf import tiny

WEIGHTS = "model.safetensors"


def refused(folder: Path, precision: str = "f16") -> ExportError:
    """What the export of `folder` says; it must leave nothing beside it."""
    with pytest.raises(ExportError) as caught:
        GgufExporter().export(folder, precision, folder.parent / "made")
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
    return caught.value


def header(**rows: Any) -> bytes:
    text = json.dumps(rows).encode()
    return len(text).to_bytes(8, "little") + text


def row(start: int, end: int, shape: tuple[int, ...] = (1,), dtype: str = "F32") -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


HOSTILE = {
    "empty": b"",
    "short": b"\x01\x02",
    "length beyond the file": (2**63).to_bytes(8, "little") + b"{}",
    "length of the whole format": (99_999_999).to_bytes(8, "little") + b"{}",
    "no JSON": (2).to_bytes(8, "little") + b"}{",
    "nested": (200_000).to_bytes(8, "little") + b"[" * 200_000,
    "a list": (2).to_bytes(8, "little") + b"[]",
    "one name twice": (21).to_bytes(8, "little") + b'{"a":null,"a":null}  ',
    "no row": header(a=1),
    "row without shape": header(a={"dtype": "F32", "data_offsets": [0, 4]}),
    "offset past the end": header(a=row(0, 4)),
    "negative offset": header(a=row(-4, 0)) + bytes(4),
    "offset that is a bool": header(a=row(False, 4)) + bytes(4),
    "huge shape": header(a=row(0, 2**62, (2**60,))),
    "huge product": header(a=row(0, 4, (2**40, 2**40))) + bytes(4),
    "many dimensions": header(a=row(0, 4, (1,) * 1000)) + bytes(4),
    "negative shape": header(a=row(0, 4, (-1, -1))) + bytes(4),
    "wrong length": header(a=row(0, 8)) + bytes(8),
    "overlap": header(a=row(0, 4), b=row(2, 6)) + bytes(8),
    "gap": header(a=row(0, 4), b=row(8, 12)) + bytes(12),
    "more data": header(a=row(0, 4)) + bytes(8),
    "eight bits": header(a=row(0, 1, dtype="F8_E4M3")) + bytes(1),
    "unknown dtype": header(a=row(0, 4, dtype="X")) + bytes(4),
    "dtype that is a list": header(a={**row(0, 4), "dtype": ["F32"]}) + bytes(4),
    "dtype that is null": header(a={**row(0, 4), "dtype": None}) + bytes(4),
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_hostile_safetensors(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / WEIGHTS
    path.write_bytes(content)
    with pytest.raises(SourceRefused) as caught:
        open_file(path)
    assert caught.value.hint
    assert WEIGHTS in caught.value.what


def without(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def config(**changes: Any) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        said = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps(said | changes))

    return change


def as_pickle(folder: Path) -> None:
    (folder / WEIGHTS).unlink()
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x04N.")


def part_missing(folder: Path) -> None:
    (folder / WEIGHTS).rename(folder / "model-00001-of-00002.safetensors")
    places = {"model.norm.weight": "model-00001-of-00002.safetensors", "x": "model-00002.x"}
    (folder / f"{WEIGHTS}.index.json").write_text(json.dumps({"weight_map": places}))


def part_elsewhere(folder: Path) -> None:
    (folder / WEIGHTS).unlink()
    places = {"model.norm.weight": "../../etc/passwd"}
    (folder / f"{WEIGHTS}.index.json").write_text(json.dumps({"weight_map": places}))


def cut_off(folder: Path) -> None:
    data = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(data[: len(data) // 2])


REFUSED: dict[str, tuple[Callable[[Path], None], type[ExportError], str]] = {
    "no config": (without("config.json"), SourceRefused, "config.json"),
    "no weights": (without(WEIGHTS), SourceRefused, "no model.safetensors"),
    "no tokenizer": (without("tokenizer.json"), SourceRefused, "tokenizer.json"),
    "a pickle": (as_pickle, SourceRefused, "never loaded"),
    "a part is missing": (part_missing, SourceRefused, "1 of 2 parts: model-00002"),
    "a part elsewhere": (part_elsewhere, SourceRefused, "elsewhere"),
    "cut off": (cut_off, SourceRefused, "cut off"),
    "no JSON": (lambda folder: (folder / "config.json").write_text("{"), SourceRefused, "damaged"),
    "other architecture": (config(architectures=["GPT2LMHeadModel"]), Unsupported, "GPT2LMHead"),
    "no architecture": (config(architectures=[]), SourceRefused, "architecture"),
    "quantized already": (config(quantization_config={"a": 1}), SourceRefused, "quantized already"),
    "other activation": (config(hidden_act="relu"), Unsupported, "hidden_act = 'relu'"),
    "window": (config(use_sliding_window=True), Unsupported, "sliding window"),
    "part of the head": (config(partial_rotary_factor=0.5), Unsupported, "RoPE on a part"),
    "dynamic scaling": (
        config(rope_parameters={"rope_type": "dynamic", "factor": 2.0}), Unsupported, "dynamic",
    ),
    "scaling without factor": (
        config(rope_parameters={"rope_type": "linear"}), SourceRefused, "factor",
    ),
    "own head is missing": (config(tie_word_embeddings=False), SourceRefused, "lm_head.weight"),
    "layer is missing": (config(num_hidden_layers=3), SourceRefused, "model.layers.2."),
    "layer is unknown": (config(num_hidden_layers=1), SourceRefused, "model.layers.1."),
    "other shape": (config(intermediate_size=128), SourceRefused, "[96, 64]"),
    "huge size": (config(hidden_size=2**40), SourceRefused, "hidden_size"),
    "size that is a text": (config(hidden_size="64"), SourceRefused, "hidden_size"),
    "no epsilon": (config(rms_norm_eps=None), SourceRefused, "rms_norm_eps"),
    "heads that do not divide": (config(num_key_value_heads=3), SourceRefused, "heads"),
}  # fmt: skip


@pytest.mark.parametrize(("change", "kind", "said"), REFUSED.values(), ids=REFUSED)
def test_models_that_are_refused(
    change: Callable[[Path], None], kind: type[ExportError], said: str, tmp_path: Path
) -> None:
    tiny.save_model(tmp_path / "model")
    change(tmp_path / "model")
    error = refused(tmp_path / "model")
    assert isinstance(error, kind)
    assert said in error.what
    assert error.hint


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["model.norm.weight", "model.layers.1.mlp.up_proj.weight"])
def test_weights_that_are_no_numbers(value: float, name: str, tmp_path: Path) -> None:
    broken = tiny.weights(tiny.config(), 703)[name].copy()
    broken.flat[5] = value
    tiny.save_model(tmp_path / "model", changed={name: broken})
    error = refused(tmp_path / "model", "q8_0")
    assert isinstance(error, SourceRefused)
    assert name in error.what


def test_weights_too_large_for_f16(tmp_path: Path) -> None:
    name = "model.layers.0.mlp.up_proj.weight"
    large = tiny.weights(tiny.config(), 703)[name].copy()
    large.flat[0] = 1e6
    tiny.save_model(tmp_path / "model", changed={name: large})
    assert "too large for f16" in refused(tmp_path / "model").what
    GgufExporter().export(tmp_path / "model", "bf16", tmp_path / "made")


class Trap:
    """A pickle that would make a file."""

    def __reduce__(self) -> Any:
        return Path.touch, (Path("sprung"),)


@pytest.mark.parametrize("name", ["model.bin", "model.pt", WEIGHTS, "model.gguf"])
def test_a_pickle_is_never_loaded(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    tiny.save_model(tmp_path / "model")
    (tmp_path / "model" / WEIGHTS).unlink()
    (tmp_path / "model" / name).write_bytes(pickle.dumps(Trap()))
    refused(tmp_path / "model")
    with pytest.raises(SourceRefused):
        GgufExporter().export(tmp_path / "model" / name, "f16", tmp_path / "made")
    assert not (tmp_path / "sprung").exists()


def test_a_disk_without_room_is_told_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny.save_model(tmp_path / "model")
    monkeypatch.setattr("shutil.disk_usage", lambda _folder: type("Usage", (), {"free": 1000})())
    error = refused(tmp_path / "model")
    assert isinstance(error, OutputFailed)
    assert "are free" in error.what


_EXPORT = """
import resource, sys
from pathlib import Path
from skerry.export.gguf.exporter import GgufExporter
GgufExporter().export(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
print(int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) // 1024)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak from /proc")
def test_memory_stays_within_the_model_and_a_gigabyte(tmp_path: Path) -> None:
    """Matrices of 256 MB in a model of 768 MB: written as float, then quantized."""
    rows = (64 << 20) // tiny.HIDDEN
    said = tiny.config(intermediate_size=rows, num_hidden_layers=1)
    rng = np.random.default_rng(0)
    large = rng.standard_normal((rows, tiny.HIDDEN), np.float32)
    at = "model.layers.0.mlp."
    made = {f"{at}{part}_proj.weight": large for part in ("gate", "up")}
    made[f"{at}down_proj.weight"] = large.T.copy()
    small = tiny.weights(tiny.config(), 703)
    kept = {name: one for name, one in small.items() if ".layers.1." not in name} | made
    tiny.save_model(tmp_path / "model", {**said, "vocab_size": 703})
    stored = {name: ("F32", one) for name, one in kept.items()}
    tiny.save_safetensors(tmp_path / "model" / WEIGHTS, stored)
    size_mb = (tmp_path / "model" / WEIGHTS).stat().st_size >> 20
    assert size_mb > 760
    del large, made, kept, stored
    command = [sys.executable, "-c", _EXPORT, tmp_path / "model", "q8_0", tmp_path / "made"]
    env = {"PYTHONPATH": ":".join(sys.path)}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    peaks_mb = [int(line) for line in done.stdout.split()]
    assert max(peaks_mb) <= size_mb + 1024
