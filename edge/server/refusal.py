"""Whether a request may reach an endpoint: how it is framed, host, origin, key, size. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.types import Scope

from skerry.edge.server.errors import ApiError
from skerry.edge.server.keys import same_key
from skerry.edge.server.options import ServerOptions, is_loopback

_HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^:\[\]@/\s]+)(?::[0-9]{0,5})?")
_PUBLIC = ("/health", "/favicon.ico")
_CLOSE = {"connection": "close"}

Check = Callable[[Scope, Headers, ServerOptions], ApiError | None]


def refusal(scope: Scope, options: ServerOptions) -> ApiError | None:
    """Why a request gets no further; None when it may."""
    headers = Headers(scope=scope)
    found = (check(scope, headers, options) for check in _CHECKS)
    return next(filter(None, found), None)


def too_large(options: ServerOptions) -> ApiError:
    return ApiError(
        413,
        f"the body is larger than {options.body_bytes:,} bytes.",
        code="request_too_large",
    )


def _framing(scope: Scope, headers: Headers, options: ServerOptions) -> ApiError | None:  # noqa: ARG001
    """Two lengths mean two readings: what follows may be the body to one and a request to another
    (RFC 9112, 6.1). The connection ends, whatever else is on it."""
    if "transfer-encoding" not in headers or "content-length" not in headers:
        return None
    what = "the request has both Content-Length and Transfer-Encoding; send one of them."
    return ApiError(400, what, code="ambiguous_length", headers=_CLOSE)


def _head_size(scope: Scope, headers: Headers, options: ServerOptions) -> ApiError | None:
    if len(scope.get("raw_path", b"")) + len(scope.get("query_string", b"")) > options.url_bytes:
        what = f"the address is longer than {options.url_bytes:,} bytes."
        return ApiError(414, what, code="address_too_long")
    if sum(len(name) + len(value) for name, value in headers.raw) > options.head_bytes:
        what = f"the headers are larger than {options.head_bytes:,} bytes."
        return ApiError(431, what, code="headers_too_large")
    return None


def _host(scope: Scope, headers: Headers, options: ServerOptions) -> ApiError | None:  # noqa: ARG001
    """Browsers send the name that a page was loaded from, so that another name means DNS
    rebinding."""
    if not options.loopback or _local_name(headers.get("host", "")):
        return None
    what = "this server answers only to a name of this machine (127.0.0.1 or localhost)."
    return ApiError(403, what, code="wrong_host")


def _local_name(host: str) -> bool:
    """Whether a Host header (RFC 9112, 3.2) names this machine."""
    found = _HOST.fullmatch(host)
    return found is not None and is_loopback(found[1])


def _origin(scope: Scope, headers: Headers, options: ServerOptions) -> ApiError | None:
    own = f"{scope['scheme']}://{headers.get('host', '')}"
    if {own, *options.allow_origins} >= set(headers.getlist("origin")):
        return None
    what = "pages of that origin may not call; start the server with --allow-origin."
    return ApiError(403, what, code="wrong_origin")


def _key(scope: Scope, headers: Headers, options: ServerOptions) -> ApiError | None:
    """401 unless the request shows the key, or none is needed."""
    if options.api_key is None or _public(scope, options):
        return None
    scheme, _, given = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not given:
        what = "No API key: send it as 'Authorization: Bearer KEY'."
        return ApiError(401, what, code="missing_api_key")
    if same_key(given.strip(), options.api_key):
        return None
    what = "Wrong API key; the right one is in the file that `skerry serve` names."
    return ApiError(401, what, code="invalid_api_key")


def _public(scope: Scope, options: ServerOptions) -> bool:
    path, method = scope["path"], scope["method"]
    if method == "OPTIONS" or path == "/" or path.startswith("/page/"):
        return True
    if path == "/metrics":
        return options.loopback and options.open_metrics
    return path in _PUBLIC


def _body(scope: Scope, headers: Headers, options: ServerOptions) -> ApiError | None:  # noqa: ARG001
    encoding = headers.get("content-encoding", "identity").lower()
    if encoding != "identity":
        what = f"'Content-Encoding: {encoding[:100]}' is not read; send the body as it is."
        return ApiError(415, what, code="unsupported_content_encoding")
    length = headers.get("content-length", "0")
    if not length.isdecimal():
        return ApiError(400, "Content-Length is no number.", code="invalid_length", headers=_CLOSE)
    return too_large(options) if int(length) > options.body_bytes else None


_CHECKS: tuple[Check, ...] = (_framing, _head_size, _host, _origin, _key, _body)
