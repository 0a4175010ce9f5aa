"""Which sequence a request gets: named cases, and properties of every choice."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.edge.engines.llama.plan import STALL_MS, next_group, prefill_room, share
from skerry.edge.engines.llama.slots import (
    COPY_COST_TOKENS,
    Choice,
    SlotView,
    choose_slot,
    common_prefix,
)


def ids(*parts: Iterable[int]) -> array[int]:
    return array("i", [token for part in parts for token in part])


SYSTEM, ADA, BOB = range(100), range(1000, 1400), range(2000, 2400)


PROMPT = ids(SYSTEM, ADA, range(10))


@dataclass(frozen=True)
class Case:
    name: str
    slots: Sequence[SlotView]
    expected: Choice | None
    session: str | None = None
    adapter: str | None = None


CASES = (
    Case("all busy", [SlotView(0, ids(), busy=True)], None),
    Case("empty", [SlotView(0, ids())], Choice(0, 0)),
    Case("its own turn before",
         [SlotView(0, ids()), SlotView(1, ids(SYSTEM, ADA))], Choice(1, 500)),
    Case("the same session, other text",
         [SlotView(0, ids(BOB), session="b"), SlotView(1, ids(BOB), session="a")],
         Choice(1, 0), session="a"),
    Case("leaves another's talk alone",
         [SlotView(0, ids(range(20), BOB), session="b"), SlotView(1, ids())],
         Choice(1, 0)),
    Case("copies a shared system prompt",
         [SlotView(0, ids(SYSTEM, BOB), session="b"), SlotView(1, ids())],
         Choice(1, 100, copy_from=0)),
    Case("copies from a busy slot",
         [SlotView(0, ids(SYSTEM, BOB), busy=True), SlotView(1, ids())],
         Choice(1, 100, copy_from=0)),
    Case("not worth a copy",
         [SlotView(0, ids(range(COPY_COST_TOKENS - 1), BOB), busy=True), SlotView(1, ids())],
         Choice(1, 0)),
    Case("leaves one token to decode",
         [SlotView(0, ids(SYSTEM, ADA, range(10)))], Choice(0, 509)),
    Case("never across adapters",
         [SlotView(0, ids(SYSTEM, ADA), adapter="x"), SlotView(1, ids(BOB), idle=9)],
         Choice(1, 0)),
    Case("within an adapter",
         [SlotView(0, ids(SYSTEM, ADA), adapter="x"), SlotView(1, ids())],
         Choice(0, 500), adapter="x"),
    Case("takes the longest idle", [SlotView(0, ids(BOB), idle=1), SlotView(1, ids(BOB), idle=7)],
         Choice(1, 0)),
    Case("an old long talk goes before a fresh short one",
         [SlotView(0, ids(BOB), idle=30), SlotView(1, ids(range(5000, 5100)), idle=0)],
         Choice(0, 0)),
)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_choice(case: Case) -> None:
    found = choose_slot(PROMPT, case.slots, session=case.session, adapter=case.adapter)
    assert found == case.expected


TOKENS = st.lists(st.integers(0, 3), max_size=40).map(lambda tokens: array("i", tokens))
SESSIONS, ADAPTERS = st.sampled_from([None, "a", "b"]), st.sampled_from([None, "x"])
VIEWS = st.lists(
    st.tuples(TOKENS, st.booleans(), SESSIONS, ADAPTERS, st.integers(0, 5)),
    max_size=6,
).map(lambda rows: [SlotView(index, *row) for index, row in enumerate(rows)])  # fmt: skip


@given(TOKENS.filter(len), VIEWS, SESSIONS, ADAPTERS)
def test_every_choice_is_possible(
    prompt: array[int], slots: list[SlotView], session: str | None, adapter: str | None
) -> None:
    found = choose_slot(prompt, slots, session=session, adapter=adapter)
    if found is None:
        assert all(slot.busy for slot in slots)
        return
    assert not slots[found.slot].busy
    assert 0 <= found.reused < len(prompt)
    source = slots[found.slot if found.copy_from is None else found.copy_from]
    assert source.tokens[: found.reused] == prompt[: found.reused]
    assert found.reused == 0 or source.adapter == adapter


@given(TOKENS, TOKENS)
def test_common_prefix(one: array[int], two: array[int]) -> None:
    size = common_prefix(one, two)
    assert one[:size] == two[:size]
    assert size == min(len(one), len(two)) or one[size] != two[size]


@given(st.integers(0, 100), st.lists(st.integers(1, 500)))
def test_shares_fill_the_room_in_order(room: int, waiting: list[int]) -> None:
    taken = share(room, waiting)
    assert sum(taken) == min(room, sum(waiting))
    assert all(count <= wanted for count, wanted in zip(taken, waiting, strict=True))
    started = [count for count in taken if count]
    assert taken[: len(started)] == started
    assert started[:-1] == waiting[: len(started)][:-1]


def test_prompts_do_not_hold_up_running_streams_for_long() -> None:
    assert prefill_room(0, batch_tokens=256, ms_per_token=5) == 256
    assert prefill_room(3, batch_tokens=256, ms_per_token=5) == STALL_MS / 5
    assert prefill_room(3, batch_tokens=256, ms_per_token=0.01) == 253
    assert prefill_room(3, batch_tokens=256, ms_per_token=1e6) > 0
    assert prefill_room(256, batch_tokens=256, ms_per_token=1) == 0


def test_adapters_take_turns() -> None:
    turns = [""]
    for _ in range(4):
        turns.append(next_group(["", "a", "b"], turns[-1]))
    assert turns == ["", "a", "b", "", "a"]
    assert next_group(["b"], "a") == "b"
