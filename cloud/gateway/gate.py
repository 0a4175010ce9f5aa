"""What every request passes, on HTTP and on WebSockets alike: key, rate, quota, a place.

And what stops those under way: a key that is revoked. The state is read and written by
`skerry.cloud.gateway.keeping`, never while a request waits.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass

from skerry.cloud.gateway.admission import Admission, Pool
from skerry.cloud.gateway.bodies import Room
from skerry.cloud.gateway.config import Gateway
from skerry.cloud.gateway.errors import Refusal, stopping
from skerry.cloud.gateway.keys import Holder, KeyRing
from skerry.cloud.gateway.ledger import Ledger
from skerry.cloud.gateway.rate import Rates


@dataclass(slots=True, eq=False)
class Ticket:
    """One request under way, which may be ended from outside: `why` is what its client is told."""

    holder: Holder
    why: Refusal | None = None
    _stop: Callable[[], object] = lambda: None

    def stopped_by(self, stop: Callable[[], object]) -> None:
        """`stop` ends it; at once, where it was to end before."""
        self._stop = stop
        if self.why is not None:
            stop()

    def end(self, why: Refusal) -> None:
        self.why = why
        self._stop()


class Gate:
    """Used by one event loop."""

    def __init__(
        self,
        config: Gateway,
        rates: Rates | None = None,
        *,
        clock: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        """`rates`: what tenants have asked so far. `clock` tells the day, `steady` what has passed
        since: a clock that is set back must keep nobody out."""
        limits = config.limits
        self.config = config
        self.keys = KeyRing(config)
        self.ledger = Ledger(clock)
        self.admission = Admission(limits.places, limits.waiting, limits.wait_seconds)
        self.room = Room(limits.bodies_mib << 20)
        self.gateways = 1
        self.closing = False
        self.rates, self._steady = rates or Rates(), steady
        self._open: Counter[str] = Counter()
        self._tickets: set[Ticket] = set()
        self._pools = {
            name: Pool(f"places of the model '{name}'", model.most_places)
            for name, model in config.models.items()
            if model.most_places is not None
        }

    @property
    def under_way(self) -> int:
        return len(self._tickets)

    @contextmanager
    def ticket(self, headers: Mapping[str, str], *, free: bool = False) -> Iterator[Ticket]:
        """Lets a request in, by its key, rate, quota and the requests that its tenant has open.

        Args:
            free: it asks no model, and needs no quota.

        Raises:
            Refusal: 401, 429, or 503 where the gateway stops.
        """
        holder = self.keys.holder(headers)
        self._check(holder, free=free)
        ticket = Ticket(holder)
        self._tickets.add(ticket)
        self._open[holder.tenant] += 1
        try:
            yield ticket
        finally:
            self._tickets.discard(ticket)
            self._open[holder.tenant] -= 1

    def place(
        self, holder: Holder, model: str, *, wait_s: float | None = None
    ) -> AbstractAsyncContextManager[None]:
        """A place for a request to a model; see `Admission.place`."""
        pool = self._pools.get(model)
        return self.admission.place(
            holder.tenant,
            most=holder.rules.places,
            pools=() if pool is None else (pool,),
            wait_s=wait_s,
        )

    def keep(self, ring: KeyRing) -> None:
        """The keys that are good from now on; requests of others end."""
        self.keys = ring
        for ticket in list(self._tickets):
            if ticket.holder.key_id not in ring.ids:
                ticket.end(_revoked())

    def close(self) -> None:
        """Lets nobody in any more, and ends what is under way when its time is over."""
        self.closing = True
        seconds = self.config.limits.drain_seconds
        asyncio.get_running_loop().call_later(seconds, self._end_all)

    def _end_all(self) -> None:
        for ticket in list(self._tickets):
            ticket.end(stopping())

    def _check(self, holder: Holder, *, free: bool) -> None:
        if self.closing:
            raise stopping()
        rules = holder.rules
        most = rules.places + max(1, self.config.limits.waiting // 2)
        if self._open[holder.tenant] >= most:
            what = f"{most} requests of yours are open already"
            raise Refusal(429, "queue_full", what, hint="send fewer at once", retry_s=1)
        if not free:
            self.ledger.check(holder.tenant, rules)
        per_s = rules.requests_per_minute / 60 / self.gateways
        wait = self.rates.take(holder.tenant, self._steady(), per_s=per_s, burst=rules.burst)
        if wait:
            what = f"more than {rules.requests_per_minute} requests a minute"
            hint = "send them more slowly"
            raise Refusal(429, "rate_limit_exceeded", what, hint=hint, retry_s=wait)


def _revoked() -> Refusal:
    return Refusal(401, "key_revoked", "this API key was revoked", hint="ask for another")
