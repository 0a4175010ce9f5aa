"""Drafts by copying: what followed the same few tokens before (prompt lookup, Saxena 2023;
"Inference with reference", Yang et al. 2023, arXiv:2304.04487)."""

from __future__ import annotations

from collections.abc import Sequence

from skerry.cloud.hints.prefix import common
from skerry.edge.split.drafter import Guess

_LONGEST, _SHORTEST = 4, 2
_ODDS = {2: 0.55, 3: 0.75, 4: 0.9}
"""How often what followed the same two, three or four tokens follows again; measured roughly."""


class PromptLookup:
    """Copies from the sequence itself: its sources, its question, and what it has said.

    Longer matches win; of equally long ones the newest.
    """

    def __init__(self) -> None:
        self._seen: list[int] = []
        self._followed: dict[tuple[int, ...], int] = {}
        self._replaced: list[tuple[int, tuple[int, ...], int | None]] = []

    def draft(self, sequence: Sequence[int], most: int) -> list[Guess]:
        self._learn(sequence)
        for size in range(min(_LONGEST, len(sequence)), _SHORTEST - 1, -1):
            start = self._followed.get(tuple(sequence[-size:]))
            if start is not None:
                first, rest = _ODDS[size], _ODDS[_LONGEST]
                copied = sequence[start : start + most]
                return [Guess(one, rest if i else first) for i, one in enumerate(copied)]
        return []

    def read(self, sequence: Sequence[int]) -> bool:
        self._learn(sequence)
        return False

    def branch(self, sequence: Sequence[int], token: int, most: int) -> list[int]:
        copied = self.draft([*sequence, token], most - 1) if most > 1 else []
        return [token, *(one.token for one in copied)]

    def close(self) -> None:
        self._followed.clear()
        self._replaced.clear()
        self._seen.clear()

    def _learn(self, sequence: Sequence[int]) -> None:
        """Notes what follows every few tokens, but for the last ones."""
        kept = common(self._seen, sequence)
        self._forget(kept)
        for end in range(max(kept, _SHORTEST), len(sequence)):
            for size in range(_SHORTEST, min(_LONGEST, end) + 1):
                few = tuple(sequence[end - size : end])
                self._replaced.append((end, few, self._followed.get(few)))
                self._followed[few] = end
        self._seen = list(sequence)

    def _forget(self, kept: int) -> None:
        """Undoes what was noted from the token `kept` on: guesses are copies, so that what a wrong
        one replaced is where they came from."""
        while self._replaced and self._replaced[-1][0] >= kept:
            _, few, before = self._replaced.pop()
            if before is None:
                del self._followed[few]
            else:
                self._followed[few] = before
