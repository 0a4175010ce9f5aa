"""A run on vLLM with the plugin: a WebSocket for as long as the target goes on by itself."""

from __future__ import annotations

import asyncio

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from skerry.cloud.engines.completions.faults import status_fault, translated
from skerry.cloud.engines.completions.options import EndpointOptions
from skerry.cloud.engines.vllm import wire
from skerry.cloud.errors import Busy, TargetError
from skerry.cloud.hints.matcher import Hint

_MOST_BYTES = 1 << 16
_MOST_UNSENT = 64
"""Hints that wait to be sent; more are forgotten."""


class Forgotten(Exception):
    """The server does not hold so much of the session."""


class NoSocket(Exception):
    """No WebSocket reaches the server, as where a proxy lets only requests pass."""


class Run:
    """Passes of one request, which begins with the first of them. For one event loop."""

    def __init__(self, options: EndpointOptions, asked: wire.Run) -> None:
        self._options, self._asked = options, asked
        self._unsent: asyncio.Queue[Hint] = asyncio.Queue(_MOST_UNSENT)
        self._connection: ClientConnection | None = None
        self._sending: asyncio.Task[None] | None = None

    async def following(self) -> wire.Seen | None:
        """The next pass; None: it is over.

        Raises:
            Forgotten: the whole sequence must be sent.
            NoSocket: it must be asked for each pass.
            Busy: the server has no room now.
            TargetError: nobody is there, or the server failed, went away, or says nothing for too
                long.
        """
        try:
            with translated(self._options):
                if self._connection is None:
                    self._connection = await self._opened()
                    self._sending = asyncio.create_task(self._send(self._connection))
                async with asyncio.timeout(self._options.deadline_s):
                    data = await self._connection.recv()
                return _read(data)
        except ConnectionClosed as closed:
            self._check_end(closed)
            return None

    def hear(self, hint: Hint) -> None:
        """Has it sent. Does not wait."""
        if not self._unsent.full():
            self._unsent.put_nowait(hint)

    async def close(self) -> None:
        """The server stops. May be called twice."""
        if self._sending is not None:
            self._sending.cancel()
            await asyncio.gather(self._sending, return_exceptions=True)
        if self._connection is not None:
            await self._connection.close()

    async def _opened(self) -> ClientConnection:
        options = self._options
        url = f"ws{options.url.removeprefix('http')}{wire.RUN_PATH}"
        key = {"authorization": f"Bearer {options.api_key}"} if options.api_key else {}
        try:
            connection = await connect(
                url, additional_headers=key, max_size=_MOST_BYTES, compression=None, proxy=None,
                open_timeout=options.connect_s, close_timeout=1,
            )  # fmt: skip
        except InvalidStatus as error:
            status, body = error.response.status_code, bytes(error.response.body or b"")
            fault = status_fault(options, status, body)
            raise fault if isinstance(fault, Busy) else NoSocket(str(fault)) from error
        except (TimeoutError, WebSocketException) as error:
            raise NoSocket(str(error) or "no answer") from error
        await connection.send(wire.packed(self._asked))
        return connection

    async def _send(self, connection: ClientConnection) -> None:
        """A hint that does not arrive costs time only: who reads is told that nobody is there."""
        try:
            while True:
                await connection.send(wire.packed(wire.Heard.of(await self._unsent.get())))
        except ConnectionClosed:
            pass

    def _check_end(self, closed: ConnectionClosed) -> None:
        """Raises as `following`, where it is no end that was to come."""
        frame = closed.rcvd
        status = frame.code - wire.CLOSED if frame is not None else 0
        if status == 409:
            raise Forgotten
        if status > 0 and frame is not None:
            raise status_fault(self._options, status, frame.reason.encode())
        if frame is None or frame.code != 1000:
            what = f"the target's server {self._options.url} broke off in the middle of an answer"
            raise TargetError(what, hint="look whether it still runs")


def _read(data: str | bytes) -> wire.Seen:
    """Raises TargetError: it is no answer of the plugin's."""
    try:
        seen = msgspec.msgpack.decode(data if isinstance(data, bytes) else b"", type=wire.Seen)
    except msgspec.MsgspecError as error:
        raise wire_fault(str(error)) from error
    check(seen)
    return seen


def check(seen: wire.Seen) -> None:
    """Raises TargetError: it cannot be."""
    if not 0 <= seen.drafted <= len(seen.tokens) or not seen.tokens:
        raise TargetError("the target's server counted drafts that it did not choose")


def wire_fault(why: str) -> TargetError:
    return TargetError(
        f"the target's server did not answer like Skerry's plugin: {why}",
        hint="install the same release of Skerry there",
    )
