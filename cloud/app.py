"""The cloud tier's HTTP app."""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, WebSocket

from skerry.cloud.hints.frames import SUBPROTOCOL
from skerry.cloud.service import Service
from skerry.cloud.sockets import SocketChannel


def app(service: Service, api_key: str) -> FastAPI:
    """An app that serves generations at `/v1/split`. Closing it closes the engine."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await service.verifier.close()

    made = FastAPI(title="Skerry cloud tier", lifespan=lifespan, docs_url=None, redoc_url=None)

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
        await service.serve(channel)
        await channel.close()

    return made
