"""Counts what one exchange sends, receives and takes, while it runs."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import httpx2

from skerry.edge.engines.base import Usage
from skerry.edge.escalate.base import Egress
from skerry.edge.escalate.chunks import TokenCounts
from skerry.edge.escalate.faults import protocol_fault
from skerry.edge.escalate.options import CloudOptions

UNKNOWN_SEED = -1
"""`Usage.seed` where the server drew one and does not tell."""


class Meter:
    """The counters of one exchange. One thread writes; any may read `egress`."""

    def __init__(self, destination: str) -> None:
        self._destination = destination
        self._started = self._attempt_at = time.perf_counter()
        self._first_text_at: float | None = None
        self._attempts = 0
        self._sent = 0
        self._received = 0

    @property
    def egress(self) -> Egress:
        return Egress(self._destination, self._sent, self._received, self._attempts)

    @property
    def has_text(self) -> bool:
        return self._first_text_at is not None

    def attempt(self) -> None:
        self._attempts += 1
        self._attempt_at = time.perf_counter()

    def sent(self, count: int) -> None:
        self._sent += count

    def received(self, count: int) -> None:
        self._received += count

    def text(self) -> None:
        if self._first_text_at is None:
            self._first_text_at = time.perf_counter()

    def usage(self, counts: TokenCounts, seed: int | None) -> Usage:
        """Token counts are the server's; 0 where it does not tell. Waits and retries are queued."""
        now = time.perf_counter()
        first = now if self._first_text_at is None else self._first_text_at
        return Usage(
            prompt_tokens=counts.prompt,
            cached_tokens=counts.cached,
            completion_tokens=counts.completion,
            prefill_ms=(first - self._attempt_at) * 1e3,
            decode_ms=(now - first) * 1e3,
            queued_ms=(self._attempt_at - self._started) * 1e3,
            seed=UNKNOWN_SEED if seed is None else seed,
            stats=None,
        )


class MeteredBody(httpx2.AsyncByteStream):
    """A request body that counts when it is handed to the network."""

    def __init__(self, body: bytes, meter: Meter) -> None:
        self._body = body
        self._meter = meter

    async def __aiter__(self) -> AsyncIterator[bytes]:
        self._meter.sent(len(self._body))  # before: a write that fails half-way did leave in part
        yield self._body


class MeteredReply(httpx2.AsyncByteStream):
    """A response body that counts what arrives and stops at the limit of `options`."""

    def __init__(self, stream: httpx2.AsyncByteStream, meter: Meter, options: CloudOptions) -> None:
        self._stream = stream
        self._meter = meter
        self._options = options

    async def __aiter__(self) -> AsyncIterator[bytes]:
        arrived = 0
        async for part in self._stream:
            arrived += len(part)
            self._meter.received(len(part))
            if arrived > self._options.max_response_bytes:
                limit = self._options.max_response_bytes
                raise protocol_fault(self._options, f"it sent more than {limit:,} bytes")
            yield part

    async def aclose(self) -> None:
        await self._stream.aclose()
