from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from skerry.edge.errors import CloudRefused, CloudUnavailable
from skerry.edge.escalate import CloudOptions
from skerry.edge.escalate.faults import Transient
from skerry.edge.escalate.retry import delay_s

OPTIONS = CloudOptions(base_url="https://api.example.org", model="m", max_retries=4)
SECONDS = st.floats(0, 1e6)


def longest(_low: float, high: float) -> float:
    return high


def test_ceiling_doubles_up_to_the_maximum() -> None:
    waits = [
        delay_s(OPTIONS, Transient("x"), attempt=n, remaining_s=1e9, uniform=longest)
        for n in range(1, 6)
    ]
    assert waits == [0.25, 0.5, 1.0, 2.0, None]


def test_jitter_is_full() -> None:
    asked: list[tuple[float, float]] = []

    def lowest(low: float, high: float) -> float:
        asked.append((low, high))
        return low

    error = Transient("x")
    assert delay_s(OPTIONS, error, attempt=2, remaining_s=9, uniform=lowest) == 0.0
    assert asked == [(0.0, 0.5)]


@given(wait=SECONDS | st.none(), remaining=SECONDS, attempt=st.integers(1, 99))
def test_never_waits_past_the_deadline(wait: float | None, remaining: float, attempt: int) -> None:
    error = Transient("x", retry_after_s=wait)
    delay = delay_s(OPTIONS, error, attempt=attempt, remaining_s=remaining, uniform=longest)
    assert delay is None or 0 <= delay < remaining
    assert delay is None or attempt <= OPTIONS.max_retries
    assert delay is None or wait is None or delay == wait
    assert delay is None or delay <= max(OPTIONS.backoff_max_s, wait or 0)


def test_only_transient_faults_are_tried_again() -> None:
    for error in (CloudRefused("x"), CloudUnavailable("x"), ValueError("x")):
        assert delay_s(OPTIONS, error, attempt=1, remaining_s=9, uniform=longest) is None
