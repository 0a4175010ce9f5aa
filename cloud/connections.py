"""Connections, where uvicorn's own would wait or take memory without end: HTTP ends where the head
of a request does not come in time (slow loris), WebSockets do not answer who does not read.
"""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

HEAD_S = 10.0


class Connection(H11Protocol):
    """uvicorn's, with `HEAD_S` seconds for each head."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._expect_head()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.cycle is None or self.cycle.response_complete:
            self._expect_head()
        else:
            self._relax()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        self._relax()
        self._deadline = _NEVER
        super().handle_websocket_upgrade(event)

    def connection_lost(self, exc: Exception | None) -> None:
        self._relax()
        super().connection_lost(exc)

    def _expect_head(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(HEAD_S, self._too_slow)

    def _relax(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_slow(self) -> None:
        self._deadline = None
        if self.cycle is None or self.cycle.response_complete:
            self.transport.close()


class Socket(WebSocketsSansIOProtocol):
    """uvicorn's, which reads nothing more while what it said waits to be read: pings are answered,
    and the answers to who only asks would fill the memory. When the server is told to stop, a
    generation goes on; whoever serves it ends it in time."""

    def pause_writing(self) -> None:
        super().pause_writing()
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        super().resume_writing()
        if not self.read_paused:
            self.transport.resume_reading()

    async def receive(self) -> Any:
        message = await super().receive()
        if not self.writable.is_set():
            self.transport.pause_reading()
        return message

    def shutdown(self) -> None:
        if self.close_sent or not self.handshake_complete:
            super().shutdown()


class _Never(asyncio.TimerHandle):
    def __init__(self) -> None:
        pass

    def cancel(self) -> None:
        pass


_NEVER = _Never()
