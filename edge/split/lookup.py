"""Drafts by copying: what followed the same few tokens before (prompt lookup, Saxena 2023;
"Inference with reference", Yang et al. 2023, arXiv:2304.04487)."""

from __future__ import annotations

from collections.abc import Sequence

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
            start = self._followed.get(tuple(sequence[-size:]))
            if start is not None and start < len(sequence):
                return list(sequence[start : start + most])
        return []

    def close(self) -> None:
        self._followed.clear()

    def _learn(self, sequence: Sequence[int]) -> None:
        """Notes what follows every few tokens, but for the last ones."""
        kept = _common(self._seen, sequence)
        if kept < len(self._seen):
            self._followed, kept = {}, 0
        for end in range(max(kept, _SHORTEST), len(sequence)):
            for size in range(_SHORTEST, min(_LONGEST, end) + 1):
                self._followed[tuple(sequence[end - size : end])] = end
        self._seen = list(sequence)


def _common(one: Sequence[int], two: Sequence[int]) -> int:
    pairs = enumerate(zip(one, two, strict=False))
    return next((i for i, (a, b) in pairs if a != b), min(len(one), len(two)))
