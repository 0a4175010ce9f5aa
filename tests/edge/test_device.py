from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.edge.device import (
    DeviceMonitor,
    Reading,
    device_state,
    judge_heat,
    parse_zone,
    read_device,
    read_zones,
)
from skerry.edge.types import DeviceState, Thermal


@dataclass(frozen=True)
class Heat:
    name: str
    readings: tuple[Reading, ...]
    level: Thermal


HEAT = [
    Heat("no sensor", (), Thermal.NOMINAL),
    Heat("no limits", (Reading(150.0),), Thermal.NOMINAL),
    Heat("cool", (Reading(50.0, 90.0, 110.0),), Thermal.NOMINAL),
    Heat("near slowing", (Reading(80.0, 90.0, 110.0),), Thermal.WARM),
    Heat("slowing", (Reading(90.0, 90.0, 110.0),), Thermal.HOT),
    Heat("critical", (Reading(110.0, 90.0, 110.0),), Thermal.CRITICAL),
    Heat("only slowing given", (Reading(95.0, 90.0),), Thermal.HOT),
    Heat("board that says only 110", (Reading(86.0, None, 110.0),), Thermal.HOT),
    Heat("disk with a low limit", (Reading(66.0, None, 70.0),), Thermal.HOT),
    Heat("hottest counts", (Reading(40.0, 90.0), Reading(96.0, 95.0)), Thermal.HOT),
]


@pytest.mark.parametrize("case", HEAT, ids=lambda case: case.name)
def test_judge_heat(case: Heat) -> None:
    assert judge_heat(case.readings) is case.level


@given(st.floats(1, 150), st.floats(1, 150), st.floats(1, 150), st.floats(0, 20))
def test_hotter_is_never_judged_cooler(
    celsius: float, slowing: float, critical: float, more: float
) -> None:
    cooler = judge_heat([Reading(celsius, slowing, critical)])
    assert judge_heat([Reading(celsius + more, slowing, critical)]) >= cooler


def test_zone_takes_the_first_limit_of_each_kind() -> None:
    trips = [("active", "50000"), ("passive", "95000"), ("passive", "90000"), ("hot", "0")]
    assert parse_zone("71500", [*trips, ("critical", "110000")]) == Reading(71.5, 90.0, 110.0)


@pytest.mark.parametrize("text", ["", "hot", "-274000", "0"])
def test_zone_without_a_temperature(text: str) -> None:
    assert parse_zone(text, []) is None


def test_zones_are_read_from_files(tmp_path: Path) -> None:
    good, broken = tmp_path / "thermal_zone0", tmp_path / "thermal_zone1"
    for folder in (good, broken):
        folder.mkdir()
    (good / "temp").write_text("91000\n")
    (good / "trip_point_0_type").write_text("passive\n")
    (good / "trip_point_0_temp").write_text("90000\n")
    (good / "trip_point_1_type").write_text("critical\n")
    assert read_zones(tmp_path) == [Reading(91.0, 90.0, None)]
    assert read_zones(tmp_path / "none") == []


def test_this_device() -> None:
    state = read_device()
    assert 0 < state.memory_free_mb <= psutil.virtual_memory().total >> 20
    assert state.battery_percent is None or 0 <= state.battery_percent <= 100
    assert state.thermal in Thermal


@pytest.mark.parametrize("error", [OSError, RuntimeError, ValueError, AttributeError])
def test_broken_sensors_never_raise(
    error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise error("broken")

    for name in ("virtual_memory", "sensors_battery", "sensors_temperatures"):
        monkeypatch.setattr(psutil, name, fail, raising=False)
    assert read_device() == DeviceState(memory_free_mb=0)


class Clock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_state_is_kept_for_a_while() -> None:
    clock = Clock()
    states = iter(DeviceState(memory_free_mb=mb) for mb in (1, 2, 3))
    monitor = DeviceMonitor(lambda: next(states), keep_s=1.0, clock=clock)
    assert [monitor.state().memory_free_mb, monitor.state().memory_free_mb] == [1, 1]
    clock.now += 0.99
    assert monitor.state().memory_free_mb == 1
    clock.now += 0.02
    assert monitor.state().memory_free_mb == 2


def test_many_threads_cause_one_reading() -> None:
    readings: list[int] = []

    def read() -> DeviceState:
        time.sleep(0.05)
        readings.append(1)
        return DeviceState(memory_free_mb=7)

    monitor = DeviceMonitor(read, keep_s=60.0)
    threads = [threading.Thread(target=monitor.state) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(readings) == 1


def test_kept_state_is_cheap() -> None:
    device_state()
    rounds = 1000
    started = time.thread_time()
    for _ in range(rounds):
        device_state()
    assert (time.thread_time() - started) / rounds < 0.2e-3
