"""What a device should fetch to come from the version that it has to the one that it wants.

A pure function over the versions of deltas; what they cost is bytes to fetch.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count


@dataclass(frozen=True, slots=True)
class Offer:
    """A delta that can be fetched: `size` bytes that make `target` from `sources`; versions are
    SHA-256 in hexadecimal. `target_size` in bytes."""

    name: str
    size: int
    sources: frozenset[str]
    target: str
    target_size: int


@dataclass(frozen=True, slots=True)
class Route:
    """The deltas to fetch and apply, one after the other; none: the whole file. `fetched` and
    `written` in bytes; files between the first and the last version count as written."""

    offers: tuple[Offer, ...]
    fetched: int
    written: int

    @property
    def full(self) -> bool:
        return not self.offers


def cheapest(
    offers: Sequence[Offer],
    have: frozenset[str],
    target: str,
    full_size: int,
    *,
    most_steps: int = 8,
) -> Route | None:
    """The route of fewest bytes to fetch, then of fewest to write, of at most `most_steps` deltas.

    None: the device has the target already. `have` are the versions that are there; they stay, so
    that a delta of several sources may use them on the way (Dijkstra 1959, over versions).
    """
    if target in have:
        return None
    best = Route((), full_size, full_size)
    order = count()
    waiting: list[tuple[int, int, int, str | None, Route]] = [
        (0, 0, next(order), None, Route((), 0, 0))
    ]
    seen: set[str] = set()
    while waiting:
        _, _, _, at, route = heapq.heappop(waiting)
        if at == target:
            return min(best, route, key=lambda one: (one.fetched, one.written))
        if at is not None:
            if at in seen:
                continue
            seen.add(at)
        if len(route.offers) == most_steps:
            continue
        there = have if at is None else have | {at}
        for offer in offers:
            if offer.sources <= there and (at is None or at in offer.sources):
                further = Route((*route.offers, offer), route.fetched + offer.size,
                                route.written + offer.target_size)  # fmt: skip
                heapq.heappush(
                    waiting,
                    (further.fetched, further.written, next(order), offer.target, further),
                )
    return best
