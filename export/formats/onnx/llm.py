"""Language models as folders of ONNX Runtime GenAI, which the device's engine `genai` runs."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import numpy as np

from skerry.device_profiles.profile import Format
from skerry.export.errors import OutputFailed
from skerry.export.exporter import Kind, Loaded, Logits, Made
from skerry.export.formats.base import FormatExporter, Job, Outcome
from skerry.export.formats.needs import Needs
from skerry.export.formats.running import TokenLlm, read_tokenizer

_INSTALL = "pip install 'torch==2.13.0' 'skerry[export,genai]'"
_STEP_TOKENS = 64


class OnnxLlm(FormatExporter):
    """An `Exporter`. Architectures are those of GenAI's model builder, which says what it takes."""

    format = Format.ONNX
    kind = Kind.LLM
    needs = Needs(
        ("torch", "transformers", "onnx", "gguf", "onnxruntime_genai"),
        _INSTALL,
        ("torch", "transformers", "onnx", "onnxruntime-genai"),
    )
    to_run = Needs(("onnxruntime_genai", "tokenizers"), "pip install 'skerry[genai]'")
    reads_gguf = True

    def precisions(self) -> tuple[str, ...]:
        return ("int4", "int8", "fp32")

    def _make(self, job: Job) -> Outcome:
        from skerry.export.genai.build import Precision, export_genai

        job.progress("building, quantizing and measuring", 0.1)
        made = export_genai(job.source, job.folder, cast(Precision, job.precision))
        return Outcome(facts={"fidelity": asdict(made.fidelity)})

    def _open(self, made: Made) -> Loaded:
        return TokenLlm(read_tokenizer(made.folder), _scorer(made.folder))


def _scorer(folder: Path) -> Any:
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # before the library is imported
    import onnxruntime_genai as og

    try:
        model = og.Model(str(folder))
    except Exception as error:  # GenAI raises RuntimeError and others of its own
        raise OutputFailed(f"'{folder}' cannot be loaded: {error}", hint="export again") from error

    def score(ids: Sequence[int]) -> Logits:
        return genai_logits(model, ids)

    return score


def genai_logits(model: Any, ids: Sequence[int]) -> Logits:
    """Scores after each of `ids`, shape (len(ids), vocabulary), of an `og.Model`."""
    import onnxruntime_genai as og

    params = og.GeneratorParams(model)
    params.set_search_options(max_length=len(ids) + 1)
    generator = og.Generator(model, params)
    rows = []
    for start in range(0, len(ids), _STEP_TOKENS):
        generator.append_tokens(np.asarray(ids[start : start + _STEP_TOKENS], np.int32))
        rows.append(np.array(generator.get_output("logits")[0], np.float32))
    return np.concatenate(rows)
