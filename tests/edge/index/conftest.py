"""What the tests of the index share: the real encoder, a stepped clock, small documents."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from skerry.edge.encoder import OnnxEncoder, TextEncoder, Vectors
from skerry.edge.index import Index
from skerry.edge.index.database import Database

DAY = 86_400.0


@dataclass(slots=True)
class Clock:
    """A clock that moves when it is told to."""

    now: float = 1_750_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass(frozen=True, slots=True)
class RandomEncoder:
    """A `TextEncoder` with a random but fixed unit vector for each text: quick, and no meaning."""

    id: str = "random@1"
    dimensions: int = 64
    max_tokens: int = 256

    def encode(self, texts: Sequence[str]) -> Vectors:
        rows = np.array([self._row(text) for text in texts], np.float32)
        rows = rows.reshape(len(texts), self.dimensions)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    def count_tokens(self, text: str) -> int:
        return len(text.split()) + 2

    def _row(self, text: str) -> np.ndarray:
        seed = hashlib.sha256(f"{self.id} {text}".encode()).digest()[:8]
        return np.random.default_rng(int.from_bytes(seed)).standard_normal(self.dimensions)


@pytest.fixture(scope="session")
def encoder() -> TextEncoder:
    return OnnxEncoder.load()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def index(tmp_path: Path, encoder: TextEncoder, clock: Clock) -> Iterator[Index]:
    with Index.open(tmp_path / "index.db", encoder, clock=clock) as opened:
        yield opened


Write = Callable[[str, str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a file below the folder `docs`."""

    def write_file(name: str, text: str) -> Path:
        path = tmp_path / "docs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return write_file


def database_of(index: Index) -> Database:
    """The file that an index has open now."""
    with index._following.part() as opened:
        return opened.database
