"""Runs the application on a socket of its own: binding, limits on slow clients, a graceful end."""

from __future__ import annotations

import asyncio
import errno
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

import uvicorn
from fastapi import FastAPI

from skerry.edge.errors import ConfigError
from skerry.edge.server.connections import MOST_CONNECTIONS, Connection
from skerry.edge.server.service import Service

_KEEP_ALIVE_SECONDS = 15
_GRACE_SECONDS = 3  # for answers to end once they are cancelled
_BACKLOG = 128


def bind(host: str, port: int) -> socket.socket:
    """A bound socket, not listening yet; port 0 takes a free one.

    Raises:
        ConfigError: the port is taken, or the address is not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sets TCP_NODELAY only where the socket says that it is TCP; else small writes wait
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
        bound.listen(_BACKLOG)
    except OSError as error:
        bound.close()
        raise _cannot_bind(host, port, error) from error
    return bound


def _cannot_bind(host: str, port: int, error: OSError) -> ConfigError:
    if error.errno == errno.EADDRINUSE:
        return ConfigError(
            f"port {port} on {host} is taken by {_holder(port)}",
            hint="stop that, or choose another with --port; --port 0 takes a free one",
        )
    if error.errno == errno.EACCES:
        return ConfigError(
            f"port {port} on {host} needs more rights than this user has",
            hint="choose a port above 1023",
        )
    what = f"cannot bind {host}, port {port}: {error.strerror or error}"
    return ConfigError(what, hint="give an address of this machine with --host")


def _holder(port: int) -> str:
    """The process that listens on a port, as far as this user may know."""
    import psutil

    with suppress(psutil.Error, OSError):
        for connection in psutil.net_connections("tcp"):
            local = connection.laddr
            if local and local.port == port and connection.status == psutil.CONN_LISTEN:
                if connection.pid is None:
                    break
                return f"'{psutil.Process(connection.pid).name()}' (process {connection.pid})"
    return "another process"


def url_of(bound: socket.socket) -> str:
    host, port = bound.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def serve(
    app: FastAPI,
    bound: socket.socket,
    *,
    ready: Callable[[], None],
    stopping: Callable[[int, float], None] = lambda *_: None,
) -> None:
    """Serves until SIGINT or SIGTERM, then lets running answers end or cancels them. A second
    signal cancels them at once.

    Args:
        ready: called once requests are taken.
        stopping: called with every signal, and the seconds within which all should have ended.
    """
    service: Service = app.state.service
    options = service.options
    config = uvicorn.Config(
        app,
        http=Connection,
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        log_level="error",  # whoever sends nonsense must not fill the log with it
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=int(options.drain_seconds) + _GRACE_SECONDS,
        limit_concurrency=MOST_CONNECTIONS,
        h11_max_incomplete_event_size=options.head_bytes,
    )
    asyncio.run(_Server(config, service, ready, stopping).serve(sockets=[bound]))


class _Server(uvicorn.Server):
    """uvicorn's server, which says when it is ready and cancels what does not end in time."""

    def __init__(
        self,
        config: uvicorn.Config,
        service: Service,
        ready: Callable[[], None],
        stopping: Callable[[int, float], None],
    ) -> None:
        super().__init__(config)
        self._service = service
        self._ready = ready
        self._stopping = stopping

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        admission = self._service.admission
        admission.close()
        asyncio.get_running_loop().call_later(
            self._service.options.drain_seconds, admission.cancel_all
        )
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """The second signal of either kind waits for nothing."""
        if self.should_exit:
            self.force_exit = True
            self._service.admission.cancel_all()
        self.should_exit = True
        drain_s = 0.0 if self.force_exit else self._service.options.drain_seconds
        self._stopping(sig, drain_s + _GRACE_SECONDS)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Ends on either signal with exit code 0; uvicorn's own raises the signal again."""
        loop = asyncio.get_running_loop()
        signals = (signal.SIGINT, signal.SIGTERM)
        for number in signals:
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in signals:
                loop.remove_signal_handler(number)
