"""What one connection may take: time for its headers, time to read its answer, a place among all.

uvicorn itself waits for ever for either, and counts idle connections as if they were work.
"""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from skerry.edge.server.errors import ApiError
from skerry.edge.server.sse import to_json

HEADER_SECONDS = 10.0
UNREAD_SECONDS = 30.0
MOST_CONNECTIONS = 512


class Connection(H11Protocol):
    """Ends when request headers do not arrive in time (slow loris), when nothing of an answer is
    read for a time, and when it is idle while others want its place."""

    _deadline: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None
    _since = 0.0

    def connection_made(self, transport: Any) -> None:
        self._make_room()
        super().connection_made(transport)
        self._since = self.loop.time()
        self._expect_headers()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._between_requests():
            self._expect_headers()
        else:
            self._since = self.loop.time()
            self._relax()

    def send_400_response(self, msg: str) -> None:
        """What is no HTTP is answered as every other error is; uvicorn's own is plain text."""
        body = to_json(ApiError(400, f"this is no HTTP request: {msg}", code="invalid_http").body())
        headers = [("content-type", "application/json"), ("connection", "close")]
        headers += [("content-length", str(len(body)))]
        for event in (
            h11.Response(status_code=400, headers=headers, reason="Bad Request"),
            h11.Data(data=body.encode()),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event))
        self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._relax()
        self._was_read()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch(self.transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        self._was_read()
        super().resume_writing()

    def _make_room(self) -> None:
        """Ends the connection that has been idle longest where no place is left for another."""
        if len(self.connections) < MOST_CONNECTIONS - 1:
            return
        every = [one for one in self.connections if isinstance(one, Connection)]
        idle = [one for one in every if one._between_requests()]
        if idle:
            longest = min(idle, key=lambda one: one._since)
            self.connections.discard(longest)  # it is counted until the loop gets to it
            longest.transport.abort()

    def _between_requests(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _expect_headers(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(HEADER_SECONDS, self._too_slow)

    def _relax(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_slow(self) -> None:
        self._deadline = None
        if self._between_requests():
            self.transport.close()

    def _watch(self, unread: int) -> None:
        """Looks after a while whether less than `unread` bytes wait to be read."""
        self._unread = self.loop.call_later(UNREAD_SECONDS, self._look, unread)

    def _look(self, before: int) -> None:
        now = self.transport.get_write_buffer_size()
        if now < before:
            self._watch(now)
        else:
            self.transport.abort()

    def _was_read(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None
