"""What theory says of drafts over a network: closed forms, and a simulation of events. Pure.

Each token of the answer has one guess: the device's for that place, with what is before it right.
The simulation knows chains only: no trees, and no drafting of corrections before they come.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from random import Random
from statistics import mean

_MOST = 32
"""Drafted tokens that a pass looks at."""


class Guess(Enum):
    RIGHT = "right"
    WRONG = "wrong"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A link, a target and a device; times in milliseconds. `depth`, `burst` and `patience_ms` are
    those of `skerry.edge.split.options.SplitOptions`."""

    rtt_ms: float
    pass_ms: float
    hint_ms: float
    draft_ms: float
    depth: int = 16
    burst: int = 4
    patience_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Predicted:
    """From connecting to the last token [ms], and the target's forward passes."""

    took_ms: float
    passes: int


def passes_per_token(acceptance: float, depth: int) -> float:
    """1 / E, E = (1 - a^(k+1)) / (1 - a): Leviathan, Kalman, Matias, arXiv:2211.17192, eq. 1."""
    if acceptance >= 1:
        return 1 / (depth + 1)
    return (1 - acceptance) / (1 - acceptance ** (depth + 1))


def independent(
    acceptance: float, count: int, draw: Random, *, silence: float = 0.0
) -> list[Guess]:
    """Guesses that are right by chance, each by itself; `silence` is the share without an idea."""
    chances = (acceptance, silence, max(0.0, 1 - acceptance - silence))
    return draw.choices((Guess.RIGHT, Guess.NONE, Guess.WRONG), chances, k=count)


def streamed_ms(setting: Setting, count: int) -> float:
    """Plain streaming of `count` tokens: a round trip for TCP, for WebSocket and for itself."""
    return 3 * setting.rtt_ms + count * setting.pass_ms


def expected_speedup(
    setting: Setting, acceptance: float, count: int, *, draws: int = 40, seed: int = 0
) -> float:
    """Plain streaming over hints in latency mode, at an acceptance that is the same everywhere."""
    draw = Random(seed)
    took = [simulated(setting, independent(acceptance, count, draw)).took_ms for _ in range(draws)]
    return streamed_ms(setting, count) / mean(took)


def simulated(setting: Setting, guesses: Sequence[Guess]) -> Predicted:
    """One answer, a token for each guess; in latency mode where there is no patience."""
    return _Simulation(setting, guesses).run()


@dataclass(slots=True)
class _Device:
    """`verified` tokens are known, its guesses end at `end`, the first wrong one is `wrong_at`."""

    verified: int = 0
    end: int = 0
    wrong_at: int | None = None
    drafting: bool = True
    stuck: bool = False
    news: list[int] = field(default_factory=list)

    def take(self, verified: int) -> None:
        self.verified, self.stuck = verified, False
        if self.wrong_at is not None and self.wrong_at < verified:
            self.end, self.wrong_at = verified, None
        self.end = max(self.end, verified)


@dataclass(slots=True)
class _Cloud:
    """`covered` is how far right hints reach, `wrong` where wrong branches begin and end."""

    verified: int = 0
    covered: int = 0
    wrong: dict[int, int] = field(default_factory=dict)
    passes: int = 0
    no_idea_at: int = -1

    def hear(self, end: int, wrong_at: int | None) -> None:
        if wrong_at is None:
            self.covered = max(self.covered, end)
            return
        self.covered = max(self.covered, min(end, wrong_at))
        if wrong_at < end:
            self.wrong[wrong_at] = max(end, self.wrong.get(wrong_at, 0))

    @property
    def right(self) -> int:
        return min(_MOST, max(0, self.covered - self.verified))

    @property
    def looked_at(self) -> int:
        wrong = sum(end - at for at, end in self.wrong.items() if at >= self.verified)
        return min(_MOST, self.right + wrong)


class _Simulation:
    def __init__(self, setting: Setting, guesses: Sequence[Guess]) -> None:
        self._setting, self._guesses = setting, guesses
        self._device, self._cloud = _Device(), _Cloud()
        self._events: list[tuple[float, int, str, tuple[int, ...]]] = []
        self._numbers = iter(range(1 << 30))
        self._last = 0.0
        self._waits = 0
        self._running = False

    def run(self) -> Predicted:
        rtt = self._setting.rtt_ms
        self._ready(2.5 * rtt)
        self._at(3 * rtt, "opened")
        for now, kind, values in self._next():
            getattr(self, f"_{kind}")(now, *values)
        return Predicted(self._last, self._cloud.passes)

    def _at(self, when: float, kind: str, *values: int) -> None:
        heapq.heappush(self._events, (when, next(self._numbers), kind, values))

    def _next(self) -> Iterator[tuple[float, str, tuple[int, ...]]]:
        while self._events:
            when, _, kind, values = heapq.heappop(self._events)
            yield when, kind, values

    def _ready(self, now: float) -> None:
        """Begins the next pass, or waits for a hint first."""
        cloud = self._cloud
        waits = self._setting.patience_ms and cloud.no_idea_at != cloud.verified
        if waits and not cloud.looked_at:
            self._waits += 1
            self._at(now + self._setting.patience_ms, "waited", self._waits)
        else:
            self._start_pass(now)

    def _waited(self, now: float, number: int) -> None:
        """The patience is over, if it was for the wait that goes on now."""
        if number == self._waits and not self._running:
            self._start_pass(now)

    def _start_pass(self, now: float) -> None:
        """What has come by now is looked at."""
        left = len(self._guesses) - self._cloud.verified
        if left <= 0:
            return
        self._running = True
        took = self._setting.pass_ms + self._setting.hint_ms * min(self._cloud.looked_at, left - 1)
        self._at(now + took, "passed", min(left, self._cloud.right + 1))

    def _passed(self, now: float, count: int) -> None:
        self._cloud.verified += count
        self._cloud.passes += 1
        self._at(now + self._setting.rtt_ms / 2, "news", self._cloud.verified)
        self._running = False
        self._ready(now)

    def _heard(self, now: float, end: int, wrong_at: int) -> None:
        self._cloud.hear(end, None if wrong_at < 0 else wrong_at)
        if self._waits and not self._running and self._cloud.looked_at:
            self._start_pass(now)

    def _gave_way(self, now: float, position: int) -> None:
        """The device has no idea for a position."""
        self._cloud.no_idea_at = position
        if self._waits and not self._running and position == self._cloud.verified:
            self._start_pass(now)

    def _opened(self, now: float) -> None:
        self._device.drafting = False
        self._draft(now)

    def _news(self, now: float, verified: int) -> None:
        self._last = now
        self._device.news.append(verified)
        if not self._device.drafting:
            self._draft(now)

    def _drafted(self, now: float, end: int, wrong_at: int) -> None:
        self._device.drafting = False
        self._at(now + self._setting.rtt_ms / 2, "heard", end, wrong_at)
        self._draft(now)

    def _draft(self, now: float) -> None:
        """Takes what has come, and begins the next burst if there is room and an idea."""
        device = self._device
        for verified in device.news:
            device.take(verified)
        device.news.clear()
        room = min(self._setting.burst, self._setting.depth - (device.end - device.verified))
        count = self._burst(room) if not device.stuck else 0
        if not count:
            self._is_stuck(now, device.stuck or room > 0)
            return
        device.end += count
        device.drafting = True
        wrong_at = -1 if device.wrong_at is None else device.wrong_at
        self._at(now + count * self._setting.draft_ms, "drafted", device.end, wrong_at)

    def _is_stuck(self, now: float, stuck: bool) -> None:
        """A cloud that waits is told once for each position that there is nothing to wait for."""
        device = self._device
        news = stuck and not device.stuck and device.end == device.verified
        device.stuck = stuck
        if news and self._setting.patience_ms:
            self._at(now + self._setting.rtt_ms / 2, "gave_way", device.verified)

    def _burst(self, room: int) -> int:
        """How many tokens are guessed now; notes the first wrong one."""
        device = self._device
        for count in range(room):
            at = device.end + count
            if at >= len(self._guesses):
                return count
            if device.wrong_at is not None:
                continue
            if self._guesses[at] is Guess.NONE:
                return count
            if self._guesses[at] is Guess.WRONG:
                device.wrong_at = at
        return max(0, room)
