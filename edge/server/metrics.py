"""What the server counts for Prometheus. Counts, times and bytes; never any text.

Names follow https://prometheus.io/docs/practices/naming/.
"""

from __future__ import annotations

import time
from asyncio import CancelledError
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from skerry.edge.engines.base import FinishReason
from skerry.edge.receipts import Receipt, TokenUsage
from skerry.edge.server.answers import Step

_TTFT_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_TOTAL_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)


class Metrics:
    """One registry per server. `underway` tells how many answers are running or waiting."""

    def __init__(self, underway: Callable[[], int]) -> None:
        self.registry = CollectorRegistry()
        self.requests = self._counter("requests", "Requests.", "route", "status")
        self.prompt_tokens = self._counter("prompt_tokens", "Tokens of prompts.")
        self.cached_tokens = self._counter("cached_tokens", "Prompt tokens found in the KV cache.")
        self.completion_tokens = self._counter("completion_tokens", "Tokens of answers.")
        self.classes = self._counter("request_classes", "Questions by class.", "request_class")
        self.tiers = self._counter("tiers", "Answers by the tier that gave them.", "tier")
        self.verdicts = self._counter("gate_verdicts", "Answers by the gate's verdict.", "verdict")
        self.egress = self._counter("egress_bytes", "Bytes that left the device.")
        self.cancelled = self._counter("cancelled", "Answers stopped before their end.")
        self.ttft = self._histogram("ttft_seconds", "Time to the first text.", _TTFT_SECONDS)
        self.total = self._histogram("answer_seconds", "Time to the end.", _TOTAL_SECONDS)
        gauge = Gauge("skerry_underway", "Answers running or waiting.", registry=self.registry)
        gauge.set_function(underway)

    def text(self) -> bytes:
        """Everything, in the exposition format."""
        return generate_latest(self.registry)

    @contextmanager
    def answer(self) -> Iterator[Watch]:
        """Watches one answer, whichever way it ends."""
        watch = Watch()
        try:
            yield watch
        except (GeneratorExit, CancelledError):  # nobody reads it any more
            self.cancelled.inc()
            raise
        finally:
            self._add(watch)

    def _add(self, watch: Watch) -> None:
        if watch.ttft_seconds is not None:
            self.ttft.observe(watch.ttft_seconds)
        if watch.ends:
            self.total.observe(watch.elapsed())
        for last in watch.ends:
            self.cancelled.inc(last.finish == FinishReason.CANCELLED)
            self._add_usage(last.usage)
            self.add_receipt(last.receipt)

    def _add_usage(self, usage: TokenUsage | None) -> None:
        if usage is not None:
            self.prompt_tokens.inc(usage.prompt_tokens)
            self.cached_tokens.inc(usage.cached_tokens)
            self.completion_tokens.inc(usage.completion_tokens)

    def add_receipt(self, receipt: Receipt | None) -> None:
        """What the pipeline did with one question."""
        if receipt is None:
            return
        self.classes.labels(receipt.route.request_class).inc()
        self.tiers.labels(receipt.answered_by or "none").inc()
        self.verdicts.labels(receipt.verdict or "none").inc()
        self.egress.inc(sum(egress.bytes_sent for egress in receipt.egress))

    def _counter(self, name: str, help_: str, *labels: str) -> Counter:
        return Counter(f"skerry_{name}", help_, labels, registry=self.registry)

    def _histogram(self, name: str, help_: str, buckets: tuple[float, ...]) -> Histogram:
        return Histogram(f"skerry_{name}", help_, buckets=buckets, registry=self.registry)


@dataclass(slots=True)
class Watch:
    """The times of one request, and the last step of each of its answers."""

    start: float = field(default_factory=time.perf_counter)
    ttft_seconds: float | None = None
    ends: list[Step] = field(default_factory=list)

    def elapsed(self) -> float:
        return time.perf_counter() - self.start

    def see(self, step: Step) -> None:
        if self.ttft_seconds is None and (step.text or step.calls):
            self.ttft_seconds = self.elapsed()
        if step.finish is not None:
            self.ends.append(step)
