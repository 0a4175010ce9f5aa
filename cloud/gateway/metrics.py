"""What a gateway counts for Prometheus. Counts, times and names of the file; never any text.

Names follow https://prometheus.io/docs/practices/naming/.
"""

from __future__ import annotations

import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from skerry.cloud.gateway.config import Gateway
from skerry.cloud.gateway.exchange import Ended
from skerry.cloud.gateway.fleet import Fleet
from skerry.cloud.gateway.gate import Gate
from skerry.cloud.gateway.ledger import cost
from skerry.cloud.gateway.shadow import Compared

TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)
_RATIOS = (0.1, 0.25, 0.5, 0.75, 0.9, 1, 1.1, 1.25, 1.5, 2, 4, 10)
_WHO = ("tenant", "request_class", "model")


class Metrics:
    """One registry for each gateway."""

    def __init__(self, config: Gateway, gate: Gate, fleet: Fleet) -> None:
        self._config, self._fleet = config, fleet
        self.registry = CollectorRegistry()
        self.requests = self._counter("requests", "Requests.", "route", *_WHO, "status")
        self.tokens = self._counter("tokens", "Tokens.", *_WHO, "kind")
        self.cost = self._counter("cost", "Cost, in the unit of the prices.", *_WHO)
        self.again = self._counter("tries_again", "Tries after a first one.", "model")
        self.passes = self._counter("passes", "Forward passes for devices that draft.", "model")
        self.waited = self._histogram("waited_seconds", "Wait for a place.", _SECONDS)
        self.first = self._histogram("first_seconds", "Time to the first byte.", _SECONDS, "model")
        self.total = self._histogram(
            "total_seconds", "Time to the end.", _SECONDS, "route", "model"
        )
        pair = ("model", "shadow")
        self.shadows = self._counter("shadow_answers", "Shadows asked.", *pair, "status")
        self.shadow_time = self._histogram(
            "shadow_time_ratio", "Time of a shadow to that of the answer.", _RATIOS, *pair
        )
        self.shadow_length = self._histogram(
            "shadow_length_ratio", "Length of a shadow to that of the answer.", _RATIOS, *pair
        )
        self._up = self._gauge("replica_up", "Whether it takes requests.", "model", "replica")
        self._gauge("under_way", "Requests under way.").set_function(lambda: gate.under_way)
        self._gauge("waiting", "Requests that wait.").set_function(lambda: gate.admission.waiting)

    def text(self) -> bytes:
        """Everything, in the exposition format."""
        now = time.monotonic()
        for replica in self._fleet:
            self._up.labels(replica.model, replica.url).set(replica.healthy and replica.open(now))
        return generate_latest(self.registry)

    def observe(self, ended: Ended) -> None:
        who = (ended.tenant, ended.request_class, ended.model)
        self.requests.labels(ended.route, *who, ended.status).inc()
        self.total.labels(ended.route, ended.model).observe(ended.seconds)
        if not ended.model:
            return
        self.waited.observe(ended.waited_s)
        self.again.labels(ended.asked_model).inc(max(0, ended.tries - 1))
        self.passes.labels(ended.model).inc(ended.passes)
        if ended.first_s is not None:
            self.first.labels(ended.model).observe(ended.first_s)
        self._add_tokens(ended, who)

    def compare(self, compared: Compared) -> None:
        answer, shadow = compared.answer, compared.shadow
        pair = (answer.model, shadow.model)
        self.shadows.labels(*pair, shadow.status).inc()
        if shadow.status < 300:
            self.shadow_time.labels(*pair).observe(shadow.seconds / max(answer.seconds, 1e-6))
            self.shadow_length.labels(*pair).observe(shadow.length / max(answer.length, 1))

    def _add_tokens(self, ended: Ended, who: tuple[str, str, str]) -> None:
        tokens = ended.tokens
        counts = {
            "prompt": tokens.prompt,
            "completion": tokens.completion,
            "drafted": ended.drafted,
            "accepted": ended.accepted,
        }
        for kind, count in counts.items():
            if count:
                self.tokens.labels(*who, kind).inc(count)
        model = self._config.models[ended.model]
        self.cost.labels(*who).inc(cost(model, tokens.prompt, tokens.completion))

    def _counter(self, name: str, help_: str, *labels: str) -> Counter:
        return Counter(f"skerry_gateway_{name}", help_, labels, registry=self.registry)

    def _gauge(self, name: str, help_: str, *labels: str) -> Gauge:
        return Gauge(f"skerry_gateway_{name}", help_, labels, registry=self.registry)

    def _histogram(
        self, name: str, help_: str, buckets: tuple[float, ...], *labels: str
    ) -> Histogram:
        full = f"skerry_gateway_{name}"
        return Histogram(full, help_, labels, buckets=buckets, registry=self.registry)
