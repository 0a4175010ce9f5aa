"""Parts of loaded models that several formats share: tokenizers, batching, log-probabilities."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skerry.export.errors import OutputFailed
from skerry.export.exporter import Logits, Vectors

TOKENIZER = "tokenizer.json"
Ids = NDArray[np.int64]


def read_tokenizer(folder: Path) -> Any:
    """The `tokenizers.Tokenizer` of a folder, without padding and truncation.

    Raises:
        OutputFailed: it is not there, or damaged.
    """
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
    except Exception as error:  # `tokenizers` raises no narrower class
        what = f"'{folder / TOKENIZER}' cannot be read: {error}"
        raise OutputFailed(what, hint="export again") from error
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


@dataclass(frozen=True, slots=True)
class TokenLlm:
    """A `LoadedLlm` of a tokenizer and a function from ids to scores (len(ids), vocabulary)."""

    tokenizer: Any
    score: Callable[[Sequence[int]], Logits]

    def tokenize(self, text: str) -> list[int]:
        ids: list[int] = self.tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    def logits(self, ids: Sequence[int]) -> Logits:
        return self.score(ids) if len(ids) else np.empty((0, 0), np.float32)

    def close(self) -> None:
        """Nothing is held that the garbage collector does not free."""


@dataclass(frozen=True, slots=True)
class TextEncoder:
    """A `LoadedEncoder` of a tokenizer and a function from (1, n) ids to one vector.

    `padded`: None, or the number of tokens that every text is filled up to.
    """

    tokenizer: Any
    most: int
    dimensions: int
    vector: Callable[[Ids, Ids], Vectors]
    padded: int | None = None

    def encode(self, texts: Sequence[str]) -> Vectors:
        feeds = (fed(self.tokenizer, text, self.most, self.padded) for text in texts)
        rows = [self.vector(*feed).reshape(1, -1) for feed in feeds]
        return np.concatenate(rows) if rows else np.empty((0, self.dimensions), np.float32)

    def close(self) -> None:
        """Nothing is held that the garbage collector does not free."""


def fed(tokenizer: Any, text: str, most: int, padded: int | None = None) -> tuple[Ids, Ids]:
    """Ids and mask of a text, [1, length]: cut after `most` tokens, filled up to `padded`."""
    ids = tokenizer.encode(text).ids
    if len(ids) > most:
        ids = [*ids[: most - 1], ids[-1]]
    row = np.zeros((1, padded or len(ids)), np.int64)
    mask = np.zeros_like(row)
    row[0, : len(ids)], mask[0, : len(ids)] = ids, 1
    return row, mask
