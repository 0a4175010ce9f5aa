"""The rules for downloads: how fast, how much a day, at which hours, and not on metered networks.

Decisions are pure; `Pace` waits. A rule that says "later" ends the download where it is, and the
next one goes on there.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from skerry.sync.client.device import Rules
from skerry.sync.errors import DeviceFault, Postponed

_HOURS = re.compile(r"^([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)$")
_LONGEST_WAIT_S = 5.0


def within(hours: str, minute: int) -> bool:
    """Whether the `minute` of the day lies in one of the `HH:MM-HH:MM`, or there are none.

    Raises:
        DeviceFault: they cannot be read.
    """
    spans = [_span(text.strip()) for text in hours.split(",") if text.strip()]
    return not spans or any(
        start <= minute < end if start < end else minute >= start or minute < end
        for start, end in spans
    )


def _span(text: str) -> tuple[int, int]:
    found = _HOURS.match(text)
    if found is None:
        raise DeviceFault(f"'{text}' are no hours", hint="write them as 22:00-06:00")
    hour, minute, to_hour, to_minute = map(int, found.groups())
    return hour * 60 + minute, to_hour * 60 + to_minute


def check_hours(rules: Rules, now: float) -> None:
    """Raises Postponed outside the hours of `rules`, by this machine's own clock and zone."""
    local = time.localtime(now)
    if not within(rules.hours, local.tm_hour * 60 + local.tm_min):
        what = f"downloads are for {rules.hours}, and it is {local.tm_hour:02}:{local.tm_min:02}"
        raise Postponed(what, hint="it goes on by itself then; --now does it at once")


def check_metered(rules: Rules, size: int, *, metered: bool) -> None:
    """Raises Postponed where the network is metered and `size` bytes are too many for that."""
    if metered and size > rules.metered_bytes:
        what = f"the network is metered, and {size / 1e6:,.1f} MB are to be fetched"
        raise Postponed(what, hint="it waits for another network; --now does it at once")


@dataclass
class Pace:
    """Lets blocks through as the rules allow.

    `used` is what was fetched today before; `fetched` counts on. Clocks are in seconds.
    """

    rules: Rules
    used: int = 0
    clock: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    fetched: int = field(default=0, init=False)
    _ready: float = field(default=0.0, init=False)

    def blocks(self, blocks: Iterator[bytes]) -> Iterator[bytes]:
        """The same blocks, no faster.

        Raises:
            Postponed: the hours are over, or the day's budget is spent.
        """
        self._check()
        for block in blocks:
            self.fetched += len(block)
            yield block
            self._check()
            self._wait(len(block))

    def _check(self) -> None:
        check_hours(self.rules, self.clock())
        budget = self.rules.bytes_per_day
        if budget and self.used + self.fetched >= budget:
            what = f"the {budget / 1e6:,.1f} MB of today are spent"
            raise Postponed(what, hint="it goes on tomorrow; --now does it at once")

    def _wait(self, size: int) -> None:
        if not self.rules.bytes_per_s:
            return
        now = self.monotonic()
        self._ready = max(self._ready, now) + size / self.rules.bytes_per_s
        while (left := self._ready - self.monotonic()) > 0:
            self.sleep(min(left, _LONGEST_WAIT_S))
