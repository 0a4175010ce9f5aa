"""The ONNX Runtime GenAI engine: a folder of int4 or fp32 ONNX weights, run on the CPU or more.

Needs the extra `genai`; importing this package does not import the library.
"""

from __future__ import annotations

from skerry.edge.engines.genai.engine import GenaiEngine, load_genai

__all__ = ["GenaiEngine", "load_genai"]
