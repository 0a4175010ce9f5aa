"""Talks to a gateway that holds collections: one request, one whole answer, within a deadline."""

from __future__ import annotations

import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx2

from skerry.cloud.collections.wire import MOST_ANSWER_BYTES, BadCollection
from skerry.edge.errors import Cancelled, Closed, CloudError, CloudRefused, CloudUnavailable
from skerry.edge.escalate.exchange import within
from skerry.edge.escalate.faults import (
    Transient,
    late_fault,
    retry_after_s,
    server_message,
    snippet,
    translated,
)
from skerry.edge.escalate.loop import LoopThread, unless
from skerry.edge.escalate.meter import Meter, MeteredBody
from skerry.edge.escalate.options import CloudOptions

_GRACE_S = 5.0
_ERROR_BYTES = 64 << 10
_LATER = (408, 429, 502, 503, 504)
_HINTS = {
    401: "check collections_api_key",
    403: "this key may not do that: an operator's is needed to publish",
    404: "check the collection's name, and collections_url",
    409: "the device and the collection must have the same encoder",
}
Read = TypeVar("Read")


class LaterError(CloudUnavailable):
    """The gateway has no time now; `wait_s` is how long it asked to wait, None if it did not."""

    def __init__(
        self, what: str, *, hint: str = "", status: int | None = None, wait_s: float | None = None
    ) -> None:
        super().__init__(what, hint=hint, status=status)
        self.wait_s = wait_s


@dataclass(frozen=True, slots=True)
class _Asked:
    method: str
    url: str
    body: bytes


@dataclass(slots=True)
class _Reply:
    status: int = 0
    body: bytearray = field(default_factory=bytearray)
    wait_s: float | None = None


class Link:
    """A connection to one gateway. Thread-safe; makes no socket before the first request.

    Args:
        options: where it is, and its key; `connect_s` bounds connecting.
    """

    def __init__(self, options: CloudOptions) -> None:
        self.options = options
        self._client: httpx2.AsyncClient | None = None
        self._loop = LoopThread("skerry-collections", self._aclose)

    def ask(
        self,
        method: str,
        url: str,
        body: bytes = b"",
        *,
        limit_s: float,
        cancel: threading.Event | None = None,
        meter: Meter | None = None,
    ) -> bytes:
        """The body of a good answer, at most 1 MiB.

        Raises:
            LaterError: the gateway is busy.
            CloudUnavailable: no answer in time, or no connection.
            CloudRefused: the gateway says no, or answers with what is too long.
            Cancelled: `cancel` was set.
            Closed: this link was closed.
        """
        reply = _Reply()
        asked = _Asked(method, url, body)
        work = self._within(asked, limit_s, reply, meter or Meter(self.options.destination))
        cancelled = cancel or threading.Event()
        try:
            done = self._submitted(unless(cancelled, work)).result(limit_s + _GRACE_S)
        except (TimeoutError, CancelledError):
            raise late_fault(self.options, "did not answer", "collections_s") from None
        if not done:
            raise Cancelled("the search of a collection was cancelled")
        if reply.status != 200:
            raise self._refused(reply)
        return bytes(reply.body)

    def read(self, body: bytes, reader: Callable[[bytes], Read]) -> Read:
        """What `reader` makes of an answer.

        Raises:
            CloudRefused: it is not what a gateway sends.
        """
        try:
            return reader(body)
        except BadCollection as error:
            raise self.garbage(error.what) from error

    def garbage(self, problem: str) -> CloudRefused:
        """The error of an answer that no gateway gives."""
        said = snippet(self.options, problem)
        what = f"{self.options.destination} did not answer like a Skerry gateway: {said}"
        return CloudRefused(what, hint="check collections_url", status=200)

    def close(self) -> None:
        """Ends what is under way. May be called twice."""
        self._loop.close()

    def _submitted(self, work: Coroutine[Any, Any, bool]) -> Future[bool]:
        try:
            return self._loop.submit(work)
        except RuntimeError as error:
            raise Closed("this runtime was closed", hint="make a new Runtime") from error

    async def _within(self, asked: _Asked, limit_s: float, reply: _Reply, meter: Meter) -> None:
        late = late_fault(self.options, f"did not answer within {limit_s:g} s", "collections_s")
        async with within(limit_s, late):
            try:
                await self._exchange(asked, reply, meter)
            except Transient:
                if reply.status:
                    raise
                await self._exchange(asked, reply, meter)  # a kept connection may have been closed

    async def _exchange(self, asked: _Asked, reply: _Reply, meter: Meter) -> None:
        client = self._opened()
        meter.attempt()
        request = client.build_request(asked.method, asked.url, content=asked.body)
        if asked.body:
            request.stream = MeteredBody(asked.body, meter)
        with translated(self.options):
            response = await client.send(request, stream=True)
            try:
                await self._receive(response, reply, meter)
            finally:
                await response.aclose()

    async def _receive(self, response: httpx2.Response, reply: _Reply, meter: Meter) -> None:
        reply.status = response.status_code
        reply.wait_s = retry_after_s(response.headers.get("retry-after", ""), 0.0)
        most = MOST_ANSWER_BYTES if reply.status == 200 else _ERROR_BYTES
        async for part in response.aiter_raw():
            meter.received(len(part))
            reply.body += part
            if len(reply.body) > most:
                raise self.garbage("its answer is too long")

    def _opened(self) -> httpx2.AsyncClient:
        """Made on the loop that uses it. It follows nothing, and takes nothing from the
        environment."""
        if self._client is None:
            self._client = httpx2.AsyncClient(
                headers=self.options.request_headers(),
                timeout=httpx2.Timeout(None, connect=self.options.connect_s),
                trust_env=False,
                follow_redirects=False,
            )
        return self._client

    async def _aclose(self) -> None:
        if self._client is not None:
            await self._client.aclose()

    def _refused(self, reply: _Reply) -> CloudError:
        said = server_message(self.options, bytes(reply.body).decode("utf-8", "replace"))
        what = f"{self.options.destination} answered {reply.status}" + (f": {said}" * bool(said))
        if reply.status in _LATER:
            hint = "try again later; the device answers from its own documents meanwhile"
            return LaterError(what, hint=hint, status=reply.status, wait_s=reply.wait_s)
        if reply.status >= 500:
            return CloudUnavailable(what, hint="try again later", status=reply.status)
        hint = _HINTS.get(reply.status, "check collections_url and its key")
        return CloudRefused(what, hint=hint, status=reply.status)
