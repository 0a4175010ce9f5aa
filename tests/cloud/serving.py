"""A cloud tier on a port of its own, in a thread."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from skerry.cloud.app import app
from skerry.cloud.connections import Connection, Socket
from skerry.cloud.engines.base import Verifier
from skerry.cloud.hints.frames import MOST_BYTES
from skerry.cloud.service import Service

KEY = "sk-skerry-test-0123456789"


@contextmanager
def served(
    verifier: Verifier, *, places: int = 64, port: int = 0, grace_s: int = 2
) -> Iterator[str]:
    """The base URL; `port` 0 is a free one. `grace_s`: what answers have when it is stopped."""
    bound = socket.create_server(("127.0.0.1", port))
    bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    config = uvicorn.Config(
        app(Service(verifier), KEY, places=places),
        log_config=None,
        http=Connection,
        ws=Socket,
        ws_max_size=MOST_BYTES,
        timeout_graceful_shutdown=grace_s,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: server.run(sockets=[bound]))
    thread.start()
    try:
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
