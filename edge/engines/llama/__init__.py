"""GGUF models by llama.cpp, in process.

Importing this package is cheap; llama.cpp is loaded by the first `load_llama`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from skerry.bundles.gguf.header import GgufHeader
from skerry.edge.engines.llama.files import check_model, read_header
from skerry.edge.engines.llama.loader import load_llama

if TYPE_CHECKING:
    from skerry.edge.engines.llama.engine import LlamaEngine

__all__ = ["GgufHeader", "LlamaEngine", "check_model", "load_llama", "read_header"]


def __getattr__(name: str) -> object:
    if name == "LlamaEngine":
        from skerry.edge.engines.llama.engine import LlamaEngine

        return LlamaEngine
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
