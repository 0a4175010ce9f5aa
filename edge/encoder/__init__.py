"""The text encoder: one pass gives the vector that router, guardrails and index share."""

from __future__ import annotations

from skerry.edge.encoder.base import TextEncoder, Vectors
from skerry.edge.encoder.files import DEFAULT_FOLDER, Manifest, read_manifest
from skerry.edge.encoder.minilm import OnnxEncoder

__all__ = [
    "DEFAULT_FOLDER",
    "Manifest",
    "OnnxEncoder",
    "TextEncoder",
    "Vectors",
    "read_manifest",
]
