"""Which replica a session goes to, and which are left out. Pure."""

from __future__ import annotations

from collections import Counter

import pytest

from skerry.cloud.gateway.fleet import Breaker, Fleet, Replica, part
from skerry.cloud.gateway.health import Health
from tests.cloud.gateway.configured import BASE, configured
from tests.cloud.gateway.upstreams import upstream

URLS = [f"http://r{i}/v1" for i in range(4)]
SESSIONS = [str(i).encode() for i in range(400)]


def _fleet() -> Fleet:
    listed = ", ".join(f'"{url}"' for url in URLS)
    return Fleet(configured(base=BASE.replace('"http://127.0.0.1:1/v1"', listed)), clock=lambda: 0)


def _first(fleet: Fleet) -> list[str]:
    return [fleet.order("mid", session)[0].url for session in SESSIONS]


def test_sessions_are_spread_and_only_those_of_a_replica_that_goes_move() -> None:
    fleet = _fleet()
    before = _first(fleet)
    assert all(60 <= count <= 140 for count in Counter(before).values())
    fleet.drain({("mid", URLS[0])})
    after = _first(fleet)
    assert URLS[0] not in after
    moved = [old for old, new in zip(before, after, strict=True) if old != new]
    assert set(moved) == {URLS[0]}
    fleet.drain(set())
    assert _first(fleet) == before


def test_a_replica_with_far_more_than_its_share_passes_sessions_on() -> None:
    fleet = _fleet()
    own = fleet.order("mid", b"x")[0]
    own.under_way = 8
    assert fleet.order("mid", b"x")[0] is not own
    for other in fleet.of("mid"):
        other.under_way = 8
    assert fleet.order("mid", b"x")[0] is own


def test_where_no_replica_is_healthy_all_are_asked() -> None:
    fleet = _fleet()
    one, *others = fleet.of("mid")
    one.missed = 2
    assert one not in fleet.order("mid", b"x")
    for other in others:
        other.missed = 2
    assert len(fleet.order("mid", b"x")) == 4


def test_a_breaker_opens_and_tries_once_at_a_time() -> None:
    breaker = Breaker()
    for _ in range(2):
        breaker.failed(0)
    assert breaker.lets(0)
    breaker.failed(0)
    assert not breaker.lets(4.9)
    assert breaker.lets(5)
    breaker.begin()
    assert not breaker.lets(5), "one trial at a time"
    breaker.failed(5)
    assert not breaker.lets(14.9), "twice as long"
    breaker.begin()
    breaker.left()
    assert breaker.lets(15)
    breaker.worked()
    assert breaker.lets(0)
    for _ in range(100):
        breaker.failed(0)
    assert breaker.open_until == 60


def test_a_busy_replica_is_never_freed_twice() -> None:
    replica = Replica("mid", URLS[0])
    with pytest.raises(ValueError, match="x"), replica.busy():
        raise ValueError("x")
    assert replica.under_way == 0


def test_parts_are_even() -> None:
    shares = [part(session, "canary") for session in SESSIONS]
    assert 0.4 < sum(shares) / len(shares) < 0.6
    assert part(b"x", "canary") != part(b"x", "shadow")


async def test_health_is_asked() -> None:
    with upstream() as good:
        config = configured(
            base=BASE.replace('"http://127.0.0.1:1/v1"', f'"http://127.0.0.1:1/v1", "{good.url}"')
        )
        fleet = Fleet(config)
        health = Health(config, fleet)
        for _ in range(2):
            await health.check()
        assert [one.healthy for one in fleet] == [False, True]
