"""Sentence encoders as ExecuTorch programs: int8 weights for each output channel and int8
activations with a scale for each token; or float32. Embeddings stay in float32: ExecuTorch's pass
that fuses quantized ones fails on an encoder's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from skerry.device_profiles.profile import Format
from skerry.export.exporter import Kind, Loaded, Made, Vectors
from skerry.export.formats.base import FormatExporter, Job, Outcome
from skerry.export.formats.executorch.program import TO_RUN, open_program
from skerry.export.formats.folder import copy_beside
from skerry.export.formats.needs import extra
from skerry.export.formats.running import TOKENIZER, Ids, TextEncoder, read_tokenizer

MODEL = "model.pte"
_SHORTEST, _EXAMPLE = 2, 7  # tokens


class ExecutorchEncoder(FormatExporter):
    """An `Exporter` of BERT-like encoders."""

    format = Format.EXECUTORCH
    kind = Kind.ENCODER
    needs = extra(
        "executorch", "torch", "transformers", "executorch", "torchao",
        packages=("torch", "torchao", "executorch", "transformers"),
    )  # fmt: skip
    to_run = TO_RUN
    architectures = frozenset({"bert"})

    def precisions(self) -> tuple[str, ...]:
        return ("int8", "fp32")

    def _make(self, job: Job) -> Outcome:
        from skerry.export.encoder.float32 import pooled
        from skerry.export.encoder.folder import read_encoder

        source = read_encoder(job.source)
        module = pooled(source, plain_mask=True)
        if job.precision == "int8":
            job.progress("quantizing", 0.1)
            quantize8(module)
        job.progress("exporting the graph", 0.3)
        program = lowered(module, source.max_tokens)
        job.folder.mkdir()
        (job.folder / MODEL).write_bytes(program)
        copy_beside(job.source, job.folder, TOKENIZER)
        facts = {"dimensions": source.dimensions, "max_tokens": source.max_tokens}
        return Outcome(facts={**facts, "backend": "xnnpack"})

    def _open(self, made: Made) -> Loaded:
        most, dimensions = int(made.facts["max_tokens"]), int(made.facts["dimensions"])
        vector = _runner(made.folder / MODEL)
        return TextEncoder(read_tokenizer(made.folder), most, dimensions, vector)


def quantize8(module: Any) -> None:
    """Changes the linear layers of a torch module in place."""
    import torch
    from torchao.quantization import Int8DynamicActivationIntxWeightConfig, quantize_
    from torchao.quantization.granularity import PerAxis

    linear = Int8DynamicActivationIntxWeightConfig(
        weight_dtype=torch.int8,
        weight_granularity=PerAxis(0),
        intx_choose_qparams_algorithm="affine",
    )
    quantize_(module, linear, filter_fn=lambda part, _: isinstance(part, torch.nn.Linear))


def lowered(module: Any, most: int) -> bytes:
    """The program of a module that takes ids and mask, int64 [1, 2 to `most`]."""
    import torch
    from executorch.backends.xnnpack.partition.xnnpack_partitioner import (
        XnnpackDynamicallyQuantizedPartitioner,
        XnnpackPartitioner,
    )
    from executorch.exir import to_edge_transform_and_lower

    length = torch.export.Dim("length", min=_SHORTEST, max=most)
    ids = torch.ones((1, _EXAMPLE), dtype=torch.long)
    mask = torch.ones_like(ids)  # one tensor given twice becomes one input
    shapes = {name: {1: length} for name in ("input_ids", "attention_mask")}
    with torch.no_grad():
        graph = torch.export.export(module, (ids, mask), dynamic_shapes=shapes)
        edge = to_edge_transform_and_lower(
            graph, partitioner=[XnnpackDynamicallyQuantizedPartitioner(), XnnpackPartitioner()]
        )
    return bytes(edge.to_executorch().buffer)


def _runner(file: Path) -> Any:
    import torch

    forward = open_program(file)

    def vector(ids: Ids, mask: Ids) -> Vectors:
        return np.asarray(forward(torch.from_numpy(ids), torch.from_numpy(mask)), np.float32)

    return vector
