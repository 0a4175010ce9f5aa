"""Sentence encoders for LiteRT, converted and run by another interpreter."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from skerry.device_profiles.profile import Format
from skerry.export.exporter import Kind, Loaded, Made, Vectors
from skerry.export.formats.base import FormatExporter, Job, Outcome
from skerry.export.formats.elsewhere import Elsewhere
from skerry.export.formats.folder import copy_beside
from skerry.export.formats.running import TOKENIZER, fed, read_tokenizer

MODEL = "model.tflite"
VARIABLE = "SKERRY_LITERT_PYTHON"
_HERE = Path(__file__).parent
_INSTALL = (
    "python -m venv litert && litert/bin/pip install torch==2.13.0 litert-torch transformers && "
    f"export {VARIABLE}=$PWD/litert/bin/python"
)
_TOOL = Elsewhere(
    VARIABLE,
    ("litert_torch", "ai_edge_quantizer", "transformers"),
    ("torch", "litert-torch", "ai-edge-litert", "ai-edge-quantizer", "transformers"),
    _INSTALL,
)


class LitertEncoder(FormatExporter):
    """An `Exporter` of BERT-like encoders. Every text is filled up to the most tokens."""

    format = Format.LITERT
    kind = Kind.ENCODER
    needs = _TOOL
    to_run = _TOOL
    architectures = frozenset({"bert"})

    def precisions(self) -> tuple[str, ...]:
        return ("int8", "fp32")

    def _make(self, job: Job) -> Outcome:
        from skerry.export.encoder.folder import read_encoder

        source = read_encoder(job.source)
        job.folder.mkdir()
        job.progress("converting", 0.1)
        model = job.folder / MODEL
        _TOOL.run(_HERE / "convert.py", str(job.source.resolve()), job.precision, str(model))
        copy_beside(job.source, job.folder, TOKENIZER)
        note = f"every text takes the time of {source.max_tokens} tokens: the shape is fixed"
        facts = {"dimensions": source.dimensions, "max_tokens": source.max_tokens}
        return Outcome((note,), facts)

    def _open(self, made: Made) -> Loaded:
        most, dimensions = int(made.facts["max_tokens"]), int(made.facts["dimensions"])
        return LitertLoaded(made.folder, read_tokenizer(made.folder), most, dimensions)


@dataclass(frozen=True, slots=True)
class LitertLoaded:
    """A `LoadedEncoder`; each call starts the other interpreter once."""

    folder: Path
    tokenizer: Any
    most: int
    dimensions: int

    def encode(self, texts: Sequence[str]) -> Vectors:
        if not texts:
            return np.empty((0, self.dimensions), np.float32)
        rows = [np.concatenate(fed(self.tokenizer, text, self.most, self.most)) for text in texts]
        with tempfile.TemporaryDirectory() as work:
            given, out = Path(work, "in.npy"), Path(work, "out.npy")
            np.save(given, np.stack(rows))
            _TOOL.run(_HERE / "run.py", str(self.folder / MODEL), str(given), str(out))
            vectors: Vectors = np.load(out)
        return vectors

    def close(self) -> None:
        """Nothing is held."""
