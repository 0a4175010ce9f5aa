"""The vectors that one request needs: no text is encoded twice, and one is encoded while something
else is done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from skerry.edge.encoder import TextEncoder, Vectors


class Encoding:
    """`encode` of an encoder, for the time of one request. Not thread-safe.

    To be closed: what was begun has ended then.
    """

    def __init__(self, encoder: TextEncoder) -> None:
        self._encoder = encoder
        self._known: dict[str, Vectors] = {}
        self._begun: dict[str, Callable[[], Vectors]] = {}

    def begin(self, text: str) -> None:
        """Starts to encode a text on another core, where the encoder can do that."""
        begin = getattr(self._encoder, "begin", None)
        if begin is not None and text not in self._known | self._begun:
            self._begun[text] = begin(text)

    def __call__(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, float32 [len(texts), dimensions]."""
        import numpy as np

        for text in dict.fromkeys(texts):
            if text in self._begun:
                self._known[text] = self._begun.pop(text)()[0]
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if new:
            self._known.update(zip(new, self._encoder.encode(new), strict=True))
        return np.stack([self._known[text] for text in texts])

    def close(self) -> None:
        """Waits for what was begun and not asked for."""
        while self._begun:
            self._begun.popitem()[1]()
