"""The replicas of models: which one a session goes to, and which ones are asked at all.

A session has its replica by rendezvous hashing, so that its KV cache is hit again, and only the
sessions of a replica that goes move (Thaler and Ravishankar, 1998). A replica that has far more
under way than its share passes sessions on to their next (Mirrokni et al., arXiv:1608.01350).
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from skerry.cloud.gateway.config import Gateway

_FAILURES = 3
_OPEN_S = 5.0
_LONGEST_OPEN_S = 60.0
_MISSED = 2
_OVERLOAD = 1.25
_SPARE = 8


@dataclass(slots=True)
class Breaker:
    """Keeps requests from what fails: open after three failures in a row, for 5 s, then twice as
    long each time that its one trial fails. Pure: times are given, in seconds of one clock."""

    failures: int = 0
    open_until: float = 0.0
    trying: bool = False

    def lets(self, now: float) -> bool:
        return self.failures < _FAILURES or (now >= self.open_until and not self.trying)

    def begin(self) -> None:
        """A request is sent; it is the trial if the breaker was open."""
        self.trying = self.failures >= _FAILURES

    def failed(self, now: float) -> None:
        self.trying = False
        self.failures += 1
        longer = 2 ** min(16, max(0, self.failures - _FAILURES))
        self.open_until = now + min(_LONGEST_OPEN_S, _OPEN_S * longer)

    def worked(self) -> None:
        self.failures, self.trying = 0, False

    def left(self) -> None:
        """Nobody waited for the answer: neither."""
        self.trying = False


@dataclass(slots=True, eq=False)
class Replica:
    """One server of a model. `missed`: health checks in a row that did not go well."""

    model: str
    url: str
    under_way: int = 0
    drained: bool = False
    missed: int = 0
    breaker: Breaker = field(default_factory=Breaker)

    @property
    def healthy(self) -> bool:
        return self.missed < _MISSED

    def open(self, now: float) -> bool:
        return not self.drained and self.breaker.lets(now)

    @contextmanager
    def busy(self) -> Iterator[None]:
        """One request more under way."""
        self.under_way += 1
        self.breaker.begin()
        try:
            yield
        finally:
            self.under_way -= 1


class Fleet:
    """All replicas of all models."""

    def __init__(self, config: Gateway, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._of = {
            name: tuple(Replica(name, url) for url in model.replicas or ())
            for name, model in config.models.items()
        }

    def __iter__(self) -> Iterator[Replica]:
        return (replica for every in self._of.values() for replica in every)

    def of(self, model: str) -> tuple[Replica, ...]:
        return self._of.get(model, ())

    def order(self, model: str, session: bytes) -> list[Replica]:
        """Those that take requests, the session's own first. Where none is healthy, all of them:
        a server that is busy may answer requests and no health checks."""
        now = self._clock()
        every = [replica for replica in self.of(model) if replica.open(now)]
        there = [replica for replica in every if replica.healthy] or every
        ranked = sorted(there, key=lambda one: _weight(session, one.url), reverse=True)
        share = _OVERLOAD * (sum(one.under_way for one in there) + 1) / max(1, len(there))
        most = max(_SPARE, share)
        return sorted(ranked, key=lambda one: one.under_way >= most)

    def drain(self, drained: Collection[tuple[str, str]]) -> None:
        """Those that take no new requests, by model and URL; all others do."""
        for replica in self:
            replica.drained = (replica.model, replica.url) in drained


def _weight(session: bytes, url: str) -> bytes:
    return hashlib.blake2b(session, key=hashlib.sha256(url.encode()).digest()).digest()


def part(session: bytes, name: str) -> float:
    """Where in [0, 1) a session falls, evenly and always the same, for the purpose `name`."""
    drawn = hashlib.blake2b(session, digest_size=8, person=name.encode()[:16]).digest()
    return int.from_bytes(drawn, "big") / 2**64
