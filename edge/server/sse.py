"""Server-sent events: one `data:` line per JSON object
(https://html.spec.whatwg.org/multipage/server-sent-events.html).

A fault after the first event can have no status any more: it becomes an `error` event, and the
stream ends.
"""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from skerry.edge.server.errors import ApiError, as_api_error

DONE = "data: [DONE]\n\n"
_log = logging.getLogger("skerry.server")


def to_json(value: Any) -> str:
    """JSON in ASCII: a lone surrogate in a text cannot break the stream."""
    return json.dumps(value, separators=(",", ":"), default=sorted)


def frame(value: Any, *, event: str | None = None) -> str:
    """One event; OpenAI's Responses API names its events, chat completions do not."""
    name = f"event: {event}\n" if event else ""
    return f"{name}data: {to_json(value)}\n\n"


class Json(Response):
    """A JSON answer."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return to_json(content).encode()


def error_response(error: ApiError) -> Json:
    headers = dict(error.headers or {})
    if error.status_code == 401:
        headers["www-authenticate"] = "Bearer"
    return Json(error.body(), status_code=error.status_code, headers=headers)


class EventStream(Response):
    """Sends frames as they come, and closes their source however it ends."""

    media_type = "text/event-stream"

    def __init__(self, frames: AsyncGenerator[str, None]) -> None:
        super().__init__(headers={"cache-control": "no-store", "x-accel-buffering": "no"})
        del self.headers["content-length"]
        self._frames = frames

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        async with aclosing(self._frames) as frames:
            async for text in faults_as_events(frames):
                await send({"type": "http.response.body", "body": text.encode(), "more_body": True})
        await send({"type": "http.response.body", "body": b""})


async def faults_as_events(frames: AsyncGenerator[str, None]) -> AsyncGenerator[str, None]:
    """`frames`, and an `error` event in place of an exception."""
    try:
        async for text in frames:
            yield text
    except Exception as error:  # noqa: BLE001  the status is sent: this is the only way to tell
        log_fault(error)
        yield frame(as_api_error(error).body(), event="error")


def log_fault(error: BaseException) -> None:
    """Logs what nobody foresaw, without what it says: that may quote what somebody asked."""
    if as_api_error(error).code == "internal":
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "unknown"
        _log.error("%s at %s", type(error).__name__, place)
