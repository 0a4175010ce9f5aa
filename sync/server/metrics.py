"""What a fleet server counts for Prometheus. Counts and times; no names of devices or tenants."""

from __future__ import annotations

from functools import partial

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

_NAMESPACE = "skerry_fleet"
TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """One registry for each process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        count = partial(Counter, namespace=_NAMESPACE, registry=self.registry)
        self.requests = count("requests", "Requests of devices.", ("route", "status"))
        self.seconds = Histogram(
            "request_seconds", "Time to an answer.", ("route",),
            buckets=_SECONDS, namespace=_NAMESPACE, registry=self.registry,
        )  # fmt: skip
        self.offers = count("offers", "Offers that were made.")
        self.reports = count("reports", "Reports, by how far an update came.", ("stage",))

    def answered(self, route: str, status: int, seconds: float) -> None:
        self.requests.labels(route, status).inc()
        self.seconds.labels(route).observe(seconds)

    def reported(self, stage: str) -> None:
        self.reports.labels(stage).inc()

    def text(self) -> bytes:
        """Everything, in the exposition format."""
        return generate_latest(self.registry)
