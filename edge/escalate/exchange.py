"""One generation over HTTP: attempts up to the first token, then the stream to its end.

Knows nothing of threads, the circuit or policy: the tier owns those.
"""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import cast

import httpx2

from skerry.edge.engines.base import FinishReason, Piece
from skerry.edge.errors import CloudError
from skerry.edge.escalate.chunks import DONE, Chunk, TokenCounts, parse_chunk
from skerry.edge.escalate.faults import (
    broken_off,
    late_fault,
    offline_fault,
    overdue,
    protocol_fault,
    server_message,
    snippet,
    status_fault,
    translated,
)
from skerry.edge.escalate.meter import Meter, MeteredBody, MeteredReply
from skerry.edge.escalate.options import CloudOptions
from skerry.edge.escalate.preview import Preview
from skerry.edge.escalate.retry import delay_s

_RANDOM = random.SystemRandom()
_TRAILER_S = 1.0
_ERROR_BODY_BYTES = 64 << 10


@dataclass(frozen=True, slots=True)
class Exchange:
    """What to send, by which client, within which limits, and who gets the pieces."""

    client: httpx2.AsyncClient
    options: CloudOptions
    preview: Preview
    meter: Meter
    emit: Callable[[Piece], None]
    offline: Callable[[], bool]
    deadline_s: float
    first_token_s: float


class Reply:
    """A response whose head was good: its chunks, one by one."""

    def __init__(self, options: CloudOptions, response: httpx2.Response) -> None:
        self._options = options
        self._response = response
        self._over = False
        response.encoding = "utf-8"  # whatever the header claims: SSE has no other
        source = httpx2.EventSource(response, max_event_size=options.max_line_bytes)
        events = aiter(source)
        self._events = cast(AsyncGenerator[httpx2.ServerSentEvent, None], events)

    async def next(self) -> Chunk | None:
        """The next chunk that brings the answer forward; None at the end of the stream."""
        while not self._over:
            chunk = await self._read()
            if chunk is None or chunk.is_progress or chunk.counts is not None:
                return chunk
        return None

    async def aclose(self) -> None:
        await self._events.aclose()
        await self._response.aclose()

    async def _read(self) -> Chunk | None:
        with translated(self._options):
            event = await anext(self._events, None)
        self._over = event is None or event.data == DONE
        if event is None:
            return None
        return (
            Chunk(finish=FinishReason.STOP)
            if self._over
            else parse_chunk(self._options, event.data)
        )


async def converse(exchange: Exchange) -> None:
    """Gives every piece of the answer to `exchange.emit`; the last has `finish` and `usage`.

    Raises:
        CloudError: no whole answer came; what was given out before stays given out.
    """
    async with within(exchange.deadline_s, overdue(exchange.options, exchange.deadline_s)):
        reply, first = await _first_reply(exchange)
        async with aclosing(reply):
            await _relay(exchange, reply, first)


@asynccontextmanager
async def within(limit_s: float, fault: CloudError) -> AsyncIterator[None]:
    """Raises `fault` if the block takes longer."""
    try:
        async with asyncio.timeout(limit_s):
            yield
    except TimeoutError:
        raise fault from None


async def _first_reply(exchange: Exchange) -> tuple[Reply, Chunk]:
    """Tries until an answer has begun. Nothing was given out yet, so that another try is safe."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + exchange.deadline_s
    for attempt in itertools.count(1):
        try:
            return await _attempt(exchange)
        except CloudError as error:
            wait_s = delay_s(
                exchange.options,
                error,
                attempt=attempt,
                remaining_s=deadline - loop.time(),
                uniform=_RANDOM.uniform,
            )
            if wait_s is None:
                raise
        await asyncio.sleep(wait_s)
    raise AssertionError("the count of attempts has no end")


async def _attempt(exchange: Exchange) -> tuple[Reply, Chunk]:
    options = exchange.options
    if exchange.offline():
        raise offline_fault(options)
    exchange.meter.attempt()
    limit_s = exchange.first_token_s
    late = late_fault(options, f"sent no text within {limit_s:g} s", "ttft_s")
    async with within(limit_s, late):
        reply = Reply(options, await _open(exchange))
        try:
            first = await reply.next()
            if first is None:
                raise broken_off(options)
        except BaseException:  # being cancelled must close the connection too
            await reply.aclose()
            raise
        return reply, first


async def _open(exchange: Exchange) -> httpx2.Response:
    """Sends the request; the response is a stream of events whose body is still to be read."""
    preview = exchange.preview
    request = exchange.client.build_request(
        "POST", preview.url, content=preview.body, headers={"content-type": "application/json"}
    )
    request.stream = MeteredBody(preview.body, exchange.meter)
    with translated(exchange.options):
        response = await exchange.client.send(request, stream=True)
    stream = cast(httpx2.AsyncByteStream, response.stream)
    response.stream = MeteredReply(stream, exchange.meter, exchange.options)
    try:
        await check_head(exchange.options, response, "text/event-stream")
    except BaseException:  # as above
        await response.aclose()
        raise
    return response


async def check_head(options: CloudOptions, response: httpx2.Response, wanted: str) -> None:
    """Raises CloudError unless status, media type and encoding are what was asked for."""
    if response.status_code != 200:
        said = server_message(options, await _error_body(options, response))
        raise status_fault(options, response.status_code, said, response.headers)
    given = response.headers.get("content-type", "nothing").partition(";")[0].strip().lower()
    if given != wanted:
        raise protocol_fault(options, f"it sent {snippet(options, given)} instead of {wanted}")
    if response.headers.get("content-encoding", "identity") != "identity":
        raise protocol_fault(options, "it sent compressed data that was not asked for")


async def _error_body(options: CloudOptions, response: httpx2.Response) -> str:
    body = bytearray()
    with translated(options):
        async with aclosing(response.aiter_raw()) as parts:
            async for part in parts:
                body += part
                if len(body) >= _ERROR_BODY_BYTES:
                    break
    return body[:_ERROR_BODY_BYTES].decode("utf-8", "replace")


async def _relay(exchange: Exchange, reply: Reply, first: Chunk) -> None:
    chunk: Chunk | None = first
    finish: FinishReason | None = None
    counts = TokenCounts()
    while chunk is not None:
        if chunk.text and finish is None:
            exchange.meter.text()
            exchange.emit(Piece(chunk.text))
        finish = finish or chunk.finish
        counts = chunk.counts or counts
        chunk = await _next(exchange.options, reply, finished=finish is not None)
    if finish is None:
        raise broken_off(exchange.options)
    usage = exchange.meter.usage(counts, exchange.preview.seed)
    exchange.emit(Piece("", finish=finish, usage=usage))


async def _next(options: CloudOptions, reply: Reply, *, finished: bool) -> Chunk | None:
    """The next chunk. After the end of the text only token counts may follow, not waited for long.

    A server that then breaks off has lost nothing that matters.
    """
    limit_s = min(_TRAILER_S, options.idle_s) if finished else options.idle_s
    fault = late_fault(options, f"stalled for {limit_s:g} s in mid-answer", "idle_s")
    try:
        async with within(limit_s, fault):
            return await reply.next()
    except CloudError:
        if finished:
            return None
        raise
