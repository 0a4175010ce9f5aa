"""Local model backends behind one Protocol.

A backend is imported only when it is chosen: `edge.engines.llama` (llama.cpp),
`edge.engines.genai` (ONNX Runtime GenAI).
"""

from __future__ import annotations

from skerry.edge.engines.base import (
    Engine,
    EngineOptions,
    FinishReason,
    Generation,
    Message,
    ModelInfo,
    Piece,
    Sampling,
    TokenLogprob,
    TokenStats,
    Usage,
)

__all__ = [
    "Engine",
    "EngineOptions",
    "FinishReason",
    "Generation",
    "Message",
    "ModelInfo",
    "Piece",
    "Sampling",
    "TokenLogprob",
    "TokenStats",
    "Usage",
]
