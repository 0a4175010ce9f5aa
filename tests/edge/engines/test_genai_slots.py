"""Slots: the right cache is chosen, everyone gets a turn, steps are cut at fixed positions."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.edge.engines.genai.model import GRANULE, KvCache
from skerry.edge.engines.genai.run import prefill_steps
from skerry.edge.engines.genai.slots import Slot, Slots, Wanted, choose

PREFIX = list(range(16))


def kept(tokens: list[int], adapter: str | None = None) -> KvCache:
    """A cache that holds `tokens`, without a library behind it: choosing needs none."""
    cache = KvCache(object(), adapter)
    cache.tokens = [*tokens, 999]
    return cache


@dataclass(frozen=True)
class Case:
    name: str
    slots: list[Slot]
    wanted: Wanted
    chosen: int | None


CASES = (
    Case("any of the empty", [Slot(), Slot()], Wanted(PREFIX), 0),
    Case("none is free", [Slot(busy=True), Slot(busy=True)], Wanted(PREFIX), None),
    Case(
        "that of the session",
        [Slot(), Slot(kept(PREFIX)), Slot(kept([7]), session="me")],
        Wanted([*PREFIX, 1, 2], session="me"),
        2,
    ),
    Case(
        "a busy session's prompt goes elsewhere",
        [Slot(kept(PREFIX), session="me", busy=True), Slot()],
        Wanted([*PREFIX, 1, 2], session="me"),
        1,
    ),
    Case(
        "the longest prefix that nobody owns",
        [Slot(), Slot(kept(PREFIX[:8])), Slot(kept(PREFIX)), Slot(kept(PREFIX), session="other")],
        Wanted([*PREFIX, 1, 2]),
        2,
    ),
    Case(
        "an empty one before another's conversation",
        [Slot(kept(PREFIX), session="other"), Slot()],
        Wanted([*PREFIX, 1, 2]),
        1,
    ),
    Case(
        "the one unused for longest",
        [Slot(kept([7]), used=3), Slot(kept([8]), used=1), Slot(kept([9]), used=2)],
        Wanted(PREFIX),
        1,
    ),
    Case(
        "not the cache of another adapter",
        [Slot(kept(PREFIX, "formal"), used=1), Slot()],
        Wanted([*PREFIX, 1, 2], adapter=None),
        1,
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_choose(case: Case) -> None:
    slot = choose(case.slots, case.wanted)
    assert slot is (None if case.chosen is None else case.slots[case.chosen])


@given(
    st.lists(st.integers(0, 2), max_size=60), st.lists(st.integers(0, 2), min_size=1, max_size=60)
)
def test_only_what_is_the_same_is_reused(here: list[int], there: list[int]) -> None:
    count = kept(here).shared(there, None)
    assert here[:count] == there[:count]
    assert count % GRANULE == 0
    assert count <= max(len(there) - 2, 0)
    assert kept(here).shared(there, "other") == 0


@given(st.integers(0, 40), st.integers(0, 300), st.integers(1, 8))
def test_steps_are_cut_at_the_same_positions(granules: int, length: int, size: int) -> None:
    start, step = granules * GRANULE, size * GRANULE
    steps = list(prefill_steps(start, start + length, step))
    assert [at for one in steps for at in one] == list(range(start, start + length))
    assert all(len(one) <= step for one in steps)
    assert all(one.stop % step == 0 for one in steps[:-1])


def test_everyone_gets_a_turn() -> None:
    slots, running, most = Slots(3), [0], [0]
    lock = threading.Lock()

    def one(number: int) -> int:
        with slots.lease(Wanted([number]), lambda: False) as slot:
            assert slot is not None
            with lock:
                running[0] += 1
                most[0] = max(most[0], running[0])
            time.sleep(0.002)
            with lock:
                running[0] -= 1
        return number

    with ThreadPoolExecutor(12) as threads:
        assert list(threads.map(one, range(60))) == list(range(60))
    assert most == [3]


def test_whoever_gives_up_waiting_gets_none() -> None:
    slots, stop = Slots(1), threading.Event()
    with slots.lease(Wanted([1]), lambda: False):
        threading.Timer(0.05, stop.set).start()
        with slots.lease(Wanted([2]), stop.is_set) as slot:
            assert slot is None
    with slots.lease(Wanted([3]), lambda: False) as slot:
        assert slot is not None
