"""Reads the body of a request within its limits of size and time, and answers in one piece."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from starlette.types import Receive, Send

from skerry.cloud.gateway.errors import Refusal

BODY_S = 30.0
"""Of a whole body, so that a byte now and then does not hold a connection."""
SEND_S = 30.0
"""How long a client may leave what is sent to it unread."""
INVALID_LENGTH = "invalid_length"
STRICT = [(b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff")]


class Gone(Exception):
    """The client went away, or does not read."""


class Cut(Exception):
    """Ends a connection in the middle of an answer; there is no other way to say so any more."""


class Room:
    """Memory for the bodies of all requests together: `size` bytes."""

    def __init__(self, size: int) -> None:
        self.free = size

    @contextmanager
    def held(self) -> Iterator[Callable[[int], None]]:
        """Takes bytes as they come, and gives them all back at the end.

        Raises, when it is called:
            Refusal: 503: there is no room for so many more.
        """
        taken = 0

        def take(count: int) -> None:
            nonlocal taken
            if count > self.free:
                what = "the bodies of requests take all memory that they may"
                raise Refusal(503, "busy", what, hint="try again in a moment", retry_s=1)
            self.free -= count
            taken += count

        try:
            yield take
        finally:
            self.free += taken


async def whole_body(
    receive: Receive,
    headers: Mapping[str, str],
    most: int,
    take: Callable[[int], None] = lambda _: None,
) -> bytes:
    """The body of a request, `most` bytes at most; `take` is told of bytes as they come.

    Raises:
        Refusal: 413, 408, 415, 400: too large, too slow, compressed, no number as its length.
        Gone: the client went away.
    """
    _check_head(headers, most)
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_S):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Gone
                part = message.get("body", b"")
                take(len(part))
                body += part
                if len(body) > most:
                    raise _too_large(most)
                if not message.get("more_body", False):
                    return bytes(body)
    except TimeoutError:
        raise Refusal(408, "timeout", "the body did not arrive in time") from None


def _check_head(headers: Mapping[str, str], most: int) -> None:
    if headers.get("content-encoding", "identity").lower() != "identity":
        what = "compressed bodies are not read; send the body as it is"
        raise Refusal(415, "unsupported_content_encoding", what)
    length = headers.get("content-length", "0")
    both = "transfer-encoding" in headers and "content-length" in headers
    if both or not (length.isascii() and length.isdecimal()):
        raise Refusal(400, INVALID_LENGTH, "send one good Content-Length, or none")
    if len(length) > 15 or int(length) > most:
        raise _too_large(most)


def _too_large(most: int) -> Refusal:
    return Refusal(413, "request_too_large", f"the body is larger than {most // 1024} KiB")


async def sent(send: Send, message: dict[str, object]) -> None:
    """Raises Gone: the client does not take it in time."""
    try:
        async with asyncio.timeout(SEND_S):
            await send(message)
    except TimeoutError:
        raise Gone from None


async def refuse(send: Send, refusal: Refusal) -> None:
    """The whole answer. The connection ends where nobody knows when the next request begins, or
    whether the rest of a body comes. It stays where a body was too large: the server throws the
    rest away, for some seconds, so that a client that sends all of it first reads why."""
    body = refusal.json()
    headers = [*refusal.headers(), *STRICT, (b"content-length", b"%d" % len(body))]
    if refusal.code in ("timeout", INVALID_LENGTH):
        headers.append((b"connection", b"close"))
    await sent(send, {"type": "http.response.start", "status": refusal.status, "headers": headers})
    await sent(send, {"type": "http.response.body", "body": body})
