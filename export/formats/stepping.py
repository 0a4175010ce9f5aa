"""A language model whose runtime keeps its state between tokens: measured for speed and tasks, too.

`SteppingLlm` is a `LoadedLlm`, and a `Stepping` of `skerry.export.measure`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from skerry.export.errors import OutputFailed
from skerry.export.exporter import Logits
from skerry.export.formats.chat import Chat

CONTEXT_TOKENS = 2048
"""Places that a model is opened with, where it has as many: those of a GGUF that is measured."""

Row = NDArray[np.float32]


class Steps(Protocol):
    """A runtime with one sequence."""

    def begin(self, ids: Sequence[int]) -> Row:
        """Forgets all, reads `ids` from the first place on: scores of the next token."""
        ...

    def step(self, token: int) -> Row:
        """Reads one token more."""
        ...


@dataclass(slots=True)
class SteppingLlm:
    """A runtime with its tokenizer. `score` gives scores after each of some ids, as in `LoadedLlm`;
    `context_tokens` are the places that it has."""

    chat: Chat
    steps: Steps
    score: Callable[[Sequence[int]], Logits]
    context_tokens: int
    _place: int = 0

    def tokenize(self, text: str) -> list[int]:
        ids: list[int] = self.chat.tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    def logits(self, ids: Sequence[int]) -> Logits:
        """See `LoadedLlm`; OutputFailed where `ids` do not fit."""
        if not len(ids):
            return np.empty((0, 0), np.float32)
        self._take(len(ids), since=0)
        return self.score(ids)

    def begin(self, ids: Sequence[int]) -> Row:
        """See `Stepping`; OutputFailed where there are no `ids`, or more than fit."""
        self._take(len(ids), since=0)
        return self.steps.begin(ids)

    def step(self, token: int) -> Row:
        """See `Stepping`; OutputFailed where the context is full."""
        self._take(1, since=self._place)
        return self.steps.step(token)

    def chat_ids(self, system: str, user: str) -> list[int]:
        """See `Stepping`; Unsupported where there is no chat template."""
        return self.chat.ids(system, user)

    def piece(self, token: int) -> bytes:
        return self.chat.pieces.get(token, b"")

    def ends(self, token: int) -> bool:
        return token in self.chat.ends_at

    def close(self) -> None:
        """Nothing is held that the garbage collector does not free."""

    def _take(self, count: int, *, since: int) -> None:
        if not 0 < count <= self.context_tokens - since:
            raise OutputFailed(f"{since + count} tokens do not fit {self.context_tokens} places")
        self._place = since + count
