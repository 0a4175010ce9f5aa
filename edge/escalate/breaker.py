"""The circuit breaker: stops asking a service that keeps failing, then tries it with one request.

`Circuit` is the state machine, pure over plain data; `Breaker` adds a lock and a clock. What
counts as a failure is left to the caller. The pattern is from Nygard, "Release It!" (2007).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum


class CircuitState(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True)
class Circuit:
    """The circuit at one moment; every change gives a new one. Times are seconds of any clock.

    `threshold` failures in a row open it. After `cooldown_s` it is half open: one request at a
    time may try, and its outcome closes or opens it. A trial that is not heard of for
    `cooldown_s` is given up, so that a lost one cannot block the circuit.
    """

    threshold: int
    cooldown_s: float
    failures: int = 0
    opened_at: float | None = None
    trial_since: float | None = None

    def state(self, now: float) -> CircuitState:
        if self.opened_at is None:
            return CircuitState.CLOSED
        cooled = now - self.opened_at >= self.cooldown_s
        return CircuitState.HALF_OPEN if cooled else CircuitState.OPEN

    def admits(self, now: float) -> bool:
        """Whether a request may be sent now."""
        state = self.state(now)
        return state is CircuitState.CLOSED or (
            state is CircuitState.HALF_OPEN and not self._on_trial(now)
        )

    def admitted(self, now: float) -> Circuit:
        """After a request was let through."""
        trying = self.state(now) is CircuitState.HALF_OPEN
        return replace(self, trial_since=now) if trying else self

    def succeeded(self) -> Circuit:
        """After an answer; the server is there, however old the request was."""
        return replace(self, failures=0, opened_at=None, trial_since=None)

    def failed(self, now: float) -> Circuit:
        """After a failure. One that was sent before the circuit opened does not prolong it."""
        state = self.state(now)
        failures = self.failures + 1
        opens = state is CircuitState.HALF_OPEN or (
            state is CircuitState.CLOSED and failures >= self.threshold
        )
        if opens:
            return replace(self, failures=failures, opened_at=now, trial_since=None)
        return replace(self, failures=failures)

    def abandoned(self) -> Circuit:
        """After a request ended without telling anything of the server, such as a cancelled one."""
        return replace(self, trial_since=None)

    def _on_trial(self, now: float) -> bool:
        return self.trial_since is not None and now - self.trial_since < self.cooldown_s


class Breaker:
    """A circuit that threads share.

    Args:
        threshold: failures in a row that open it.
        cooldown_s: seconds until one request may try again.
        clock: seconds, never going back.
    """

    def __init__(
        self, threshold: int, cooldown_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._circuit = Circuit(threshold, cooldown_s)
        self._clock = clock
        self._lock = threading.Lock()

    @property
    def state(self) -> CircuitState:
        return self._circuit.state(self._clock())

    @property
    def admits(self) -> bool:
        """Whether a request would be let through now; takes nothing."""
        return self._circuit.admits(self._clock())

    def admit(self) -> bool:
        """Lets a request through, or not. After True, report how it ended by one of the others."""
        with self._lock:
            now = self._clock()
            if not self._circuit.admits(now):
                return False
            self._circuit = self._circuit.admitted(now)
            return True

    def succeeded(self) -> None:
        with self._lock:
            self._circuit = self._circuit.succeeded()

    def failed(self) -> None:
        with self._lock:
            self._circuit = self._circuit.failed(self._clock())

    def abandoned(self) -> None:
        with self._lock:
            self._circuit = self._circuit.abandoned()
