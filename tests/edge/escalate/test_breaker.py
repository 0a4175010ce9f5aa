from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from skerry.edge.escalate import Breaker, CircuitState


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def opened(threshold: int = 3, cooldown_s: float = 10.0) -> tuple[Breaker, Clock]:
    clock = Clock()
    breaker = Breaker(threshold, cooldown_s, clock)
    for _ in range(threshold):
        assert breaker.admit()
        breaker.failed()
    return breaker, clock


def test_opens_after_failures_in_a_row_only() -> None:
    breaker = Breaker(2, 10.0, Clock())
    breaker.failed()
    breaker.succeeded()
    breaker.failed()
    assert breaker.state is CircuitState.CLOSED
    breaker.failed()
    assert breaker.state is CircuitState.OPEN
    assert not breaker.admit()


def test_half_open_lets_one_try() -> None:
    breaker, clock = opened()
    clock.now += 10
    assert breaker.state is CircuitState.HALF_OPEN
    assert breaker.admit()
    assert not breaker.admits
    assert not breaker.admit()
    breaker.succeeded()
    assert breaker.state is CircuitState.CLOSED
    assert breaker.admit()


def test_a_failed_trial_opens_for_a_whole_cooldown() -> None:
    breaker, clock = opened()
    clock.now += 10
    assert breaker.admit()
    clock.now += 3
    breaker.failed()
    clock.now += 9
    assert not breaker.admit()
    clock.now += 1
    assert breaker.admit()


def test_a_cancelled_trial_makes_room_for_another() -> None:
    breaker, clock = opened()
    clock.now += 10
    assert breaker.admit()
    breaker.abandoned()
    assert breaker.state is CircuitState.HALF_OPEN
    assert breaker.admit()


def test_a_trial_that_is_never_heard_of_blocks_for_one_cooldown() -> None:
    breaker, clock = opened()
    clock.now += 10
    assert breaker.admit()
    clock.now += 10
    assert breaker.admit()


def test_late_failures_do_not_prolong_it() -> None:
    breaker, clock = opened()
    clock.now += 9
    breaker.failed()
    clock.now += 1
    assert breaker.state is CircuitState.HALF_OPEN


THRESHOLD, COOLDOWN_S = 3, 10


class BreakerModel(RuleBasedStateMachine):
    """The breaker beside a model that remembers only what happened since the last success."""

    @initialize()
    def start(self) -> None:
        self.clock = Clock()
        self.breaker = Breaker(THRESHOLD, COOLDOWN_S, self.clock)
        self.running = 0
        self.failures = 0
        self.blocked_until: float | None = None
        self.trial_until = -1.0

    def half_open(self) -> bool:
        return self.blocked_until is not None and self.clock.now >= self.blocked_until

    @rule(seconds=st.integers(0, 12))
    def wait(self, seconds: int) -> None:
        self.clock.now += seconds

    @rule()
    def ask(self) -> None:
        expected = self.blocked_until is None or (
            self.half_open() and self.clock.now >= self.trial_until
        )
        assert self.breaker.admits is expected
        assert self.breaker.admit() is expected
        if expected:
            self.running += 1
            if self.half_open():
                self.trial_until = self.clock.now + COOLDOWN_S

    @precondition(lambda self: self.running)
    @rule()
    def succeed(self) -> None:
        self.running -= 1
        self.breaker.succeeded()
        self.failures, self.blocked_until, self.trial_until = 0, None, -1.0

    @precondition(lambda self: self.running)
    @rule()
    def fail(self) -> None:
        self.running -= 1
        self.breaker.failed()
        self.failures += 1
        reached = self.blocked_until is None and self.failures >= THRESHOLD
        if self.half_open() or reached:
            self.blocked_until = self.clock.now + COOLDOWN_S
            self.trial_until = -1.0

    @precondition(lambda self: self.running)
    @rule()
    def abandon(self) -> None:
        self.running -= 1
        self.breaker.abandoned()
        self.trial_until = -1.0

    @invariant()
    def state_agrees(self) -> None:
        if not hasattr(self, "breaker"):
            return
        if self.blocked_until is None:
            expected = CircuitState.CLOSED
        else:
            expected = CircuitState.HALF_OPEN if self.half_open() else CircuitState.OPEN
        assert self.breaker.state is expected
        assert self.breaker.state is not CircuitState.OPEN or not self.breaker.admits


BreakerModel.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestBreakerModel = BreakerModel.TestCase
