"""Places and the fair queue."""

from __future__ import annotations

import asyncio

import pytest

from skerry.cloud.gateway.admission import Admission, Pool
from skerry.cloud.gateway.errors import Refusal

SOON = 0.01


async def test_one_owner_cannot_take_all_places() -> None:
    admission = Admission(places=3, waiting=8, wait_s=SOON)
    async with admission.place("a", most=2), admission.place("a", most=2):
        with pytest.raises(Refusal) as refused:
            async with admission.place("a", most=2):
                pass
        assert (refused.value.status, refused.value.code) == (429, "concurrency_exceeded")
        assert (b"retry-after", b"1") in refused.value.headers()
        async with admission.place("b", most=2):
            assert admission.everyone.full
    assert admission.everyone.used == 0


async def test_where_all_places_are_taken_it_is_nobodys_fault() -> None:
    admission = Admission(places=1, waiting=8, wait_s=SOON)
    async with admission.place("a", most=2):
        with pytest.raises(Refusal) as refused:
            async with admission.place("b", most=2):
                pass
    assert (refused.value.status, refused.value.code) == (503, "busy")


async def test_the_owner_with_the_fewest_under_way_is_next() -> None:
    admission, order = Admission(places=2, waiting=8, wait_s=5), list[str]()

    async def ask(owner: str, until: asyncio.Event) -> None:
        async with admission.place(owner, most=9):
            order.append(owner)
            await until.wait()

    ends = [asyncio.Event() for _ in range(6)]
    owners = ["a", "a", "a", "a", "b", "c"]
    async with asyncio.TaskGroup() as group:
        for owner, end in zip(owners, ends, strict=True):
            group.create_task(ask(owner, end))
            await asyncio.sleep(0)
        assert order == ["a", "a"]
        ends[0].set()
        await asyncio.sleep(SOON)
        assert order == ["a", "a", "b"], "a has one under way still, and asked before"
        for end in ends:
            end.set()
    assert sorted(order) == owners
    assert admission.everyone.used == admission.waiting == 0


async def test_a_full_pool_keeps_nobody_else_waiting() -> None:
    admission, small = Admission(places=9, waiting=8, wait_s=5), Pool("places of a model", 1)
    async with admission.place("a", most=9, pools=(small,)):
        waits = asyncio.create_task(_hold(admission, "a", small))
        await asyncio.sleep(0)
        async with admission.place("b", most=9):
            pass
        assert not waits.done()
    await waits
    assert small.used == 0


async def _hold(admission: Admission, owner: str, pool: Pool) -> None:
    async with admission.place(owner, most=9, pools=(pool,)):
        pass


async def test_whoever_gives_up_leaves_no_place_taken() -> None:
    admission = Admission(places=1, waiting=8, wait_s=5)
    async with admission.place("a", most=1):
        waits = asyncio.create_task(_hold(admission, "b", Pool("x", 1)))
        await asyncio.sleep(0)
    waits.cancel()  # it was let in, and has not run since
    await asyncio.gather(waits, return_exceptions=True)
    assert waits.cancelled()
    assert admission.everyone.used == admission.waiting == 0


async def test_the_queue_has_an_end_for_one_and_for_all() -> None:
    admission, pool = Admission(places=1, waiting=4, wait_s=5), Pool("x", 9)
    async with admission.place("z", most=9):
        tasks = [asyncio.create_task(_hold(admission, "a", pool)) for _ in range(3)]
        await asyncio.sleep(0)
        assert admission.waiting == 2
        with pytest.raises(Refusal) as own:
            await tasks[2]
        tasks += [asyncio.create_task(_hold(admission, owner, pool)) for owner in "bcd"]
        await asyncio.sleep(0)
        with pytest.raises(Refusal) as everybodys:
            await tasks[5]
    assert (own.value.status, everybodys.value.status) == (429, 503)
    done = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(one) for one in done].count(Refusal) == 2
    assert admission.everyone.used == 0
