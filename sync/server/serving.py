"""Runs the fleet server on a socket, in one process; more are started behind a load balancer, or
on the same port where the system shares it."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import uvicorn
from starlette.types import ASGIApp

from skerry.sync.server.errors import Refusal

_GRACE_S = 5
_KEEP_ALIVE_S = 75
_MOST_OPEN = 10_000
_BACKLOG = 4_096


def bound(host: str, port: int) -> socket.socket:
    """A socket that several processes may share.

    Raises:
        Refusal: the address cannot be taken.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        found = socket.socket(family)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((host, port))
    except OSError as error:
        what = f"{host}:{port} cannot be used: {error.strerror or error}"
        raise Refusal(
            500, "address", what, hint="take another --port, or 0 for a free one"
        ) from None
    return found


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Ends on either signal in order; uvicorn's own raises the signal again."""
        loop = asyncio.get_running_loop()
        signals = (signal.SIGINT, signal.SIGTERM)
        for number in signals:
            loop.add_signal_handler(number, partial(self.handle_exit, number, None))
        try:
            yield
        finally:
            for number in signals:
                loop.remove_signal_handler(number)


def serve(app: ASGIApp, at: socket.socket, *, ready: Callable[[], None]) -> None:
    """Serves until SIGINT or SIGTERM; `ready` is called once requests are taken."""
    config = uvicorn.Config(
        app,
        access_log=False,
        log_config=None,
        log_level="error",
        server_header=False,
        ws="none",
        limit_concurrency=_MOST_OPEN,
        backlog=_BACKLOG,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=_GRACE_S,
    )
    asyncio.run(_Server(config, ready).serve(sockets=[at]))
