"""Times the steps of one request."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import TypeVar

from skerry.edge.receipts.receipt import StepTiming

Released = TypeVar("Released")
Result = TypeVar("Result")


class Trace:
    """The steps of one request, in order, and when the first text was released.

    `hook` is called at the end of every step, on the thread of the request.
    """

    def __init__(self, hook: Callable[[StepTiming], None] | None = None) -> None:
        self._hook = hook
        self.steps: list[StepTiming] = []
        self.ttft_ms: float | None = None
        self._start = time.perf_counter()

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self._finish(StepTiming(name, (time.perf_counter() - start) * 1e3))

    def _finish(self, step: StepTiming) -> None:
        self.steps.append(step)
        if self._hook is not None:
            self._hook(step)

    def elapsed_ms(self) -> float:
        return (time.perf_counter() - self._start) * 1e3

    def watch(self, run: Generator[Released, None, Result]) -> Generator[Released, None, Result]:
        """Passes a tier's run on, and notes when it first releases text."""
        try:
            while True:
                released = next(run)
                self.ttft_ms = self.ttft_ms or self.elapsed_ms()
                yield released
        except StopIteration as stop:
            result: Result = stop.value
            return result
        finally:
            run.close()
