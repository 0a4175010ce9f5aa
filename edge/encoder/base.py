"""What the index, the router and the guardrail heads need of a text encoder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]


class TextEncoder(Protocol):
    """Turns text into unit vectors. Thread-safe.

    `id` names the model and its exact file (name and digest); an index remembers it and refuses
    another. `dimensions` is the length of a vector.
    """

    @property
    def id(self) -> str: ...

    @property
    def dimensions(self) -> int: ...

    @property
    def max_tokens(self) -> int: ...

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, float32 [len(texts), dimensions]. Text past `max_tokens` is cut off."""
        ...

    def count_tokens(self, text: str) -> int: ...
