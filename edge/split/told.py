"""What the cloud was told before, so that only what is new travels. Thread-safe."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Sequence

from skerry.cloud.hints.prefix import common

_MOST = 8
_LEAST_KEPT = 16


class Told:
    """Sequences that the cloud may still hold, by session. One that is in use is nobody else's."""

    def __init__(self) -> None:
        self._sequences: dict[str, tuple[int, ...]] = {}
        self._lock = threading.Lock()

    def take(self, tokens: Sequence[int]) -> tuple[str, int]:
        """A session for `tokens`, and how many of them it begins with. At least one is sent."""
        with self._lock:
            kept, name = max(
                ((common(held, tokens), name) for name, held in self._sequences.items()),
                default=(0, ""),
            )
            kept = min(kept, len(tokens) - 1)
            if kept < _LEAST_KEPT:
                return secrets.token_hex(8), 0
            del self._sequences[name]
            return name, kept

    def give_back(self, session: str, tokens: Sequence[int]) -> None:
        """Notes what a session holds now; the oldest one is forgotten."""
        with self._lock:
            self._sequences[session] = tuple(tokens)
            if len(self._sequences) > _MOST:
                del self._sequences[next(iter(self._sequences))]
