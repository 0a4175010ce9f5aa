"""A model's server as far as a gateway sees it, on a port of its own, and gateways before it."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from skerry.cloud.connections import Connection, Socket
from skerry.cloud.gateway.app import Assembled
from skerry.cloud.gateway.config import Gateway
from skerry.cloud.gateway.state import State, opened
from skerry.cloud.hints.frames import MOST_BYTES
from skerry.cloud.service import Service


@dataclass
class FakeUpstream:
    """Answers at once, unless told otherwise.

    `status`: of every answer. `hangs`: before the first byte. `endless`: streams until nobody
    listens. `breaks`: after the first event. `tells`: whether it counts tokens. `padding` makes
    events longer, `pause_s` is between them.
    """

    status: int = 200
    hangs: bool = False
    endless: bool = False
    breaks: bool = False
    tells: bool = True
    padding: str = ""
    pause_s: float = 0.0
    url: str = ""
    bodies: list[bytes] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def last(self) -> dict[str, Any]:
        read: dict[str, Any] = json.loads(self.bodies[-1])
        return read

    def app(self) -> Starlette:
        paths = ("/v1/chat/completions", "/v1/completions", "/v1/embeddings")
        asked = [Route(path, self._answer, methods=["POST"]) for path in paths]
        return Starlette(routes=[*asked, Route("/v1/models", self._models)])

    async def _models(self, _: Request) -> Response:
        return JSONResponse({"data": []})

    async def _answer(self, request: Request) -> Response:
        self.bodies.append(await request.body())
        self.headers.append(dict(request.headers))
        if self.hangs:
            await self._hang(request)
        if self.status != 200:
            return JSONResponse({"error": {"message": "no"}}, status_code=self.status)
        if self.last.get("stream"):
            return StreamingResponse(self._events(), media_type="text/event-stream")
        usage = {"usage": {"prompt_tokens": 7, "completion_tokens": 3}} if self.tells else {}
        return JSONResponse({"choices": [{"text": "sea"}], **usage})

    async def _hang(self, request: Request) -> None:
        while not await request.is_disconnected():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        self.ended.set()

    async def _events(self) -> AsyncIterator[bytes]:
        wants = (self.last.get("stream_options") or {}).get("include_usage")
        try:
            count = 0
            while count < 3 or self.endless:
                count += 1
                event = {"choices": [{"delta": {"content": f"w{count} {self.padding}"}}]}
                yield b"data: " + json.dumps(event).encode() + b"\n\n"
                if self.breaks:
                    raise ConnectionError
                await asyncio.sleep(self.pause_s or 0.005 * self.endless)
            if wants and self.tells:
                usage = {"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 3}}
                yield b"data: " + json.dumps(usage).encode() + b"\n\n"
            yield b"data: [DONE]\n\n"
        finally:
            self.ended.set()


@contextmanager
def on_a_port(app: Any, **options: Any) -> Iterator[str]:
    """The base URL of an ASGI application that runs in a thread."""
    bound = socket.socket(proto=socket.IPPROTO_TCP)
    bound.bind(("127.0.0.1", 0))
    bound.listen()
    config = uvicorn.Config(
        app, log_config=None, log_level="critical", timeout_graceful_shutdown=2, **options
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: server.run(sockets=[bound]))
    thread.start()
    try:
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


@contextmanager
def upstream(**options: Any) -> Iterator[FakeUpstream]:
    fake = FakeUpstream(**options)
    with on_a_port(fake.app()) as url:
        fake.url = f"{url}/v1"
        yield fake


@dataclass
class Running:
    """A gateway that runs: its base URL and its parts."""

    url: str
    parts: Assembled
    state: State


@contextmanager
def gateway(
    config: Gateway, folder: Path, services: Mapping[str, Service] | None = None
) -> Iterator[Running]:
    state = opened("gateway.db", folder)
    parts = Assembled(config, state, services, keep_s=0.05)
    options = {"http": Connection, "ws": Socket, "ws_max_size": MOST_BYTES}
    with on_a_port(parts.app, **options) as url:
        yield Running(url, parts, state)
