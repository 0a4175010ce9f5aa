"""Runs the cloud tier's app on a socket."""

from __future__ import annotations

import asyncio
import gc
import logging
import math
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from skerry.cloud.connections import Connection, Socket
from skerry.cloud.gateway.bodies import Cut
from skerry.cloud.hints.frames import MOST_BYTES

_PING_S = 20.0
_GRACE_S = 5
_COLLECTED = (20_000, 20, 50)
"""Objects, and looks at younger ones, before each of the three looks at cycles."""


class _Server(uvicorn.Server):
    def __init__(
        self, config: uvicorn.Config, ready: Callable[[], None], stopping: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._ready, self._stopping = ready, stopping

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        gc.collect()
        gc.freeze()
        self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._stopping()
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Ends on either signal in order; uvicorn's own raises the signal again."""
        loop = asyncio.get_running_loop()
        signals = (signal.SIGINT, signal.SIGTERM)
        for number in signals:
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in signals:
                loop.remove_signal_handler(number)


def serve(
    app: ASGIApp,
    bound: socket.socket,
    *,
    ready: Callable[[], None],
    stopping: Callable[[], None] = lambda: None,
    grace_s: float = _GRACE_S,
) -> None:
    """Serves until SIGINT or SIGTERM; `ready` is called once requests are taken, `stopping` once
    they are not any more. Those under way have `grace_s` seconds then."""
    config = uvicorn.Config(
        app,
        http=Connection,
        access_log=False,
        log_config=None,
        log_level="error",  # whoever sends nonsense must not fill the log with it
        server_header=False,
        ws=Socket,
        ws_max_size=MOST_BYTES,
        ws_ping_interval=_PING_S,
        ws_ping_timeout=_PING_S,
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=math.ceil(grace_s),
    )
    logging.getLogger("uvicorn.error").addFilter(_is_fault)
    with _seldom_collected():
        asyncio.run(_Server(config, ready, stopping).serve(sockets=[bound]))


@contextmanager
def _seldom_collected() -> Iterator[None]:
    """Cycles are looked for less often: with a thousand sessions open each look takes a while, and
    every frame waits for it. What was there when the server began is never looked at."""
    before = gc.get_threshold()
    gc.set_threshold(*_COLLECTED)
    try:
        yield
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)


def _is_fault(record: logging.LogRecord) -> bool:
    """An answer that is cut off on purpose is none."""
    return not (record.exc_info and isinstance(record.exc_info[1], Cut))
