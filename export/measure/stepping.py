"""What a measurement needs beyond `LoadedLlm.logits`: one token after another, and a chat.

A format whose runtime offers it is measured for speed and tasks as well; any other for what its
logits say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Row = NDArray[np.float32]


@runtime_checkable
class Stepping(Protocol):
    """A loaded model that keeps its state between tokens."""

    def begin(self, ids: Sequence[int]) -> Row:
        """Forgets all, reads `ids`, and gives the scores of the next token: [vocabulary].

        The row is valid until the next call.
        """
        ...

    def step(self, token: int) -> Row:
        """Reads one token more; as `begin`."""
        ...

    def chat_ids(self, system: str, user: str) -> list[int]:
        """The tokens of a conversation that waits for the model's answer."""
        ...

    def piece(self, token: int) -> bytes:
        """The bytes that a token adds to a text; none for a control token."""
        ...

    def ends(self, token: int) -> bool:
        """Whether the token ends an answer."""
        ...


@dataclass(frozen=True, slots=True)
class Greedy:
    """`model` as a function from a question to its likeliest answer, token by token."""

    model: Stepping

    def __call__(self, system: str, user: str, max_tokens: int) -> str:
        row = self.model.begin(self.model.chat_ids(system, user))
        said: list[bytes] = []
        for _ in range(max_tokens):
            token = int(row.argmax())
            if self.model.ends(token):
                break
            said.append(self.model.piece(token))
            row = self.model.step(token)
        return b"".join(said).decode("utf-8", "replace").strip()
