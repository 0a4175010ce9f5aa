"""Drafts by copying: what followed the same few tokens before (prompt lookup, Saxena 2023;
"Inference with reference", Yang et al. 2023, arXiv:2304.04487)."""

from __future__ import annotations

from collections.abc import Sequence

from skerry.cloud.hints.prefix import common
from skerry.edge.split.drafter import Guess

_LONGEST, _SHORTEST = 4, 2
_ODDS = (
    (16, 0.96), (14, 0.91), (8, 0.86), (6, 0.79), (5, 0.77), (4, 0.73), (3, 0.65), (0, 0.52),
)  # fmt: skip
"""How often what followed as many equal tokens follows again: from as many on, the longest first.
Measured on a third of the default model's greedy answers that a draft model learns from
(`skerry.export.distill`); a guess that is right makes the match longer."""


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
                copied = sequence[start : start + most]
                same = _same(sequence, start)
                return [Guess(one, _odds(i)) for i, one in enumerate(copied, same)]
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


def _same(sequence: Sequence[int], start: int) -> int:
    """How many tokens before `start` are the last ones of the sequence; all that matter."""
    most = min(start, _ODDS[0][0])
    pairs = zip(sequence[start - most : start][::-1], sequence[-most:][::-1], strict=True)
    return next((i for i, (one, other) in enumerate(pairs) if one != other), most)


def _odds(same: int) -> float:
    return next(odds for least, odds in _ODDS if same >= least)
