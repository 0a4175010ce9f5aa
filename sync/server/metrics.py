"""What a fleet server counts for Prometheus. Counts and times; no names of devices or tenants."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

TYPE = "text/plain; version=0.0.4; charset=utf-8"
_NAMESPACE = "skerry_fleet"
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """One registry for each process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = self._counter("requests", "Requests of devices.", "route", "status")
        self.offers = self._counter("offers", "Offers that were made.")
        self.reports = self._counter("reports", "Reports, by how far an update came.", "stage")
        self.seconds = Histogram(
            "request_seconds", "Time to an answer.", ("route",), namespace=_NAMESPACE,
            registry=self.registry, buckets=_SECONDS,
        )  # fmt: skip

    def answered(self, route: str, status: int, seconds: float) -> None:
        self.requests.labels(route, status).inc()
        self.seconds.labels(route).observe(seconds)

    def reported(self, stage: str) -> None:
        self.reports.labels(stage).inc()

    def text(self) -> bytes:
        """Everything, in the exposition format."""
        return generate_latest(self.registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, namespace=_NAMESPACE, registry=self.registry)
