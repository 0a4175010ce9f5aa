"""The device now: free memory, battery, heat. What policy asks before each request.

Reading never raises: a sensor that is not there counts as no strain, memory that cannot be read
as none free. The result is kept for about a second, because a request must not wait for sensors.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil

from skerry.device_profiles.cgroup import read_limits
from skerry.device_profiles.machine import MIB, free_memory, read_power
from skerry.edge.types import DeviceState, Thermal

KEEP_S = 1.0

WARM_BELOW_SLOWING = 10.0
"""Degrees Celsius below the start of slowing from which a sensor counts as warm."""

ASSUMED_SLOWING = 85.0
"""Degrees Celsius where slowing is taken to start for a sensor that does not say, or 5 below
its critical limit if that is less. A Raspberry Pi 5 slows there, and gives only 110 as critical."""

_UNREADABLE = (AttributeError, OSError, RuntimeError, ValueError)
"""What psutil raises where a sensor, or the support of this system for it, is missing or broken."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One temperature sensor, in degrees Celsius; None is a limit that the sensor does not give.

    From `slowing` the system slows the device down; at `critical` it switches it off.
    """

    celsius: float
    slowing: float | None = None
    critical: float | None = None


class DeviceMonitor:
    """Reads the device at most once in `keep_s` seconds. Thread-safe."""

    def __init__(
        self,
        read: Callable[[], DeviceState] | None = None,
        *,
        keep_s: float = KEEP_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read = read or read_device
        self._keep_s = keep_s
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: tuple[float, DeviceState] | None = None

    def state(self) -> DeviceState:
        kept = self._kept
        if kept is not None and self._clock() < kept[0]:
            return kept[1]
        with self._lock:
            return self._fresh()

    def _fresh(self) -> DeviceState:
        if self._kept is None or self._clock() >= self._kept[0]:
            state = self._read()
            self._kept = self._clock() + self._keep_s, state
        return self._kept[1]


def device_state() -> DeviceState:
    """The device, as it was at most about a second ago."""
    return _MONITOR.state()


def read_device() -> DeviceState:
    """The device now, from its sensors."""
    power = read_power()
    return DeviceState(
        memory_free_mb=_memory_free() // MIB,
        battery_percent=power.battery_percent,
        on_power=power.on_power,
        thermal=judge_heat(_temperatures()),
    )


def judge_heat(readings: Iterable[Reading]) -> Thermal:
    """The state of the sensor that is nearest to its own limits.

    A sensor without limits says nothing: 70 degrees are nothing to one chip, too much to another.
    """
    return max(map(_judge, readings), default=Thermal.NOMINAL)


def parse_zone(millidegrees: str, trips: Iterable[tuple[str, str]]) -> Reading | None:
    """A thermal zone of Linux; None if it gives no temperature.

    Args:
        millidegrees: what its file `temp` says.
        trips: type and temperature, in the same unit, of its trip points. "passive" and "hot"
            slow the device down, "critical" switches it off (kernel documentation,
            ABI/testing/sysfs-class-thermal). Zero and less mark trip points not in use.
    """
    now = _celsius(millidegrees)
    if now is None:
        return None
    limits = [(kind, limit) for kind, text in trips if (limit := _celsius(text)) is not None]
    return Reading(
        now,
        min((limit for kind, limit in limits if kind in ("passive", "hot")), default=None),
        min((limit for kind, limit in limits if kind == "critical"), default=None),
    )


def _judge(reading: Reading) -> Thermal:
    slowing, critical = reading.slowing, reading.critical
    if critical is not None and reading.celsius >= critical:
        return Thermal.CRITICAL
    if slowing is None:
        if critical is None:
            return Thermal.NOMINAL
        slowing = min(ASSUMED_SLOWING, critical - 5)
    if reading.celsius >= slowing:
        return Thermal.HOT
    return Thermal.WARM if reading.celsius >= slowing - WARM_BELOW_SLOWING else Thermal.NOMINAL


def _celsius(millidegrees: str) -> float | None:
    try:
        value = int(millidegrees) / 1000
    except ValueError:
        return None
    return value if value > 0 else None


def _memory_free() -> int:
    try:
        return free_memory(psutil.virtual_memory().available, read_limits())
    except _UNREADABLE:
        return 0


def _temperatures() -> list[Reading]:
    return read_zones() or _monitored_chips()


def read_zones(root: Path = Path("/sys/class/thermal")) -> list[Reading]:
    """The thermal zones of Linux; none on other systems and in most virtual machines."""
    zones = (_read_zone(folder) for folder in sorted(root.glob("thermal_zone*")))
    return [zone for zone in zones if zone is not None]


def _read_zone(folder: Path) -> Reading | None:
    kinds = folder.glob("trip_point_*_type")
    trips = ((_text(kind), _text(folder / f"{kind.name[:-5]}_temp")) for kind in kinds)
    return parse_zone(_text(folder / "temp"), trips)


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _monitored_chips() -> list[Reading]:
    """Sensors by their drivers. Their "high" is left out: it is often far below any slowing."""
    try:
        groups = psutil.sensors_temperatures().values()
    except _UNREADABLE:
        return []
    return [Reading(one.current, None, one.critical or None) for group in groups for one in group]


_MONITOR = DeviceMonitor()
