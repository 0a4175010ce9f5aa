"""Asks the cloud which models it has: what `skerry doctor` shows of it. Sends no text of anyone."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, replace

import httpx2

from skerry.edge.errors import CloudError
from skerry.edge.escalate.exchange import check_head, within
from skerry.edge.escalate.faults import late_fault, protocol_fault, translated
from skerry.edge.escalate.options import CloudOptions

_MOST_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Probe:
    """What `GET /v1/models` said. `problem` and `hint` are empty if it answered well."""

    destination: str
    models: tuple[str, ...] = ()
    latency_ms: float | None = None
    status: int | None = None
    problem: str = ""
    hint: str = ""

    @property
    def ok(self) -> bool:
        return not self.problem

    @classmethod
    def failed(cls, destination: str, error: CloudError) -> Probe:
        return cls(destination, status=error.status, problem=error.what, hint=error.hint)


async def probe(client: httpx2.AsyncClient, options: CloudOptions, limit_s: float) -> Probe:
    """One request, no retry; every fault is in the result."""
    started = time.perf_counter()
    late = late_fault(options, f"did not answer within {limit_s:g} s", "the limit")
    try:
        async with within(limit_s, late):
            models = await _models(client, options)
    except CloudError as error:
        return Probe.failed(options.destination, error)
    latency_ms = (time.perf_counter() - started) * 1e3
    return _with_advice(Probe(options.destination, models, latency_ms, 200), options)


async def _models(client: httpx2.AsyncClient, options: CloudOptions) -> tuple[str, ...]:
    body = bytearray()
    with translated(options):
        async with client.stream("GET", options.models_url) as response:
            await check_head(options, response, "application/json")
            async for part in response.aiter_raw():
                body += part
                if len(body) > _MOST_BYTES:
                    raise protocol_fault(options, "its list of models has no end")
    return _names(options, bytes(body))


def _names(options: CloudOptions, body: bytes) -> tuple[str, ...]:
    try:
        listed = json.loads(body)["data"]
        return tuple(str(model["id"]) for model in listed)
    except (ValueError, RecursionError, LookupError, TypeError):
        raise protocol_fault(options, "its list of models cannot be read") from None


def _with_advice(probe: Probe, options: CloudOptions) -> Probe:
    wanted = {options.model, options.reasoning_model} - {None}
    missing = sorted(str(name) for name in wanted if name not in probe.models)
    if not missing:
        return probe
    has = ", ".join(probe.models[:5]) or "none"
    return replace(
        probe,
        problem=f"{options.destination} does not list the model {' and '.join(missing)}",
        hint=f"it has: {has}",
    )
