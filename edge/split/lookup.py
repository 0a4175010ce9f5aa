"""Drafts by copying: what followed the same few tokens before (prompt lookup, Saxena 2023;
"Inference with reference", Yang et al. 2023, arXiv:2304.04487)."""

from __future__ import annotations

from collections.abc import Sequence

from skerry.cloud.hints.prefix import common

_LONGEST, _SHORTEST = 4, 2


class PromptLookup:
    """Copies from the sequence itself: its sources, its question, and what it has said.

    Longer matches win; of equally long ones the newest.
    """

    def __init__(self) -> None:
        self._seen: list[int] = []
        self._followed: dict[tuple[int, ...], int] = {}

    def draft(self, sequence: Sequence[int], most: int) -> list[int]:
        self._learn(sequence)
        for size in range(min(_LONGEST, len(sequence)), _SHORTEST - 1, -1):
            said = tuple(sequence[-size:])
            start = self._followed.get(said, len(sequence))
            if start < len(sequence) and tuple(sequence[start - size : start]) == said:
                return list(sequence[start : start + most])
        return []

    def close(self) -> None:
        self._followed.clear()

    def _learn(self, sequence: Sequence[int]) -> None:
        """Notes what follows every few tokens, but for the last ones. What was noted of guesses
        that were wrong is found out when it is looked up."""
        kept = common(self._seen, sequence)
        for end in range(max(kept, _SHORTEST), len(sequence)):
            for size in range(_SHORTEST, min(_LONGEST, end) + 1):
                self._followed[tuple(sequence[end - size : end])] = end
        self._seen = list(sequence)
