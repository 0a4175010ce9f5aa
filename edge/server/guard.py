"""What every request passes before an endpoint sees it, and every answer after it: refusals, limits
on the body, headers that keep a browser strict, and a count.

Plain ASGI, so that it costs nothing per streamed token.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from skerry.edge.server.errors import ApiError, as_api_error
from skerry.edge.server.metrics import Metrics
from skerry.edge.server.options import ServerOptions
from skerry.edge.server.refusal import refusal, too_large
from skerry.edge.server.sse import error_response, log_fault

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"content-security-policy", CSP.encode()),
)
_NO_STORE = (b"cache-control", b"no-store")  # questions and documents stay out of browsers' caches


@dataclass(frozen=True, slots=True)
class Guard:
    """An ASGI application in front of another."""

    app: ASGIApp
    options: ServerOptions
    metrics: Metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if scope["method"] == "HEAD":  # as GET; the server leaves out the body (RFC 9110, 9.3.2)
            scope = {**scope, "method": "GET"}
        seen = _Seen()
        strict = _strict(send, seen)
        try:
            await self._pass(scope, receive, strict)
        except Exception as error:  # noqa: BLE001  nobody foresaw it: a clean 500, or a cut
            log_fault(error)
            if not seen.status:
                await error_response(as_api_error(error))(scope, receive, strict)
        finally:
            self.metrics.requests.labels(route_of(scope), seen.status).inc()

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> None:
        refused = refusal(scope, self.options)
        if refused is not None:
            await error_response(refused)(scope, receive, send)
        else:
            await self.app(scope, _limited(receive, self.options), send)


def route_of(scope: Scope) -> str:
    """The pattern of the route, never the path itself: paths can be anything."""
    route = scope.get("route")
    return str(getattr(route, "path", "none"))


@dataclass(slots=True)
class _Seen:
    status: int = 0


def _strict(send: Send, seen: _Seen) -> Send:
    async def strict(message: Message) -> None:
        if message["type"] == "http.response.start":
            seen.status = message["status"]
            own = list(message.get("headers", ()))
            rest = () if any(name == _NO_STORE[0] for name, _ in own) else (_NO_STORE,)
            message = {**message, "headers": [*own, *rest, *_HEADERS]}
        await send(message)

    return strict


def _limited(receive: Receive, options: ServerOptions) -> Receive:
    """`receive` within the limits of size and time; the time is that of the whole body, so that a
    byte now and then does not hold a connection.

    Raises:
        ApiError: 413 or 408, out of whatever reads the body.
    """
    ends_at = asyncio.get_running_loop().time() + options.body_seconds
    got = 0
    complete = False

    async def limited() -> Message:
        nonlocal got, complete
        if complete:
            return await receive()
        try:
            async with asyncio.timeout_at(ends_at):
                message = await receive()
        except TimeoutError:
            raise _too_slow() from None
        got += len(message.get("body", b""))
        complete = not message.get("more_body", False)
        if got > options.body_bytes:
            raise too_large(options)
        return message

    return limited


def _too_slow() -> ApiError:
    """The connection ends with it: the rest of the body would be read as a request."""
    what = "the body did not arrive in time."
    return ApiError(408, what, code="timeout", headers={"connection": "close"})
