"""The contract of every format: how a variant of a model is made, loaded and compared.

One conformance suite (`tests/export/conformance`) holds every exporter to it: export, load by a
real runtime of this machine, compare with the source. Nothing here knows a format.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from skerry.device_profiles.profile import Format

Progress = Callable[[str, float], None]
"""Told (what is being done, share of it that is done, 0 to 1); may raise to stop the export."""

Logits = NDArray[np.float32]
Vectors = NDArray[np.float32]


class Kind(StrEnum):
    """What a model does: writes tokens, or makes a vector of a text."""

    LLM = "llm"
    ENCODER = "encoder"


def unheard(_what: str, _done: float) -> None:
    """Nobody asks for progress."""


@dataclass(frozen=True, slots=True)
class Made:
    """What an exporter made: `files`, relative to its folder, and `facts` for the manifest.

    `notes` say in plain words what a reader must know, such as tensors that fell back to a wider
    type than was asked for.
    """

    folder: Path
    format: Format
    precision: str
    files: tuple[Path, ...]
    notes: tuple[str, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)


@runtime_checkable
class LoadedLlm(Protocol):
    """A language model that runs here."""

    def tokenize(self, text: str) -> list[int]: ...

    def logits(self, ids: Sequence[int]) -> Logits:
        """Scores of the next token after each of `ids`: shape (len(ids), vocabulary)."""
        ...

    def close(self) -> None: ...


@runtime_checkable
class LoadedEncoder(Protocol):
    """An encoder that runs here."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors: shape (len(texts), dimensions)."""
        ...

    def close(self) -> None: ...


Loaded = LoadedLlm | LoadedEncoder


class Exporter(Protocol):
    """Makes one format. Importing its module imports no tool; calling it does."""

    format: Format
    kind: Kind

    def precisions(self) -> tuple[str, ...]:
        """Names of what it can make, such as "q4_k_m" or "int8"; the default first."""
        ...

    def missing(self) -> str | None:
        """None, or the command line that installs what it needs."""
        ...

    def runs_here(self) -> str | None:
        """None, or why what it makes cannot be run on this machine."""
        ...

    def export(
        self, source: Path, precision: str, out: Path, *, progress: Progress = unheard
    ) -> Made:
        """Makes the variant in the folder `out`, which is whole when this returns, or untouched.

        Args:
            source: a GGUF file, or a Hugging Face folder with safetensors.
            precision: one of `precisions()`.
            out: a folder that does not exist yet; its parent does.
            progress: told how far it is.

        Raises:
            ExportError: it cannot be done; nothing is left in `out`.
        """
        ...

    def load(self, made: Path) -> Loaded:
        """Opens what `export` made in the folder `made`.

        Raises:
            Unsupported: it cannot run on this machine (`runs_here`).
            OutputFailed: it is damaged.
        """
        ...
