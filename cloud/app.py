"""The cloud tier's HTTP app, for one key and one target model. `gateway.app` serves many."""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, WebSocket

from skerry.cloud.errors import CloudTierError
from skerry.cloud.gateway.admission import Admission
from skerry.cloud.hints.frames import SUBPROTOCOL
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

    @made.websocket("/v1/split")
    async def split(socket: WebSocket) -> None:
        given = socket.headers.get("authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(given.encode(), api_key.encode()):
            await socket.close()  # before it is accepted: the answer is 403
            return
        await socket.accept(subprotocol=SUBPROTOCOL)
        channel = SocketChannel(socket)
        try:
            async with admission.place(socket.client.host if socket.client else "", most=most):
                await service.serve(channel)
        except CloudTierError as error:
            await channel.tell(error)
        await channel.close()

    return made
