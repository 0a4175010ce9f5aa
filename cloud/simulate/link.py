"""A slow and faulty network between a device and a cloud tier, as a TCP proxy on this machine.

What is not simulated: congestion control, and the round trips of TLS. A connection is open after
one round trip, as in TCP.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import selectors
import socket
import struct
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any
from urllib.parse import urlsplit

from skerry.cloud.simulate.conditions import Conditions, ConditionsError, Fault, FaultKind, Way

_HOST = "127.0.0.1"
_PIECE = 1_400
"""Bytes that are late or lost together: what a segment of TCP holds."""
_WAITING = 4_096
"""Pieces under way in one direction; more are not read before."""


class _Ended(Exception):
    """The connection is over."""


@dataclass(slots=True, eq=False)
class _Connection:
    """`down` is to the device, `up` to the cloud; `passed` bytes have come to the device."""

    down: asyncio.StreamWriter
    up: asyncio.StreamWriter
    opened: float
    passed: int = 0

    def end(self, *, reset: bool = False) -> None:
        for writer in (self.down, self.up):
            if reset:
                _reset(writer)
            else:
                writer.close()


Bring = Callable[[_Connection, bytes], Awaitable[None]]


class Link:
    """A proxy to `host` and `port`, of one event loop. `faults` happen in their order, one after
    the other, to whichever connection comes to the point; then no more.

    `url` is where it listens while it is open: `async with Link(host, port) as link`. What runs it
    on a thread is `linked`.
    """

    def __init__(
        self, host: str, port: int, conditions: Conditions | None = None,
        faults: Sequence[Fault] = (),
    ) -> None:  # fmt: skip
        self._to = (host, port)
        self._conditions = conditions or Conditions()
        self._faults = list(faults)
        self._draw = Random(self._conditions.seed)  # noqa: S311  nothing secret is drawn
        self._server: asyncio.Server | None = None
        self._passes = asyncio.Event()
        self._passes.set()
        self._open: set[_Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._port = 0

    @property
    def url(self) -> str:
        return f"http://{_HOST}:{self._port}"

    async def __aenter__(self) -> Link:
        await self._listen()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._deaf()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._accept, _HOST, self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def _deaf(self) -> None:
        """Takes no more connections; those that are there stay."""
        if self._server is not None:
            self._server.close()
            self._server = None

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _accept(self, reader: asyncio.StreamReader, down: asyncio.StreamWriter) -> None:
        self._spawn(self._carry(reader, down))

    async def _carry(self, reader: asyncio.StreamReader, down: asyncio.StreamWriter) -> None:
        """One connection, to its end."""
        loop = asyncio.get_running_loop()
        await asyncio.sleep(2 * self._conditions.delay_ms / 1e3)  # the handshake
        await self._passes.wait()
        try:
            answers, up = await asyncio.open_connection(*self._to)
        except OSError:
            _reset(down)
            return
        one = _Connection(down, up, loop.time())
        for writer in (down, up):
            _at_once(writer)
        self._open.add(one)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pass_on(reader, self._bring_up, one))
                both.create_task(self._pass_on(answers, self._bring_down, one))
        except* (_Ended, OSError):
            pass
        finally:
            self._open.discard(one)
            one.end()

    async def _bring_up(self, one: _Connection, data: bytes) -> None:
        await self._passes.wait()
        one.up.write(data)
        await one.up.drain()

    async def _bring_down(self, one: _Connection, data: bytes) -> None:
        await self._passes.wait()
        await self._happens(one, data)
        one.passed += len(data)
        one.down.write(data)
        await one.down.drain()

    async def _pass_on(self, reader: asyncio.StreamReader, bring: Bring, one: _Connection) -> None:
        """Brings what is sent at one end to the other, each piece when it is due.

        Raises:
            _Ended: the sender has closed.
        """
        loop = asyncio.get_running_loop()
        way = Way(self._conditions, Random(self._draw.random()))  # noqa: S311
        queue = asyncio.Queue[tuple[float, bytes]](_WAITING)
        reading = asyncio.create_task(_read_all(reader, way, queue))
        try:
            while True:
                at, data = await queue.get()
                await asyncio.sleep(at - loop.time())
                if not data:
                    raise _Ended
                await bring(one, data)
        finally:
            reading.cancel()

    async def _happens(self, one: _Connection, data: bytes) -> None:
        """Lets the next fault happen, if its time has come.

        Raises:
            _Ended: the connection is over.
        """
        age = asyncio.get_running_loop().time() - one.opened
        if not self._faults or not self._faults[0].due(age, one.passed):
            return
        fault = self._faults.pop(0)
        match fault.kind:
            case FaultKind.STALL:
                self._passes.clear()
                await _lasting(fault.lasts_s)
                self._passes.set()
                return
            case FaultKind.FLAP:
                await self._flap(fault.lasts_s)
            case FaultKind.TRUNCATE:
                one.down.write(data[: len(data) // 2])
                await one.down.drain()
            case FaultKind.RESET:
                one.end(reset=True)
            case FaultKind.CUT:
                pass
        raise _Ended

    async def _flap(self, lasts_s: float) -> None:
        await self._deaf()
        for one in self._open:
            one.end(reset=True)
        self._spawn(self._back(lasts_s))

    async def _back(self, lasts_s: float) -> None:
        await _lasting(lasts_s)
        await self._listen()


@contextlib.contextmanager
def linked(
    url: str, conditions: Conditions | None = None, faults: Sequence[Fault] = ()
) -> Iterator[str]:
    """A link to the service at `url` (http), on a thread of its own: the URL to use instead.

    Raises:
        ConditionsError: `url` is no http address.
        OSError: nothing can listen on this machine.
    """
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname:
        raise ConditionsError(
            f"no link leads to '{url}'", hint="give it like http://127.0.0.1:8585"
        )
    link = Link(parts.hostname, parts.port or 80, conditions, faults)
    started, loop = threading.Event(), precise_loop()
    stop = asyncio.Event()

    async def run() -> None:
        async with link:
            started.set()
            await stop.wait()

    def work() -> None:
        try:
            with asyncio.Runner(loop_factory=lambda: loop) as runner:
                runner.run(run())
        finally:
            started.set()

    thread = threading.Thread(target=work, name="link", daemon=True)
    thread.start()
    started.wait()
    if loop.is_closed():
        raise OSError("the link cannot listen on this machine")
    try:
        yield link.url
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()


def precise_loop() -> asyncio.SelectorEventLoop:
    """An event loop that wakes to some 0.1 ms; the usual one rounds up to whole milliseconds."""
    return asyncio.SelectorEventLoop(selectors.SelectSelector())


async def _read_all(
    reader: asyncio.StreamReader, way: Way, queue: asyncio.Queue[tuple[float, bytes]]
) -> None:
    """Notes when each piece is due; the last one is empty."""
    loop, data = asyncio.get_running_loop(), b"first"
    while data:
        try:
            data = await reader.read(_PIECE)
        except OSError:
            data = b""
        await queue.put((way.arrival(loop.time(), len(data)), data))


async def _lasting(seconds: float) -> None:
    if seconds == math.inf:
        await asyncio.get_running_loop().create_future()
    await asyncio.sleep(seconds)


def _at_once(writer: asyncio.StreamWriter) -> None:
    writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _reset(writer: asyncio.StreamWriter) -> None:
    linger = struct.pack("ii", 1, 0)
    with contextlib.suppress(OSError):
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()
