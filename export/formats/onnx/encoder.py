"""Sentence encoders as ONNX, in int8 behind the gate of `skerry.export.encoder`, or in float32.

The folder is also one that the device's encoder loads (`skerry.edge.encoder`).
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from skerry.device_profiles.profile import Format
from skerry.export.errors import OutputFailed
from skerry.export.exporter import Kind, Loaded, Made, Vectors
from skerry.export.formats.base import FormatExporter, Job, Outcome
from skerry.export.formats.needs import Needs, extra
from skerry.export.formats.running import Ids, TextEncoder, read_tokenizer

MODEL, TOKENIZER = "model.onnx", "tokenizer.json"
_INPUTS, _OUTPUT = ("input_ids", "attention_mask"), "sentence_embedding"


class OnnxEncoder(FormatExporter):
    """An `Exporter`. The gate refuses int8 that drifted: cosine and nearest neighbours."""

    format = Format.ONNX
    kind = Kind.ENCODER
    needs = extra(
        "export", "torch", "transformers", "onnx", "onnxscript", "onnxruntime",
        packages=("torch", "transformers", "onnx", "onnxruntime"),
    )  # fmt: skip
    to_run = Needs(("onnxruntime", "tokenizers"), "pip install skerry")
    architectures = frozenset({"bert"})

    def precisions(self) -> tuple[str, ...]:
        return ("int8", "fp32")

    def _make(self, job: Job) -> Outcome:
        job.progress("making the graph", 0.1)
        return _int8(job) if job.precision == "int8" else _float32(job)

    def _open(self, made: Made) -> Loaded:
        tokenizer = read_tokenizer(made.folder)
        run = _runner(made.folder / MODEL)
        return TextEncoder(tokenizer, made.facts["max_tokens"], made.facts["dimensions"], run)


def _int8(job: Job) -> Outcome:
    from skerry.export.encoder.build import build, write
    from skerry.export.encoder.gate import GateRefused

    try:
        built = build({}, job.source)
    except GateRefused as error:
        what = f"int8 loses too much of '{job.source}': {error}"
        raise OutputFailed(what, hint="export it as fp32") from error
    write(built, job.folder, name=_name(job.source))
    fidelity = asdict(built.results["own"])
    return Outcome(facts={**_facts(built.source), "fidelity": fidelity})


def _float32(job: Job) -> Outcome:
    from skerry.export.encoder.build import float_graph
    from skerry.export.encoder.folder import read_encoder

    source = read_encoder(job.source)
    tokenizer, graph = float_graph(source)
    job.folder.mkdir()
    (job.folder / MODEL).write_bytes(graph)
    (job.folder / TOKENIZER).write_text(tokenizer.to_str(), "utf-8")
    return Outcome(facts=_facts(source))


def _facts(source: Any) -> dict[str, Any]:
    return {"dimensions": source.dimensions, "max_tokens": source.max_tokens}


def _name(source: Path) -> str | None:
    """MiniLM from its package is called what it has always been called."""
    from skerry.export.encoder.float32 import source_folder

    try:
        own = source_folder().resolve() == source.resolve()
    except ModuleNotFoundError:
        own = False
    return None if own else f"{source.resolve().name}-int8"


def _runner(model: Path) -> Any:
    import onnxruntime as ort

    try:
        session = ort.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's classes have no common base
        raise OutputFailed(f"'{model}' cannot be loaded: {error}", hint="export again") from error

    def run(ids: Ids, mask: Ids) -> Vectors:
        vectors: Vectors = session.run([_OUTPUT], dict(zip(_INPUTS, (ids, mask), strict=True)))[0]
        return vectors

    return run
