"""How far two sequences of tokens are the same."""

from __future__ import annotations

from collections.abc import Sequence


def common(one: Sequence[int], two: Sequence[int]) -> int:
    """Equal tokens at the start."""
    pairs = enumerate(zip(one, two, strict=False))
    return next((i for i, (a, b) in pairs if a != b), min(len(one), len(two)))
