"""What the gateway's own routes share: who asks, small bodies, JSON answers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import msgspec
from fastapi import Request
from starlette.responses import Response

from skerry.cloud.gateway.bodies import STRICT, whole_body
from skerry.cloud.gateway.config import Role
from skerry.cloud.gateway.errors import bad
from skerry.cloud.gateway.gate import Gate
from skerry.cloud.gateway.keys import Holder, check_role

_MOST_BODY = 4_096
Body = TypeVar("Body", bound=msgspec.Struct)


class Json(Response):
    media_type = "application/json"

    def __init__(self, content: Any, status_code: int = 200) -> None:
        strict = {name.decode(): value.decode() for name, value in STRICT}
        super().__init__(content, status_code, strict)

    def render(self, content: Any) -> bytes:
        return msgspec.json.encode(content)


@contextmanager
def asked_by(gate: Gate, request: Request, least: Role) -> Iterator[Holder]:
    """Who asks, with a key of the role `least` or more; no quota is needed.

    Raises:
        Refusal: 401, 403, 429, 503.
    """
    with gate.ticket(request.headers, free=True) as ticket:
        check_role(ticket.holder, least)
        yield ticket.holder


async def small_body(request: Request, kind: type[Body], shape: str) -> Body:
    """The body of a request, 4 KiB at most. `shape` is what a refusal shows.

    Raises:
        Refusal: 400, 408, 413: it is none.
    """
    body = await whole_body(request.receive, request.headers, _MOST_BODY)
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise bad(f"the body should be {shape}", code="invalid_json") from None
