"""Generations over plain HTTP, for networks that do not let WebSockets through.

`POST /v1/split/http` with the frame that opens a generation is answered with a stream: each frame
of the cloud after its length (4 bytes, big-endian). The header `X-Skerry-Generation` names the
generation; hints for it are sent with `POST /v1/split/http/{name}`, in the same form, several in
one body if need be. Closing the stream ends the generation.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from weakref import WeakValueDictionary

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from skerry.cloud.channel import Gone, Telling
from skerry.cloud.errors import CloudTierError, ProtocolError
from skerry.cloud.gateway.bodies import Gone as BodyGone
from skerry.cloud.gateway.bodies import Room, whole_body
from skerry.cloud.gateway.errors import Refusal
from skerry.cloud.hints.frames import (
    MOST_BYTES,
    Cancel,
    CloudFrame,
    DeviceFrame,
    Fault,
    read_device_frame,
    written,
)
from skerry.cloud.hints.lengths import MEDIA_TYPE, NAME_HEADER, Frames, prefixed

_MOST_WAITING = 64
_ROOM = 64 << 20

Authorize = Callable[[Request], str | None]
"""The owner of a request's key; None: the key is wrong."""
Serve = Callable[[Telling, Request], Awaitable[None]]
"""Runs one generation, asked for by a request, on a channel."""


class HttpChannel:
    """See `skerry.cloud.channel.Channel`."""

    def __init__(self, owner: str) -> None:
        self.owner = owner
        self._cancelled = False
        self._inbox: asyncio.Queue[DeviceFrame | None] = asyncio.Queue()
        self._outbox: asyncio.Queue[bytes | None] = asyncio.Queue(_MOST_WAITING)

    async def receive(self) -> DeviceFrame:
        frame = await self._inbox.get()
        if frame is None:
            raise Gone
        return frame

    async def send(self, frame: CloudFrame) -> None:
        await self._outbox.put(prefixed(written(frame)))

    async def tell(self, error: CloudTierError) -> None:
        """Says what went wrong."""
        await self.send(Fault.of(error))

    def offer(self, frame: DeviceFrame) -> None:
        """Takes a frame of the device. Where too many wait, a hint is lost, which harms nothing."""
        last = isinstance(frame, Cancel) and not self._cancelled
        if last or self._inbox.qsize() < _MOST_WAITING:
            self._cancelled |= last
            self._inbox.put_nowait(frame)

    def hang_up(self) -> None:
        """The device is gone."""
        self._inbox.put_nowait(None)

    async def end(self) -> None:
        """There is nothing more to send."""
        await self._outbox.put(None)

    async def stream(self) -> AsyncIterator[bytes]:
        while (data := await self._outbox.get()) is not None:
            yield data


def routes(serve: Serve, authorize: Authorize) -> APIRouter:
    """The routes."""
    router, held, bodies = APIRouter(), dict[str, HttpChannel](), _Bodies(_ROOM)

    @router.post("/v1/split/http")
    async def opened(request: Request) -> Response:
        owner = authorize(request)
        if owner is None:
            return _refused(401, "unauthorized", "the API key is wrong")
        try:
            frame = read_device_frame(await bodies.whole(request, owner))
        except CloudTierError as error:
            return _failed(error)
        channel, name = HttpChannel(owner), secrets.token_urlsafe(16)
        channel.offer(frame)

        async def run() -> AsyncIterator[bytes]:
            held[name] = channel  # not before: of a device that left at once, nothing is streamed
            task = asyncio.create_task(_run(serve, channel, request))
            try:
                async for data in channel.stream():
                    yield data
            finally:
                del held[name]
                channel.hang_up()
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

        return StreamingResponse(
            run(), media_type=MEDIA_TYPE,
            headers={NAME_HEADER: name, "Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )  # fmt: skip

    @router.post("/v1/split/http/{name}")
    async def hinted(name: str, request: Request) -> Response:
        channel, owner = held.get(name), authorize(request)
        if owner is None:
            return _refused(401, "unauthorized", "the API key is wrong")
        if channel is None or channel.owner != owner:
            return _refused(404, "no_generation", "there is no such generation")
        try:
            frames = Frames()
            for data in frames.feed(await bodies.whole(request, owner)):
                channel.offer(read_device_frame(data))
            frames.finish()
        except CloudTierError as error:
            return _failed(error)
        return Response(status_code=204)

    return router


async def _run(serve: Serve, channel: HttpChannel, request: Request) -> None:
    try:
        await serve(channel, request)
    finally:
        await channel.end()


class _Bodies:
    """Reads bodies, all of them together within `size` bytes, and those of one owner within half of
    that."""

    def __init__(self, size: int) -> None:
        self._most, self._all = size // 2, Room(size)
        self._owners: WeakValueDictionary[str, Room] = WeakValueDictionary()

    async def whole(self, request: Request, owner: str) -> bytes:
        """Raises Refusal: it is too large, too slow or compressed, or there is no room for it now;
        ProtocolError: the client went away."""
        own = self._owners.setdefault(owner, Room(self._most))
        with self._all.held() as of_all, own.held() as of_own:

            def take(count: int) -> None:
                of_own(count)
                of_all(count)

            try:
                return await whole_body(request.receive, request.headers, MOST_BYTES, take)
            except BodyGone as error:
                raise ProtocolError("the client went away") from error


def _failed(error: CloudTierError) -> Response:
    status = error.status if isinstance(error, Refusal) else 400
    return _refused(status, error.code, error.what)


def _refused(status: int, code: str, what: str) -> Response:
    return JSONResponse({"error": {"code": code, "message": what}}, status)
