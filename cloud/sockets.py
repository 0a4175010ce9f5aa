"""Channels on WebSockets (RFC 6455), one for each generation; binary messages are frames."""

from __future__ import annotations

from contextlib import suppress

from fastapi import WebSocket, WebSocketDisconnect

from skerry.cloud.channel import Gone
from skerry.cloud.errors import CloudTierError, ProtocolError
from skerry.cloud.hints.frames import (
    CloudFrame,
    DeviceFrame,
    Fault,
    read_device_frame,
    written,
)


class SocketChannel:
    """See `skerry.cloud.channel.Channel`."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket

    async def receive(self) -> DeviceFrame:
        try:
            message = await self._socket.receive()
        except (WebSocketDisconnect, RuntimeError) as error:
            raise Gone from error
        if message["type"] == "websocket.disconnect":
            raise Gone
        data = message.get("bytes")
        if data is None:
            raise ProtocolError("frames are binary, and this one is text")
        return read_device_frame(data)

    async def send(self, frame: CloudFrame) -> None:
        try:
            await self._socket.send_bytes(written(frame))
        except (WebSocketDisconnect, RuntimeError, OSError) as error:
            raise Gone from error

    async def tell(self, error: CloudTierError) -> None:
        """Says what went wrong to whoever is still there."""
        with suppress(Gone):
            await self.send(Fault.of(error))

    async def close(self) -> None:
        """Says good-bye to whoever is still there."""
        with suppress(WebSocketDisconnect, RuntimeError, OSError):
            await self._socket.close()
