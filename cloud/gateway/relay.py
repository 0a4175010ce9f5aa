"""`/v1/chat/completions` and its siblings, which pass through to the servers of models.

Plain ASGI, so that a streamed token costs little. The client's going, its deadline and the end of
its key end the request upstream, too.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable
from dataclasses import dataclass, field

import msgspec
from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from skerry.cloud.gateway.asked import Asked, body_for, deadline_s, read
from skerry.cloud.gateway.bodies import STRICT, Cut, Gone, refuse, sent, whole_body
from skerry.cloud.gateway.config import Gateway
from skerry.cloud.gateway.errors import Refusal, as_refusal
from skerry.cloud.gateway.exchange import Ended, Observer
from skerry.cloud.gateway.gate import Gate, Ticket
from skerry.cloud.gateway.metering import BYTES_PER_TOKEN, Meter, Tokens, meter
from skerry.cloud.gateway.shadow import Answered, Shadows
from skerry.cloud.gateway.traces import describe, spanned, upward
from skerry.cloud.gateway.upstream import Begun, Broken, Upstream, Wanted

_HEADERS_DOWN = ("content-type", "content-encoding", "retry-after", "x-request-id")
_GONE = 499
_log = logging.getLogger("skerry.gateway")


@dataclass(slots=True)
class Exchange:
    """One request and its answer, as far as they have come."""

    route: str
    headers: Headers
    send: Send
    since: float = field(default_factory=time.monotonic)
    tenant: str = ""
    asked: Asked | None = None
    begun: Begun | None = None
    meter: Meter | None = None
    prompt_bytes: int = 0
    waited_s: float = 0.0
    first_s: float | None = None
    upstream: bool = False
    status: int = 0
    streams: bool = False
    length: int = 0
    cut: bool = False

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.since

    def tokens(self) -> Tokens:
        """What was used, as far as is known; also of an answer that nobody waited for."""
        if self.begun is not None and self.meter is not None:
            good = self.begun.status < 300
            return self.meter.tokens(self.prompt_bytes) if good else Tokens(0, 0, 0)
        asked = self.upstream and self.status not in (502, 503)
        prompt = self.prompt_bytes // BYTES_PER_TOKEN if asked else 0
        return Tokens(prompt, 0, prompt)

    def answered(self, ended: Ended) -> Answered:
        whole = ended.status if not self.cut else _GONE
        return Answered(ended.model, whole, ended.seconds, self.length, ended.tokens)


@dataclass(frozen=True, slots=True)
class Relay:
    """An ASGI application for one path. `generates`: its answers are text, no vectors."""

    path: str
    config: Gateway
    gate: Gate
    upstream: Upstream
    observe: Observer
    shadows: Shadows
    generates: bool = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange = Exchange(f"/v1{self.path}", Headers(scope=scope), send)
        with spanned(exchange.route, exchange.headers) as span:
            try:
                await self._exchanged(exchange, receive)
            finally:  # also where the gateway is stopped
                ended = _ended(exchange)
                describe(span, ended)
                self.observe(ended)
        if exchange.asked is not None and self.generates and ended.tries:
            self.shadows.follow(exchange.asked, self.path, exchange.answered(ended))
        if exchange.cut:
            raise Cut

    async def _exchanged(self, exchange: Exchange, receive: Receive) -> None:
        try:
            with self.gate.ticket(exchange.headers) as ticket:
                exchange.tenant = ticket.holder.tenant
                await self._serve(exchange, ticket, receive)
        except Gone:
            pass
        except Exception as error:  # noqa: BLE001  nobody foresaw it: a clean 500, or a cut
            await self._fail(exchange, error)

    async def _serve(self, exchange: Exchange, ticket: Ticket, receive: Receive) -> None:
        most = self.config.limits.body_kib * 1024
        with self.gate.room.held() as take:
            body = await whole_body(receive, exchange.headers, most, take)
            left = deadline_s(exchange.headers, self.config) - exchange.seconds
            work = self._work(exchange, ticket, body, left)
            await _while_wanted(work, ticket, receive, left)

    async def _work(self, exchange: Exchange, ticket: Ticket, body: bytes, left: float) -> None:
        holder = ticket.holder
        asked = read(body, exchange.headers, self.config, (holder.tenant, holder.rules))
        exchange.asked, exchange.prompt_bytes = asked, len(body)
        async with self.gate.place(holder, asked.model, wait_s=left):
            exchange.waited_s, exchange.upstream = exchange.seconds, True
            async with self.upstream.answer(self._wanted(asked, exchange.headers)) as begun:
                await self._pass_on(exchange, asked, begun)

    def _wanted(self, asked: Asked, headers: Headers) -> Wanted:
        def body(model: str) -> bytes:
            return body_for(asked, model, self.config, generates=self.generates)

        return Wanted(asked.model, self.path, body, asked.session, upward(headers))

    async def _pass_on(self, exchange: Exchange, asked: Asked, begun: Begun) -> None:
        _check_answer(begun)
        kind = begun.headers.get("content-type", "")
        exchange.begun, exchange.first_s = begun, exchange.seconds
        exchange.meter = read_by = meter(kind, drops=not asked.tells)
        exchange.streams = kind.startswith("text/event-stream")
        await self._begin(exchange, asked, begun)
        async for chunk in begun.chunks:
            if passed := read_by.feed(chunk):
                exchange.length += len(passed)
                await sent(exchange.send, _part(passed, more=True))
        await sent(exchange.send, _part(read_by.rest(), more=False))

    async def _begin(self, exchange: Exchange, asked: Asked, begun: Begun) -> None:
        model = self.config.models[begun.replica.model]
        headers = [
            (name.encode(), begun.headers[name].encode())
            for name in (*_HEADERS_DOWN, *(() if exchange.streams else ("content-length",)))
            if name in begun.headers
        ]
        headers += [
            (b"x-skerry-model", begun.replica.model.encode()),
            (b"x-skerry-template", model.template.encode()),
            (b"x-skerry-class", asked.request_class.encode()),
            *STRICT,
        ]
        exchange.status = begun.status
        start = {"type": "http.response.start", "status": begun.status, "headers": headers}
        await sent(exchange.send, start)

    async def _fail(self, exchange: Exchange, error: Exception) -> None:
        refusal = _broken() if isinstance(error, Broken) else as_refusal(error)
        if refusal.code == "internal":
            _log.error("%s while a request was served", type(error).__name__)
        try:
            if not exchange.status:
                exchange.status = refusal.status
                await refuse(exchange.send, refusal)
                return
            if exchange.streams:
                event = b"data: " + msgspec.json.encode(refusal.body()) + b"\n\n"
                await sent(exchange.send, _part(event, more=False))
                return
        except Gone:
            return
        exchange.cut = True


async def _while_wanted(
    work: Awaitable[None], ticket: Ticket, receive: Receive, left: float
) -> None:
    """Runs `work` until it ends, nobody waits for it, its time is over, or its key is revoked.

    Raises:
        Gone: the client went away.
        Refusal: 504: it took too long; or why it was stopped.
    """
    task = asyncio.ensure_future(work)
    gone = asyncio.create_task(_until_gone(receive))
    ticket.stopped_by(task.cancel)
    try:
        first = asyncio.FIRST_COMPLETED
        done, _ = await asyncio.wait({task, gone}, timeout=max(0.0, left), return_when=first)
    finally:
        task.cancel()
        gone.cancel()
        await asyncio.gather(task, gone, return_exceptions=True)
    if task in done and not task.cancelled():
        task.result()
    elif ticket.why is not None:
        raise ticket.why
    elif gone in done:
        raise Gone
    else:
        what = "the answer was not there in time"
        raise Refusal(504, "deadline_exceeded", what, hint="ask for less, or give it more time")


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _check_answer(begun: Begun) -> None:
    """Raises Refusal: the gateway itself is refused, or sent elsewhere: nobody's business there."""
    if begun.status in (401, 403) or 300 <= begun.status < 400:
        what = f"the server of '{begun.replica.model}' refuses the gateway ({begun.status})"
        raise Refusal(502, "upstream_refused", what, hint="tell whoever runs the gateway")


def _broken() -> Refusal:
    return Refusal(502, "upstream_broke_off", "the answer broke off", hint="ask again")


def _part(body: bytes, *, more: bool) -> dict[str, object]:
    return {"type": "http.response.body", "body": body, "more_body": more}


def _ended(exchange: Exchange) -> Ended:
    asked, begun = exchange.asked, exchange.begun
    model = asked.model if asked else ""
    return Ended(
        exchange.route,
        exchange.tenant,
        asked.request_class if asked else "",
        model,
        begun.replica.model if begun else model,
        exchange.status or _GONE,
        exchange.seconds,
        waited_s=exchange.waited_s,
        first_s=exchange.first_s,
        tries=begun.tries if begun else 0,
        tokens=exchange.tokens(),
    )
