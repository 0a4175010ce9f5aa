"""Chooses a type for each tensor: the least loss at a size. Pure arithmetic.

Each tensor has options (bytes, loss); of these only the lower convex hull can be best. All start
at their smallest option; then the step with the largest gain per byte is taken, again and again.
This is the greedy solution of the multiple-choice knapsack problem, off the best by one step at
most (Kellerer, Pferschy, Pisinger, "Knapsack Problems", 2004, section 11.2).
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Option:
    """A type that a tensor can have, its size and the loss that it adds."""

    kind: str
    size: int
    loss: float


@dataclass(frozen=True, slots=True)
class Choice:
    """A type for each tensor, with the sums of their sizes and losses."""

    kinds: dict[str, str]
    size: int
    loss: float


def hull(options: list[Option]) -> list[Option]:
    """The options that can be best, from small to large, with falling gain per byte."""
    kept: list[Option] = []
    for option in sorted(options, key=lambda one: (one.size, one.loss)):
        if kept and option.loss >= kept[-1].loss:
            continue
        while len(kept) > 1 and _gain(kept[-2], kept[-1]) <= _gain(kept[-1], option):
            kept.pop()
        if kept and kept[-1].size == option.size:
            kept.pop()
        kept.append(option)
    return kept


def _gain(small: Option, large: Option) -> float:
    """Loss saved per byte."""
    return (small.loss - large.loss) / (large.size - small.size)


def frontier(options: Mapping[str, list[Option]]) -> Iterator[Choice]:
    """Choices from the smallest to the one of least loss, one step after the other."""
    hulls = {name: hull(rows) for name, rows in options.items()}
    at = dict.fromkeys(hulls, 0)
    size = sum(rows[0].size for rows in hulls.values())
    loss = sum(rows[0].loss for rows in hulls.values())
    steps = [(-_gain(rows[0], rows[1]), name) for name, rows in hulls.items() if len(rows) > 1]
    heapq.heapify(steps)
    while True:
        yield Choice({name: hulls[name][place].kind for name, place in at.items()}, size, loss)
        if not steps:
            return
        _, name = heapq.heappop(steps)
        rows, place = hulls[name], at[name] + 1
        size += rows[place].size - rows[place - 1].size
        loss += rows[place].loss - rows[place - 1].loss
        at[name] = place
        if place + 1 < len(rows):
            heapq.heappush(steps, (-_gain(rows[place], rows[place + 1]), name))


def within_size(options: Mapping[str, list[Option]], size: int) -> Choice | None:
    """The choice of least loss that is no larger than `size`; None when none is."""
    best = None
    for choice in frontier(options):
        if choice.size <= size:
            best = choice
    return best


def within_loss(options: Mapping[str, list[Option]], loss: float) -> Choice | None:
    """The smallest choice of the frontier that loses no more than `loss`; None when none does."""
    return next((choice for choice in frontier(options) if choice.loss <= loss), None)
