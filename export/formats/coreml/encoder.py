"""Sentence encoders as Core ML packages for iOS 18 and macOS 15, weights in 4 to 16 bits."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from skerry.device_profiles.profile import Format
from skerry.export.exporter import Kind, Loaded, Made, Vectors
from skerry.export.formats.base import FormatExporter, Job, Outcome
from skerry.export.formats.coreml.compress import PRECISIONS, compressed
from skerry.export.formats.folder import copy_beside
from skerry.export.formats.needs import extra
from skerry.export.formats.running import TOKENIZER, Ids, TextEncoder, read_tokenizer

MODEL = "model.mlpackage"
COMPUTE_UNITS = "cpu_and_ne"
_INPUTS, _OUTPUT = ("input_ids", "attention_mask"), "sentence_embedding"


class CoremlEncoder(FormatExporter):
    """An `Exporter` of BERT-like encoders. Every text is filled up to the most tokens: the neural
    engine takes shapes that are fixed."""

    format = Format.COREML
    kind = Kind.ENCODER
    needs = extra(
        "coreml", "torch", "transformers", "coremltools",
        packages=("torch", "transformers", "coremltools"),
    )  # fmt: skip
    to_run = extra("coreml", "coremltools", packages=("coremltools",))
    architectures = frozenset({"bert"})

    def precisions(self) -> tuple[str, ...]:
        return PRECISIONS

    def _make(self, job: Job) -> Outcome:
        from skerry.export.encoder.float32 import pooled
        from skerry.export.encoder.folder import read_encoder

        source = read_encoder(job.source)
        job.progress("converting", 0.1)
        model = _converted(pooled(source, plain_mask=True), source.max_tokens)
        job.progress("compressing the weights", 0.6)
        model = compressed(model, job.precision)
        job.folder.mkdir()
        model.save(str(job.folder / MODEL))
        copy_beside(job.source, job.folder, TOKENIZER)
        facts = {"dimensions": source.dimensions, "max_tokens": source.max_tokens}
        note = f"every text takes the time of {source.max_tokens} tokens: the shape is fixed"
        return Outcome((note,), {**facts, "compute_units": COMPUTE_UNITS})

    def _open(self, made: Made) -> Loaded:
        most, dimensions = int(made.facts["max_tokens"]), int(made.facts["dimensions"])
        package = made.folder / MODEL
        vector = _predicted(package) if platform.system() == "Darwin" else _interpreted(package)
        return TextEncoder(read_tokenizer(made.folder), most, dimensions, vector, padded=most)


def _converted(module: Any, most: int) -> Any:
    import coremltools as ct
    import torch

    ids = torch.ones((1, most), dtype=torch.int32)
    mask = torch.ones_like(ids)  # one tensor given twice becomes one input
    graph = torch.export.export(module, (ids, mask)).run_decompositions({})
    _without_aliases(graph.graph_module.graph)
    return ct.convert(
        graph,
        inputs=[ct.TensorType(name=name, shape=(1, most), dtype=np.int32) for name in _INPUTS],
        outputs=[ct.TensorType(name=_OUTPUT, dtype=np.float32)],
        minimum_deployment_target=ct.target.iOS18,
        compute_units=ct.ComputeUnit.CPU_AND_NE,
        skip_model_load=True,
    )


def _without_aliases(graph: Any) -> None:
    """Core ML's converter does not know them: a slice of all positions is one."""
    import torch

    for node in list(graph.nodes):
        if node.target is torch.ops.aten.alias.default:
            node.replace_all_uses_with(node.args[0])
            graph.erase_node(node)


def _interpreted(package: Path) -> Any:
    from skerry.export.formats.coreml.mil import Interpreter
    from skerry.export.formats.coreml.read import read_package

    interpreter = Interpreter(read_package(package))
    return lambda ids, mask: _result(interpreter.run(**_feed(ids, mask)))


def _predicted(package: Path) -> Any:
    import coremltools as ct

    model = ct.models.MLModel(str(package), compute_units=ct.ComputeUnit.CPU_AND_NE)
    return lambda ids, mask: _result(model.predict(_feed(ids, mask)))


def _feed(ids: Ids, mask: Ids) -> dict[str, Any]:
    return dict(zip(_INPUTS, (ids.astype(np.int32), mask.astype(np.int32)), strict=True))


def _result(made: Mapping[str, Any]) -> Vectors:
    return np.asarray(made[_OUTPUT], np.float32)
