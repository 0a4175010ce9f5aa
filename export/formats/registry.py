"""Which exporter makes which format of which kind of model. A module is imported when asked for.

Importing an exporter imports none of its tools, so that all of them can be listed anywhere.
"""

from __future__ import annotations

import importlib

from skerry.device_profiles.profile import Format
from skerry.export.errors import Unsupported
from skerry.export.exporter import Exporter, Kind

_HERE = "skerry.export.formats"
_TABLE = {
    (Format.GGUF, Kind.LLM): "skerry.export.gguf.exporter:GgufExporter",
    (Format.ONNX, Kind.LLM): f"{_HERE}.onnx.llm:OnnxLlm",
    (Format.ONNX, Kind.ENCODER): f"{_HERE}.onnx.encoder:OnnxEncoder",
    (Format.EXECUTORCH, Kind.LLM): f"{_HERE}.executorch.llm:ExecutorchLlm",
    (Format.EXECUTORCH, Kind.ENCODER): f"{_HERE}.executorch.encoder:ExecutorchEncoder",
    (Format.COREML, Kind.ENCODER): f"{_HERE}.coreml.encoder:CoremlEncoder",
    (Format.LITERT, Kind.ENCODER): f"{_HERE}.litert.encoder:LitertEncoder",
    (Format.MLC, Kind.LLM): f"{_HERE}.mlc.llm:MlcLlm",
    (Format.SAFETENSORS, Kind.LLM): f"{_HERE}.gptq.llm:CheckpointLlm",
}


def keys() -> tuple[tuple[Format, Kind], ...]:
    """What can be found, in the order of the documentation."""
    return tuple(_TABLE)


def find(made: Format, kind: Kind) -> Exporter:
    """The exporter of models of this kind to the format `made`.

    Raises:
        Unsupported: there is none.
    """
    if (made, kind) not in _TABLE:
        can = ", ".join(f"{format_} ({kind_})" for format_, kind_ in _TABLE)
        raise Unsupported(f"no exporter makes {made} of a model of kind {kind}", hint=f"can: {can}")
    module, name = _TABLE[made, kind].split(":")
    exporter: Exporter = getattr(importlib.import_module(module), name)()
    return exporter
