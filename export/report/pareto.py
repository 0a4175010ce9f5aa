"""Which of several things no other one beats in both respects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """A thing by two numbers, of which less is better."""

    name: str
    x: float
    y: float


def front(places: Sequence[Place]) -> tuple[Place, ...]:
    """Those that no other is at least as good as in both and better in one, by `x`.

    Of several with the same two numbers all are in it.
    """
    return tuple(
        sorted(
            (one for one in places if not any(_beats(other, one) for other in places)),
            key=lambda one: (one.x, one.y, one.name),
        )
    )


def _beats(one: Place, other: Place) -> bool:
    as_good = one.x <= other.x and one.y <= other.y
    return as_good and (one.x, one.y) != (other.x, other.y)
