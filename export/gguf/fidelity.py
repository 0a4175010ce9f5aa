"""How far a GGUF file's predictions are from those of the model it was made from.

The source runs once over a text; every file that is made from it is then compared with what was
kept. Texts are cut into windows of `WINDOW` tokens, each read from an empty context.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from skerry.export.errors import Unsupported
from skerry.export.exporter import Logits
from skerry.export.genai.measure import Fidelity
from skerry.export.gguf.loaded import LoadedGguf

WINDOW = 256
LEAST_TOKENS = 32

Logprobs = NDArray[np.float32]


@contextmanager
def loaded(path: Path, threads: int = 0) -> Iterator[LoadedGguf]:
    """The model, for as long as the block runs."""
    model = LoadedGguf(path, threads=threads)
    try:
        yield model
    finally:
        model.close()


@dataclass(frozen=True, slots=True)
class Reference:
    """What a source model says of a text.

    Attributes:
        windows: token ids.
        logprobs: for each window natural logarithms of shape (its tokens, vocabulary), float32.
    """

    windows: tuple[tuple[int, ...], ...]
    logprobs: tuple[Logprobs, ...]
    threads: int = 0

    def measure(self, path: Path) -> Fidelity:
        """Runs a GGUF file with the same tokens over the same windows."""
        with loaded(path, self.threads) as model:
            pairs = zip(self.windows, self.logprobs, strict=True)
            parts = [_compared(ids, theirs, model.logits(ids)) for ids, theirs in pairs]
        return _joined(parts)


def reference(source: Path, text: str, *, tokens: int | None = None, threads: int = 0) -> Reference:
    """Runs the source over `text`, of which only the first `tokens` count.

    Raises:
        Unsupported: the text has fewer than `LEAST_TOKENS` tokens.
    """
    with loaded(source, threads) as model:
        windows = tuple(windows_of(model.tokenize(text)[:tokens]))
        return Reference(windows, tuple(log_softmax(model.logits(ids)) for ids in windows), threads)


def windows_of(ids: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Cuts a text's tokens; a last window of less than two tokens says nothing of what follows
    what, and is left out."""
    if len(ids) < LEAST_TOKENS:
        raise Unsupported(
            f"the text has {len(ids)} tokens; a measurement needs {LEAST_TOKENS}",
            hint="give a longer text",
        )
    for start in range(0, len(ids), WINDOW):
        part = tuple(ids[start : start + WINDOW])
        if len(part) > 1:
            yield part


def log_softmax(logits: Logits) -> Logprobs:
    """Row by row; the sum is taken in double precision."""
    shifted: Logprobs = logits - logits.max(axis=1, keepdims=True)
    sums = np.exp(shifted).sum(axis=1, keepdims=True, dtype=np.float64)
    shifted -= np.log(sums).astype(np.float32)
    return shifted


@dataclass(frozen=True, slots=True)
class _Part:
    """Sums over one window: `tokens` positions, `followed` of which have a next token."""

    tokens: int
    followed: int
    kl: float
    agreed: int
    surprise: float
    source_surprise: float


def _compared(ids: Sequence[int], source: Logprobs, logits: Logits) -> _Part:
    export = log_softmax(logits)
    kl = (np.exp(source) * (source - export)).sum(dtype=np.float64)
    here, following = np.arange(len(ids) - 1), np.asarray(ids[1:])
    return _Part(
        tokens=len(ids),
        followed=len(ids) - 1,
        kl=float(kl),
        agreed=int((source.argmax(1) == export.argmax(1)).sum()),
        surprise=-float(export[here, following].sum(dtype=np.float64)),
        source_surprise=-float(source[here, following].sum(dtype=np.float64)),
    )


def _joined(parts: Sequence[_Part]) -> Fidelity:
    tokens = sum(part.tokens for part in parts)
    followed = sum(part.followed for part in parts)
    return Fidelity(
        tokens=tokens,
        kl_mean_nats=max(0.0, sum(part.kl for part in parts) / tokens),
        top1_agreement=sum(part.agreed for part in parts) / tokens,
        perplexity=float(np.exp(sum(part.surprise for part in parts) / followed)),
        source_perplexity=float(np.exp(sum(part.source_surprise for part in parts) / followed)),
    )
