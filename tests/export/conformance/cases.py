"""One row for each format, kind and precision, with what it may lose of its source.

A new exporter needs its line in `skerry.export.formats.registry`, and a row here.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from skerry.device_profiles.profile import Format
from skerry.export.exporter import Exporter, Kind
from skerry.export.formats.registry import find, keys


@dataclass(frozen=True, slots=True)
class Row:
    """`worst`: the largest mean KL in nats of a language model, the least mean cosine of an
    encoder."""

    format: Format
    kind: Kind
    precision: str
    worst: float

    def exporter(self) -> Exporter:
        return find(self.format, self.kind)

    def exporter_here(self) -> Exporter:
        """Skips the test where the tools are not installed."""
        exporter = self.exporter()
        line = exporter.missing()
        if line is not None:
            pytest.skip(f"{self.format} ({self.kind}) is not installed: {line}")
        return exporter


ROWS = (
    Row(Format.GGUF, Kind.LLM, "f32", 0.0001),
    Row(Format.GGUF, Kind.LLM, "q8_0", 0.005),
    Row(Format.GGUF, Kind.LLM, "q5_k_m", 0.05),
    Row(Format.ONNX, Kind.ENCODER, "int8", 0.993),
    Row(Format.ONNX, Kind.ENCODER, "fp32", 0.9999),
    Row(Format.ONNX, Kind.LLM, "int4", 0.05),
    Row(Format.ONNX, Kind.LLM, "int8", 0.005),
    Row(Format.ONNX, Kind.LLM, "fp32", 0.0001),
    Row(Format.EXECUTORCH, Kind.LLM, "8da4w", 0.2),
    Row(Format.EXECUTORCH, Kind.LLM, "fp32", 0.0001),
    Row(Format.EXECUTORCH, Kind.ENCODER, "int8", 0.99),
    Row(Format.EXECUTORCH, Kind.ENCODER, "fp32", 0.9999),
    Row(Format.COREML, Kind.LLM, "fp16", 0.001),
    Row(Format.COREML, Kind.LLM, "int8", 0.01),
    Row(Format.COREML, Kind.LLM, "int4", 0.2),
    Row(Format.COREML, Kind.ENCODER, "int8", 0.99),
    Row(Format.COREML, Kind.ENCODER, "fp16", 0.999),
    Row(Format.COREML, Kind.ENCODER, "palette6", 0.97),
    Row(Format.LITERT, Kind.ENCODER, "int8", 0.99),
    Row(Format.LITERT, Kind.ENCODER, "fp32", 0.9999),
    Row(Format.MLC, Kind.LLM, "q4f16_1", 0.1),
    Row(Format.SAFETENSORS, Kind.LLM, "gptq4", 0.2),
)

EVERY_ROW = pytest.mark.parametrize(
    "row", ROWS, ids=[f"{row.format}-{row.kind}-{row.precision}" for row in ROWS]
)
EVERY_EXPORTER = pytest.mark.parametrize(
    "row",
    [next(row for row in ROWS if (row.format, row.kind) == key) for key in keys()],
    ids=[f"{format_}-{kind}" for format_, kind in keys()],
)
