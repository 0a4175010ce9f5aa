"""What was exported to ONNX before, opened by the exporters. Needs no torch."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from skerry.device_profiles.profile import Format
from skerry.edge.encoder.files import DEFAULT_FOLDER
from skerry.edge.encoder.minilm import OnnxEncoder as Runtime
from skerry.export.exporter import Kind, LoadedEncoder, LoadedLlm
from skerry.export.formats.folder import write_manifest
from skerry.export.formats.registry import find

TINY = Path(__file__).parents[2] / "data" / "tiny-genai"


def exported(source: Path, folder: Path, kind: Kind, **facts: object) -> Path:
    """A copy of `source` with the exporter's manifest."""
    shutil.copytree(source, folder)
    said = {"format": Format.ONNX, "kind": kind, "precision": "int8", "notes": [], "facts": facts}
    write_manifest(folder, said)
    return folder


def test_the_encoder_is_the_runtime_s(tmp_path: Path) -> None:
    folder = exported(
        DEFAULT_FOLDER, tmp_path / "out", Kind.ENCODER, dimensions=384, max_tokens=256
    )
    loaded = find(Format.ONNX, Kind.ENCODER).load(folder)
    assert isinstance(loaded, LoadedEncoder)
    texts = ["A bee.", "How often is the emergency trolley checked?", "", "long " * 500]
    assert np.allclose(loaded.encode(texts), Runtime.load().encode(texts), atol=1e-5)
    assert loaded.encode([]).shape == (0, 384)
    loaded.close()


def test_the_language_model_counts(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime_genai", reason="GenAI is an extra")
    loaded = find(Format.ONNX, Kind.LLM).load(exported(TINY, tmp_path / "out", Kind.LLM))
    assert isinstance(loaded, LoadedLlm)
    ids = loaded.tokenize("one, two, three, four, five, six, seven, eight, nine, ten")
    logits = loaded.logits(ids)
    assert logits.shape == (len(ids), 512)
    assert logits.dtype == np.float32
    assert np.allclose(loaded.logits(ids[:7]), logits[:7], atol=0.05)
    again = [
        int(row.argmax()) == following for row, following in zip(logits, ids[1:], strict=False)
    ]
    assert np.mean(again) > 0.5, "it knows how to count"
    loaded.close()
