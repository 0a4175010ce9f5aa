"""Language models as four-bit checkpoints that vLLM loads."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from skerry.device_profiles.profile import Format
from skerry.export.exporter import Kind, Loaded, Logits, Made
from skerry.export.formats.base import FormatExporter, Job, Outcome
from skerry.export.formats.elsewhere import Elsewhere
from skerry.export.formats.running import TokenLlm, read_tokenizer
from skerry.export.formats.unpacking import unpacked

VARIABLE = "SKERRY_LLMCOMPRESSOR_PYTHON"
_HERE = Path(__file__).parent
_TEXTS = Path(__file__).parents[2] / "encoder" / "texts.txt"
_INSTALL = (
    "python -m venv compressor && compressor/bin/pip install torch==2.13.0 llmcompressor && "
    f"export {VARIABLE}=$PWD/compressor/bin/python"
)
_TOOL = Elsewhere(
    VARIABLE,
    ("llmcompressor", "compressed_tensors", "transformers"),
    ("torch", "llmcompressor", "compressed-tensors", "transformers"),
    _INSTALL,
)


class CheckpointLlm(FormatExporter):
    """An `Exporter`. Calibrates on the repository's own texts, or on those of `texts`."""

    format = Format.SAFETENSORS
    kind = Kind.LLM
    needs = _TOOL
    to_run = _TOOL
    reads_gguf = True

    def __init__(self, texts: Path = _TEXTS) -> None:
        self.texts = texts

    def precisions(self) -> tuple[str, ...]:
        return ("gptq4",)

    def _make(self, job: Job) -> Outcome:
        source = unpacked(job.source, job.work)
        job.progress("calibrating and quantizing", 0.1)
        given = (str(source.resolve()), str(self.texts), str(job.folder))
        _TOOL.run(_HERE / "compress.py", *given)
        return Outcome(facts={"for": "vLLM, as compressed-tensors"})

    def _open(self, made: Made) -> Loaded:
        return TokenLlm(read_tokenizer(made.folder), lambda ids: _scores(made.folder, ids))


def _scores(folder: Path, ids: Sequence[int]) -> Logits:
    with tempfile.TemporaryDirectory() as work:
        given, out = Path(work, "ids.npy"), Path(work, "out.npy")
        np.save(given, np.asarray(ids, np.int64))
        _TOOL.run(_HERE / "score.py", str(folder), str(given), str(out))
        scores: Logits = np.load(out)
    return scores
