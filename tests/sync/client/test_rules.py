"""When and how fast a device downloads."""

from __future__ import annotations

import itertools
import random
from functools import partial

import pytest

from skerry.sync.client.device import Rules
from skerry.sync.client.pace import Pace, check_metered, within
from skerry.sync.client.polling import next_poll
from skerry.sync.client.source import not_slow
from skerry.sync.errors import DeviceFault, NoSpace, Postponed, SourceFault
from tests.sync.fleet import NOW, Fleet, running


@pytest.mark.parametrize(
    ("hours", "minute", "may"),
    [
        ("", 0, True),
        ("22:00-06:00", 23 * 60, True),
        ("22:00-06:00", 5 * 60 + 59, True),
        ("22:00-06:00", 6 * 60, False),
        ("01:00-02:00, 12:00-13:00", 12 * 60 + 30, True),
        ("01:00-02:00, 12:00-13:00", 14 * 60, False),
    ],
)
def test_hours(hours: str, minute: int, may: bool) -> None:
    assert within(hours, minute) is may


@pytest.mark.parametrize("hours", ["22-6", "24:00-01:00", "x", "22:00-"])
def test_hours_that_are_none(hours: str) -> None:
    with pytest.raises(DeviceFault):
        within(hours, 0)


def test_a_limit_of_bytes_a_second() -> None:
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    pace = Pace(Rules(bytes_per_s=1000), monotonic=lambda: now[0], sleep=sleep, clock=lambda: NOW)
    for _ in pace.blocks(iter([b"x" * 500] * 20)):
        pass
    assert now[0] == pytest.approx(10.0, rel=0.01)


def test_a_limit_a_day(fleet: Fleet) -> None:
    rules = Rules(bytes_per_day=100_000)
    fleet.publish("2", size=400_000)
    fleet.enrol(rules=rules)
    days, version = 0, "1"
    while version == "1":
        try:
            version = fleet.apply(clock=partial(_day, days))
        except Postponed:
            with pytest.raises(Postponed):  # the day's share is spent
                fleet.apply(clock=partial(_day, days))
            days += 1
    assert 2 <= days <= 4


def _day(number: int) -> float:
    return NOW + number * 86_400


def test_not_on_metered_networks(fleet: Fleet) -> None:
    fleet.publish("2")
    with fleet.client(metered=True) as client, pytest.raises(Postponed, match="metered"):
        client.apply()
    with fleet.client(metered=True, free_rein=True) as client:
        client.apply()
        assert running(client) == "2"
    check_metered(Rules(metered_bytes=100), 100, metered=True)


def test_the_disk_has_no_room(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    fleet.publish("2")
    usage = type("Usage", (), {"free": 1000})
    monkeypatch.setattr("shutil.disk_usage", lambda _path: usage)
    with fleet.client() as client, pytest.raises(NoSpace, match="MB"):
        client.apply()
    with fleet.client() as client:
        assert running(client) == "1"


def test_the_other_slot_makes_room(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    fleet.publish("2", size=100_000)
    fleet.apply()
    fleet.publish("3")
    looks = itertools.count()
    usage = [type("Usage", (), {"free": free}) for free in (1000, 10**9)]
    monkeypatch.setattr("shutil.disk_usage", lambda _path: usage[min(next(looks), 1)])
    with fleet.client() as client:
        next(looks)
        looks = itertools.count()
        client.state.free_bytes = lambda: 0  # type: ignore[method-assign]
        client.apply()
        assert running(client) == "3"


def test_polls_are_spread_and_back_off() -> None:
    rng = random.Random(1)
    fine = [next_poll(3600, 0, rng) for _ in range(200)]
    assert 3240 <= min(fine) < max(fine) <= 3960
    assert max(next_poll(3600, 1, rng) for _ in range(200)) <= 60
    assert max(next_poll(3600, 5, rng) for _ in range(200)) > 600
    assert max(next_poll(3600, 99, rng) for _ in range(200)) <= 86_400
    assert next_poll(0, 0, rng) >= 10


def test_a_source_that_trickles() -> None:
    clock = itertools.count(0, 5)
    with pytest.raises(SourceFault, match="gave"):
        for _ in not_slow(itertools.repeat(b"x"), lambda: float(next(clock))):
            pass
