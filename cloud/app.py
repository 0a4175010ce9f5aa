"""The cloud tier's HTTP app, for one key and one target model. `gateway.app` serves many."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request, WebSocket
from starlette.datastructures import Address

from skerry.cloud.channel import Telling
from skerry.cloud.errors import CloudTierError
from skerry.cloud.gateway.admission import Admission
from skerry.cloud.gateway.errors import stopping
from skerry.cloud.hints.frames import SUBPROTOCOL
from skerry.cloud.over_http import routes
from skerry.cloud.service import Service
from skerry.cloud.sockets import SocketChannel

_WAIT_S = 2.0
_WAITING_EACH = 16


def app(service: Service, api_key: str, *, places: int = 64) -> FastAPI:
    """An app that serves generations at `/v1/split`, `places` at once, of which one
    client may have all but one. Closing it closes the engine."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await service.verifier.close()

    made = FastAPI(title="Skerry cloud tier", lifespan=lifespan, docs_url=None, redoc_url=None)
    admission = Admission(places, places * _WAITING_EACH, _WAIT_S)
    most = max(1, places - 1)

    @made.get("/health")
    def health() -> dict[str, Any]:
        return {"status": "ok", "model": service.verifier.facts.model}

    def knows(given: str) -> bool:
        key = given.removeprefix("Bearer ")
        return hmac.compare_digest(key.encode(), api_key.encode())

    async def serve(channel: Telling, client: str) -> None:
        try:
            async with admission.place(client, most=most):
                await service.serve(channel)
        except CloudTierError as error:
            await channel.tell(error)

    def client_of(request: Request) -> str | None:
        allowed = knows(request.headers.get("authorization", ""))
        return _host(request.client) if allowed else None

    @made.websocket("/v1/split")
    async def split(socket: WebSocket) -> None:
        if not knows(socket.headers.get("authorization", "")):
            await socket.close()  # before it is accepted: the answer is 403
            return
        await socket.accept(subprotocol=SUBPROTOCOL)
        channel = SocketChannel(socket)
        try:
            await serve(channel, _host(socket.client))
        except asyncio.CancelledError:
            await channel.tell(stopping())
        await channel.close()

    async def serve_http(channel: Telling, request: Request) -> None:
        await serve(channel, _host(request.client))

    made.include_router(routes(serve_http, client_of))
    return made


def _host(client: Address | None) -> str:
    return client.host if client else ""
