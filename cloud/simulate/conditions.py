"""What a simulated link is like, and what happens to it. Pure: no sockets, no clocks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from random import Random

from skerry.cloud.errors import CloudTierError


class ConditionsError(CloudTierError):
    """A value that no link can have."""

    code = "bad_conditions"
    exit_code = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """A link, the same both ways.

    `delay_ms` is one way: half of the round trip. `jitter_ms` is how much later a piece may be,
    drawn evenly for each. `kbit_per_s` 0 is no limit. `loss` is the share of pieces that have to be
    sent again, which costs `again_ms`: TCP loses nothing, it is late, and what follows waits.
    Equal seeds draw equal jitter and loss.

    Raises:
        ConditionsError: a value is out of its bounds.
    """

    delay_ms: float = 0.0
    jitter_ms: float = 0.0
    kbit_per_s: float = 0.0
    loss: float = 0.0
    again_ms: float = 200.0
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("delay_ms", "jitter_ms", "kbit_per_s", "again_ms"):
            value = getattr(self, name)
            if not 0 <= value < math.inf:
                raise ConditionsError(f"{name} is {value}", hint="give a number, 0 or more")
        if not 0 <= self.loss < 1:
            raise ConditionsError(f"loss is {self.loss}", hint="give a share from 0 to below 1")


class FaultKind(StrEnum):
    """`STALL`: nothing passes for a while. `FLAP`: connections are reset, and none is to be had for
    a while. `CUT`: the connection ends in order. `TRUNCATE`: half of what is due passes, and then
    it ends. `RESET`: it ends by a reset."""

    STALL = "stall"
    FLAP = "flap"
    CUT = "cut"
    TRUNCATE = "truncate"
    RESET = "reset"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What happens to a connection when it has been open for `after_s` and has brought
    `after_bytes` to the device, with the next piece. `lasts_s` is for stalls and flaps.

    Raises:
        ConditionsError: a value is out of its bounds.
    """

    kind: FaultKind
    after_s: float = 0.0
    after_bytes: int = 0
    lasts_s: float = math.inf

    def __post_init__(self) -> None:
        if min(self.after_s, self.after_bytes, self.lasts_s) < 0:
            raise ConditionsError("a fault is set for a time that is past", hint="give 0 or more")

    def due(self, open_s: float, passed: int) -> bool:
        """Whether it happens to a connection `open_s` old that has brought `passed` bytes."""
        return open_s >= self.after_s and passed >= self.after_bytes


class Way:
    """One direction of one connection: when what is sent arrives, in order."""

    def __init__(self, conditions: Conditions, draw: Random) -> None:
        self._conditions, self._draw = conditions, draw
        self._free_at = 0.0
        self._last = 0.0

    def arrival(self, now: float, size: int) -> float:
        """When `size` bytes that are sent `now` [s] are there [s]; never before those before."""
        link = self._conditions
        self._free_at = max(now, self._free_at) + _seconds(size, link.kbit_per_s)
        late_ms = link.delay_ms + self._draw.uniform(0, link.jitter_ms)
        if self._draw.random() < link.loss:
            late_ms += link.again_ms
        self._last = max(self._last, self._free_at + late_ms / 1e3)
        return self._last


def _seconds(size: int, kbit_per_s: float) -> float:
    return size * 8 / (kbit_per_s * 1e3) if kbit_per_s else 0.0
