"""The planner takes the fewest bytes: one delta, a chain, or the whole file."""

from __future__ import annotations

import pytest

from skerry.sync.delta.plan import Offer, cheapest


def offer(size: int, target: str, *sources: str) -> Offer:
    return Offer(f"{'+'.join(sources)}-{target}", size, frozenset(sources), target, 100)


STEPS = [offer(10, "2", "1"), offer(10, "3", "2"), offer(10, "4", "3")]


@pytest.mark.parametrize(
    ("offers", "have", "expected", "fetched"),
    [
        ([], "1", [], 100),
        (STEPS, "1", ["1-2", "2-3", "3-4"], 30),
        (STEPS, "3", ["3-4"], 10),
        (STEPS, "9", [], 100),
        ([*STEPS, offer(25, "4", "1")], "1", ["1-4"], 25),
        ([*STEPS, offer(30, "4", "1")], "1", ["1-4"], 30),
        ([*STEPS, offer(31, "4", "1")], "1", ["1-2", "2-3", "3-4"], 30),
        ([offer(60, "2", "1"), offer(60, "4", "2")], "1", [], 100),
        ([offer(100, "4", "1")], "1", [], 100),
        ([offer(20, "4", "1", "a")], "1", [], 100),
        ([offer(20, "4", "1", "a")], "1a", ["1+a-4"], 20),
        ([offer(5, "2", "1"), offer(5, "1", "2"), offer(5, "4", "2", "a")], "1a", ["1-2", "2+a-4"], 10),
    ],
)  # fmt: skip
def test_route(offers: list[Offer], have: str, expected: list[str], fetched: int) -> None:
    route = cheapest(offers, frozenset(have), "4", 100)
    assert route is not None
    assert ([one.name for one in route.offers], route.fetched) == (expected, fetched)


def test_nothing_to_fetch() -> None:
    assert cheapest(STEPS, frozenset("4"), "4", 100) is None


def test_a_chain_is_not_longer_than_it_may_be() -> None:
    route = cheapest(STEPS, frozenset("1"), "4", 100, most_steps=2)
    assert route is not None
    assert route.full
