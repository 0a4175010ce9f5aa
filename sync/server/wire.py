"""Reading requests of devices and answering them: bounded, and no more parsed than needed."""

from __future__ import annotations

import asyncio
from typing import TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from skerry.sync.server.errors import Refusal

MOST_BYTES = 16_384
_BODY_S = 30.0
_HEADERS = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
Wanted = TypeVar("Wanted")


class Json(Response):
    media_type = "application/json"

    def __init__(self, content: object, status_code: int = 200) -> None:
        super().__init__(content, status_code, dict(_HEADERS))

    def render(self, content: object) -> bytes:
        return msgspec.json.encode(content)


async def body_of(request: Request) -> bytes:
    """The whole body, `MOST_BYTES` at most.

    Raises:
        Refusal: 413, 408: it is larger, or does not come.
    """
    body = bytearray()
    try:
        async with asyncio.timeout(_BODY_S):
            async for part in request.stream():
                body += part
                if len(body) > MOST_BYTES:
                    what = f"the body is larger than {MOST_BYTES // 1024} KiB"
                    raise Refusal(413, "too_large", what)
    except TimeoutError:
        raise Refusal(408, "timeout", "the body did not arrive in time") from None
    return bytes(body)


def decoded(body: bytes, kind: type[Wanted]) -> Wanted:
    """Raises Refusal: 400: it is not JSON of that shape."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refusal(400, "invalid_body", f"the body is not as it should be: {error}") from None
