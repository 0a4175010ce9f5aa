"""What the source says of the held text, kept by content: every variant is compared with it.

Scores are kept as 16-bit logarithms of probabilities, which moves a mean divergence by some 1e-6:
they are normalised again when read. A folder is whole or not there.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skerry.export.errors import OutputFailed
from skerry.export.exporter import Kind, LoadedLlm, Vectors
from skerry.export.measure.divergence import BLOCK_ROWS, log_softmax
from skerry.export.measure.held_text import Stretch, held_digest, stretches

_VERSION = 1
_KEPT = 4
"""Sources of which scores are kept; a source of 49,152 tokens takes 0.35 GB."""
_HEAD, _SCORES, _VECTORS = "head.json", "scores.f16", "vectors.npy"


@dataclass(frozen=True, slots=True)
class SourceScores:
    """The stretches of the held text and the source's scores of each: [tokens, vocabulary]."""

    vocabulary: int
    stretches: tuple[Stretch, ...]
    file: Path

    def rows(self) -> Iterator[NDArray[np.float16]]:
        """For each stretch, a view of the file; read it in blocks."""
        total = sum(len(one.ids) for one in self.stretches)
        scores = np.memmap(self.file, np.float16, "r", shape=(total, self.vocabulary))
        start = 0
        for one in self.stretches:
            yield scores[start : start + len(one.ids)]
            start += len(one.ids)


def place(cache: Path, digest: str, kind: Kind, texts: str = "") -> Path:
    """The folder of a source's scores; `digest` is the source's, `texts` what else was read."""
    key = f"{_VERSION}:{kind}:{digest}:{held_digest()}:{texts}"
    return cache / "source" / hashlib.sha256(key.encode()).hexdigest()[:32]


def read_scores(folder: Path) -> SourceScores | None:
    """None where there are none, or they are not whole."""
    try:
        head = json.loads((folder / _HEAD).read_text("utf-8"))
        found = tuple(Stretch(text, tuple(ids)) for text, ids in head["stretches"])
        size = 2 * head["vocabulary"] * sum(len(one.ids) for one in found)
        if (folder / _SCORES).stat().st_size != size:
            return None
        os.utime(folder)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return SourceScores(head["vocabulary"], found, folder / _SCORES)


def write_scores(folder: Path, model: LoadedLlm) -> None:
    """Runs the source over the held text.

    Raises:
        OutputFailed: the disk is full, or the folder cannot be written.
    """
    found = stretches(model.tokenize)
    with _made(folder) as partial:
        width = 0
        with (partial / _SCORES).open("wb") as file:
            for one in found:
                logits = model.logits(one.ids)
                width = logits.shape[1]
                for start in range(0, len(logits), BLOCK_ROWS):
                    block = log_softmax(logits[start : start + BLOCK_ROWS])
                    file.write(block.astype(np.float16).tobytes())
        head = {"vocabulary": width, "stretches": [(one.text, one.ids) for one in found]}
        (partial / _HEAD).write_text(json.dumps(head), "utf-8")


def read_vectors(folder: Path, texts: int) -> Vectors | None:
    """An encoder source's vectors [texts, dimensions]; None where there are none."""
    try:
        vectors: Vectors = np.load(folder / _VECTORS, allow_pickle=False)
    except (OSError, ValueError):
        return None
    return vectors if vectors.ndim == 2 and len(vectors) == texts else None


def write_vectors(folder: Path, vectors: Vectors) -> None:
    """Raises OutputFailed as `write_scores` does."""
    with _made(folder) as partial:
        np.save(partial / _VECTORS, vectors)


def forget_old(cache: Path, kept: int = _KEPT) -> None:
    """Leaves the scores of the `kept` sources that were used last."""
    folders = [path for path in (cache / "source").glob("*") if path.is_dir()]
    for path in sorted(folders, key=_used_at, reverse=True)[kept:]:
        shutil.rmtree(path, ignore_errors=True)


def _used_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


class _made:
    """A folder beside the wanted one that takes its place when all went well."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._partial = Path()

    def __enter__(self) -> Path:
        try:
            self._folder.parent.mkdir(parents=True, exist_ok=True)
            self._partial = Path(tempfile.mkdtemp(prefix=".partial-", dir=self._folder.parent))
        except OSError as error:
            raise self._failed(error) from error
        return self._partial

    def __exit__(self, kind: object, error: object, _trace: Any) -> None:
        if error is None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._partial.replace(self._folder)
            return
        shutil.rmtree(self._partial, ignore_errors=True)
        if isinstance(error, OSError):
            raise self._failed(error) from error

    def _failed(self, error: OSError) -> OutputFailed:
        return OutputFailed(
            f"the source's scores cannot be kept in '{self._folder.parent}': {error.strerror}",
            hint="free some space, or name another cache folder",
        )
