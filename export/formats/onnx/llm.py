"""Language models as folders of ONNX Runtime GenAI, which the device's engine `genai` runs."""

from __future__ import annotations

import json
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
from skerry.export.formats.chat import read_chat
from skerry.export.formats.needs import Needs
from skerry.export.formats.stepping import CONTEXT_TOKENS, Row, SteppingLlm

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
    to_run = Needs(("onnxruntime_genai", "tokenizers", "jinja2"), "pip install 'skerry[genai]'")
    reads_gguf = True

    def precisions(self) -> tuple[str, ...]:
        return ("int4", "int8", "fp32")

    def _make(self, job: Job) -> Outcome:
        from skerry.export.genai.build import Precision, export_genai

        job.progress("building, quantizing and measuring", 0.1)
        made = export_genai(job.source, job.folder, cast(Precision, job.precision))
        facts = {"fidelity": asdict(made.fidelity), "parameters": made.parameters}
        return Outcome(facts={**facts, "weights_bytes": _weights_bytes(job.folder)})

    def _open(self, made: Made) -> Loaded:
        model = _opened(made.folder)
        context = min(CONTEXT_TOKENS, trained_context(made.folder))
        steps = GenaiSteps(model, context)
        return SteppingLlm(
            read_chat(made.folder), steps, lambda ids: genai_logits(model, ids), context
        )


class GenaiSteps:
    """The `Steps` of an `og.Model`; its keys and values have `context_tokens` places."""

    def __init__(self, model: Any, context_tokens: int) -> None:
        self._model, self._context = model, context_tokens
        self._generator: Any = None

    def begin(self, ids: Sequence[int]) -> Row:
        if self._generator is None:
            self._generator = _generator(self._model, self._context)
        else:
            self._generator.rewind_to(0)
        return self._read(ids)

    def step(self, token: int) -> Row:
        return self._read((token,))

    def _read(self, ids: Sequence[int]) -> Row:
        self._generator.append_tokens(np.asarray(ids, np.int32))
        row: Row = np.asarray(self._generator.get_logits(), np.float32).reshape(-1)
        return row


def trained_context(folder: Path) -> int:
    """The places that the model was trained for, as its genai_config.json says.

    Raises:
        OutputFailed: it does not say so.
    """
    try:
        said = json.loads((folder / "genai_config.json").read_text("utf-8"))
        return int(said["model"]["context_length"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        what = f"'{folder}' has no whole genai_config.json: {error}"
        raise OutputFailed(what, hint="export again") from error


def _weights_bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.glob("*.onnx*"))


def _opened(folder: Path) -> Any:
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # before the library is imported
    import onnxruntime_genai as og

    try:
        return og.Model(str(folder))
    except Exception as error:  # GenAI raises RuntimeError and others of its own
        raise OutputFailed(f"'{folder}' cannot be loaded: {error}", hint="export again") from error


def _generator(model: Any, places: int) -> Any:
    import onnxruntime_genai as og

    params = og.GeneratorParams(model)
    params.set_search_options(max_length=places)
    return og.Generator(model, params)


def genai_logits(model: Any, ids: Sequence[int]) -> Logits:
    """Scores after each of `ids`, shape (len(ids), vocabulary), of an `og.Model`."""
    generator = _generator(model, len(ids) + 1)
    rows = []
    for start in range(0, len(ids), _STEP_TOKENS):
        generator.append_tokens(np.asarray(ids[start : start + _STEP_TOKENS], np.int32))
        rows.append(np.array(generator.get_output("logits")[0], np.float32))
    return np.concatenate(rows)
