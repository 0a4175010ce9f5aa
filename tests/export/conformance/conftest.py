"""The sources: a tiny language model and MiniLM where torch is installed, stand-ins elsewhere."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from skerry.export.exporter import Kind, Loaded

CONFIGS = {
    Kind.LLM: {"model_type": "llama", "hidden_size": 2},
    Kind.ENCODER: {"model_type": "bert", "hidden_size": 2},
}


def write_safetensors(file: Path, values: Sequence[float]) -> None:
    """One float32 tensor, without the library."""
    data = struct.pack(f"<{len(values)}f", *values)
    entry = {"dtype": "F32", "shape": [len(values)], "data_offsets": [0, len(data)]}
    header = json.dumps({"w": entry}).encode()
    file.write_bytes(struct.pack("<Q", len(header)) + header + data)


@pytest.fixture
def stand_in(tmp_path: Path) -> Callable[[Kind], Path]:
    """A folder that looks like a model until somebody computes with it."""

    def make(kind: Kind) -> Path:
        folder = tmp_path / f"{kind}-source"
        folder.mkdir()
        (folder / "config.json").write_text(json.dumps(CONFIGS[kind]))
        write_safetensors(folder / "model.safetensors", [0.5, -0.5])
        return folder

    return make


@pytest.fixture(scope="session")
def real_source(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Kind], Path]:
    """A model that computes; made once."""
    made: dict[Kind, Path] = {}

    def make(kind: Kind) -> Path:
        if kind not in made:
            made[kind] = _llm(tmp_path_factory) if kind is Kind.LLM else _minilm()
        return made[kind]

    return make


@pytest.fixture(scope="session")
def reference(
    real_source: Callable[[Kind], Path], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[Kind], Loaded]:
    """The source, run by torch; opened once."""
    opened: dict[Kind, Loaded] = {}

    def open_once(kind: Kind) -> Loaded:
        if kind not in opened:
            from skerry.export.formats.reference import open_reference

            work = tmp_path_factory.mktemp("reference")
            opened[kind] = open_reference(real_source(kind), kind, work)
        return opened[kind]

    return open_once


def _llm(factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("torch", reason="the tiny source is trained with torch")
    from skerry.export.genai.tiny import Training, train_tiny

    folder = factory.mktemp("tiny") / "tiny"
    train_tiny(folder, training=Training(steps=150, rows=4), progress=lambda *_: None)
    return folder


def _minilm() -> Path:
    pytest.importorskip("torch", reason="the source's own vectors are made with torch")
    from skerry.export.encoder.float32 import source_folder

    try:
        return source_folder()
    except ModuleNotFoundError as error:
        pytest.skip(str(error))
