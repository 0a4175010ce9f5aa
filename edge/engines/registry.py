"""Which engine runs which kind of file: the plug-in point of device engines.

A new engine is one entry of `ENGINES`: how to tell its models by their path, without opening
them, and a loader that imports the engine when it is first called.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from skerry.edge.engines.base import Engine, EngineOptions


class Loader(Protocol):
    """Loads the model at `path`; raises what the engine's own loader raises."""

    def __call__(self, path: Path, options: EngineOptions, *, name: str) -> Engine: ...


@dataclass(frozen=True, slots=True)
class EngineKind:
    """`adapter_suffix` is that of this engine's LoRA files."""

    recognises: Callable[[Path], bool]
    load: Loader
    adapter_suffix: str


def engine_of(path: Path, engines: Mapping[str, EngineKind] | None = None) -> str | None:
    """The name of the engine that runs the model at `path`; None when none does."""
    kinds = ENGINES if engines is None else engines
    return next((name for name, kind in kinds.items() if kind.recognises(path)), None)


def _is_gguf(path: Path) -> bool:
    return path.suffix.lower() == ".gguf" and path.is_file()


def _is_genai(path: Path) -> bool:
    return (path / "genai_config.json").is_file()


def _load_llama(path: Path, options: EngineOptions, *, name: str) -> Engine:
    from skerry.edge.engines.llama import load_llama

    return load_llama(path, options, name=name)


def _load_genai(path: Path, options: EngineOptions, *, name: str) -> Engine:
    from skerry.edge.engines.genai import load_genai

    return load_genai(path, options, name=name)


ENGINES: dict[str, EngineKind] = {
    "llama": EngineKind(_is_gguf, _load_llama, ".gguf"),
    "genai": EngineKind(_is_genai, _load_genai, ".onnx_adapter"),
}
