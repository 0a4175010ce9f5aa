"""What every request passes before an endpoint sees it: host, origin, key, size; and every answer
after it: headers that keep a browser strict, and a count.

Plain ASGI, so that it costs nothing per streamed token.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from skerry.edge.server.errors import ApiError, as_api_error
from skerry.edge.server.keys import same_key
from skerry.edge.server.metrics import Metrics
from skerry.edge.server.options import ServerOptions, is_loopback
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
_PUBLIC = ("/health", "/page/", "/favicon.ico")


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


def refusal(scope: Scope, options: ServerOptions) -> ApiError | None:
    """Why a request gets no further; None when it may. Pure."""
    headers = Headers(scope=scope)
    if options.loopback and not _local_name(headers.get("host", "")):
        return ApiError(
            403,
            "this server answers only to a name of this machine (127.0.0.1 or localhost).",
            code="wrong_host",
        )
    origin = headers.get("origin")
    if origin is not None and not _may_call(origin, headers.get("host", ""), scope, options):
        return ApiError(
            403,
            "pages of that origin may not call; start the server with --allow-origin.",
            code="wrong_origin",
        )
    if options.api_key is not None and not _public(scope, options):
        refused = key_refusal(headers, options.api_key)
        if refused is not None:
            return refused
    return _too_large(headers, options)


def key_refusal(headers: Mapping[str, str], key: str) -> ApiError | None:
    """401 unless the request shows the key."""
    scheme, _, given = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not given:
        return ApiError(
            401, "No API key: send it as 'Authorization: Bearer KEY'.", code="missing_api_key"
        )
    if not same_key(given.strip(), key):
        return ApiError(
            401,
            "Wrong API key; the right one is in the file that `skerry serve` names.",
            code="invalid_api_key",
        )
    return None


def route_of(scope: Scope) -> str:
    """The pattern of the route, never the path itself: paths can be anything."""
    route = scope.get("route")
    return str(getattr(route, "path", "none"))


def _local_name(host: str) -> bool:
    """Whether a Host header names this machine (RFC 9112, 3.2). Browsers send the name that a page
    was loaded from, so that another name means DNS rebinding."""
    name = host[: host.index("]") + 1] if "]" in host else host.partition(":")[0]
    return is_loopback(name)


def _may_call(origin: str, host: str, scope: Scope, options: ServerOptions) -> bool:
    return origin == f"{scope['scheme']}://{host}" or origin in options.allow_origins


def _public(scope: Scope, options: ServerOptions) -> bool:
    path, method = scope["path"], scope["method"]
    if method == "OPTIONS" or path == "/":
        return True
    if path == "/metrics":
        return options.loopback and options.open_metrics
    return any(path == public or path.startswith("/page/") for public in _PUBLIC)


def _too_large(headers: Mapping[str, str], options: ServerOptions) -> ApiError | None:
    length = headers.get("content-length", "0")
    return too_large(options) if int(length) > options.body_bytes else None


def too_large(options: ServerOptions) -> ApiError:
    return ApiError(
        413,
        f"the body is larger than {options.body_bytes:,} bytes.",
        code="request_too_large",
    )


@dataclass(slots=True)
class _Seen:
    status: int = 0


def _strict(send: Send, seen: _Seen) -> Send:
    async def strict(message: Message) -> None:
        if message["type"] == "http.response.start":
            seen.status = message["status"]
            message = {**message, "headers": [*message.get("headers", ()), *_HEADERS]}
        await send(message)

    return strict


def _limited(receive: Receive, options: ServerOptions) -> Receive:
    """`receive` within the limits of size and time.

    Raises:
        ApiError: 413 or 408, out of whatever reads the body.
    """
    got = 0
    complete = False

    async def limited() -> Message:
        nonlocal got, complete
        if complete:
            return await receive()
        try:
            async with asyncio.timeout(options.body_seconds):
                message = await receive()
        except TimeoutError:
            raise ApiError(408, "the body did not arrive in time.", code="timeout") from None
        got += len(message.get("body", b""))
        complete = not message.get("more_body", False)
        if got > options.body_bytes:
            raise too_large(options)
        return message

    return limited
