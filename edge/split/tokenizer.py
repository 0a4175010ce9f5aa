"""What split inference asks of the device's model: its tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from skerry.edge.engines.base import Message


@runtime_checkable
class Tokenizer(Protocol):
    """The vocabulary of a model on the device. Thread-safe."""

    def prompt_tokens(self, messages: Sequence[Message]) -> list[int]:
        """The ids of the prompt that the model's chat template makes of `messages`.

        Raises:
            InputError: a message cannot be rendered.
            ContextOverflow: the prompt cannot fit.
        """
        ...

    def piece(self, token: int) -> bytes:
        """The bytes that a token adds to the text.

        Raises:
            InputError: the id is no token of the model.
        """
        ...

    def vocabulary_digest(self) -> bytes:
        """`skerry.cloud.hints.vocabulary.digest` of the model's tokens."""
        ...
