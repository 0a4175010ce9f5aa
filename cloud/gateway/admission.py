"""Who may be under way at once, and who waits for how long: places and a fair queue.

A request needs a place among all, one of those that its owner may have, and one in each pool that
it names (its model's). Whoever waits is let in by the owner with the fewest under way, so that one
owner cannot keep the others out. Used by one event loop only.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from skerry.cloud.gateway.errors import Refusal

_SMOOTHING = 0.1


@dataclass(slots=True, eq=False)
class Pool:
    """`size` places; `name` is what a refusal calls them."""

    name: str
    size: int
    used: int = 0

    @property
    def full(self) -> bool:
        return self.used >= self.size


@dataclass(slots=True, eq=False)
class _Waiter:
    """`most`: places that its owner may have."""

    owner: str
    most: int
    pools: Sequence[Pool]
    let_in: asyncio.Future[None] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class Admission:
    """Places, and the queue for them.

    Args:
        places: requests under way at once, of everybody.
        waiting: requests that may wait, of everybody; an owner may have half of them.
        wait_s: how long one may wait.
    """

    def __init__(self, places: int, waiting: int, wait_s: float) -> None:
        self.everyone = Pool("places", places)
        self._most_waiting, self._wait_s = waiting, wait_s
        self._queues: dict[str, deque[_Waiter]] = {}
        self._under_way: Counter[str] = Counter()
        self._held_s = 1.0

    @property
    def waiting(self) -> int:
        return sum(map(len, self._queues.values()))

    @asynccontextmanager
    async def place(
        self, owner: str, *, most: int, pools: Sequence[Pool] = (), wait_s: float | None = None
    ) -> AsyncIterator[None]:
        """Holds a place among all, of which `owner` may have `most`, and one in each of `pools`.

        Args:
            wait_s: a shorter wait than the usual one.

        Raises:
            Refusal: 429 where the owner's own requests are too many, 503 where everybody's are;
                with the seconds after which to come back.
        """
        waiter = _Waiter(owner, most, (self.everyone, *pools))
        await self._enter(waiter, self._wait_s if wait_s is None else min(wait_s, self._wait_s))
        since = asyncio.get_running_loop().time()
        try:
            yield
        finally:
            held = asyncio.get_running_loop().time() - since
            self._held_s += _SMOOTHING * (held - self._held_s)
            self._leave(waiter)

    async def _enter(self, waiter: _Waiter, wait_s: float) -> None:
        if self._fits(waiter) and waiter.owner not in self._queues:
            self._take(waiter)
            return
        self._check_room(waiter)
        self._queues.setdefault(waiter.owner, deque()).append(waiter)
        try:
            async with asyncio.timeout(max(0.0, wait_s)):
                await waiter.let_in
        except TimeoutError:
            if not self._withdraw(waiter):
                raise self._no_place(waiter) from None
        except BaseException:
            if self._withdraw(waiter):
                self._leave(waiter)
            raise

    def _withdraw(self, waiter: _Waiter) -> bool:
        """Waits no more. Whether it has been let in meanwhile."""
        if waiter.let_in.done() and not waiter.let_in.cancelled():
            return True
        self._unqueue(waiter)
        return False

    def _unqueue(self, waiter: _Waiter) -> None:
        queue = self._queues[waiter.owner]
        queue.remove(waiter)
        if not queue:
            del self._queues[waiter.owner]

    def _fits(self, waiter: _Waiter) -> bool:
        own = self._under_way[waiter.owner] < waiter.most
        return own and not any(pool.full for pool in waiter.pools)

    def _check_room(self, waiter: _Waiter) -> None:
        most = max(1, self._most_waiting // 2)
        if len(self._queues.get(waiter.owner, ())) >= most:
            what = f"{most} requests of yours are waiting already"
            raise Refusal(429, "queue_full", what, hint="send fewer at once", retry_s=self._later)
        if self.waiting >= self._most_waiting:
            what = f"{self.waiting} requests are waiting, and no more can"
            raise Refusal(503, "busy", what, hint="try again in a moment", retry_s=self._later)

    def _no_place(self, waiter: _Waiter) -> Refusal:
        if self._under_way[waiter.owner] >= waiter.most:
            what = f"{waiter.most} requests of yours are under way, and no more may be"
            hint = "send fewer at once"
            return Refusal(429, "concurrency_exceeded", what, hint=hint, retry_s=self._later)
        full = next((pool for pool in waiter.pools if pool.full), self.everyone)
        what = f"all {full.size} {full.name} are taken"
        return Refusal(503, "busy", what, hint="try again in a moment", retry_s=self._later)

    @property
    def _later(self) -> float:
        """Seconds: what a place is held for, as often as the places must turn over."""
        return self._held_s * (1 + self.waiting / max(1, self.everyone.size))

    def _take(self, waiter: _Waiter) -> None:
        for pool in waiter.pools:
            pool.used += 1
        self._under_way[waiter.owner] += 1

    def _leave(self, waiter: _Waiter) -> None:
        for pool in waiter.pools:
            pool.used -= 1
        self._under_way[waiter.owner] -= 1
        if not self._under_way[waiter.owner]:
            del self._under_way[waiter.owner]
        self._let_in()

    def _let_in(self) -> None:
        while (waiter := self._next()) is not None:
            self._unqueue(waiter)
            self._take(waiter)
            waiter.let_in.set_result(None)

    def _next(self) -> _Waiter | None:
        """Of the owner with the fewest under way, the one that has waited longest and fits."""
        if self.everyone.full:
            return None
        for owner in sorted(self._queues, key=lambda one: self._under_way[one]):
            for waiter in self._queues[owner]:
                if self._fits(waiter) and not waiter.let_in.done():
                    return waiter
        return None
