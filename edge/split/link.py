"""Ways to a cloud tier: what carries the frames of one generation."""

from __future__ import annotations

import logging
import math
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from typing import Protocol

from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from skerry.cloud.errors import ProtocolError
from skerry.cloud.hints.frames import MOST_BYTES, SUBPROTOCOL, DeviceFrame, written
from skerry.edge.errors import CloudRefused, CloudUnavailable
from skerry.edge.escalate.faults import snippet
from skerry.edge.split.options import SplitOptions

LATER = "try again later; the device can answer meanwhile"
_PING_EVERY_S = 2.0
_CLOSE_S = 2.0
_AGAIN_S = 600.0
_OVERLOADED = frozenset({429, 500, 502, 503, 504})
_unheard = logging.getLogger(f"{__name__}.websockets")
_unheard.setLevel(logging.CRITICAL + 1)
"""The library's own log has a traceback for what is told here as an error."""


class NoWay(CloudRefused):
    """Frames do not get through in this way. `broke`: the connection ended before it was open."""

    def __init__(self, what: str, *, hint: str, status: int | None = None, broke: bool = False):
        super().__init__(what, hint=hint, status=status)
        self.broke = broke


class Link(Protocol):
    """Carries frames to and fro. Used by one thread."""

    def send(self, frame: DeviceFrame) -> int:
        """Its bytes. A link that was closed meanwhile is found out where it is read: what came
        before may be all."""
        ...

    def receive(self, wait_s: float) -> bytes | None:
        """The next frame, or None if none came in time.

        Raises:
            CloudUnavailable: it was closed.
            ProtocolError: what came is no binary frame.
        """
        ...

    @property
    def rtt_s(self) -> float | None:
        """The last round trip that was measured, in seconds."""
        ...

    def close(self) -> None:
        """May be called twice."""
        ...


class SocketLink:
    """A WebSocket.

    Raises:
        NoWay: the other side, or something between, does not do WebSockets.
        CloudUnavailable: nobody is there, or all is taken.
    """

    def __init__(self, options: SplitOptions, headers: Mapping[str, str], left_s: float) -> None:
        self._options = options
        self._held = ExitStack()
        self._connection = self._held.enter_context(_connected(options, headers, left_s))
        self._held.enter_context(self._ended_after(left_s + _CLOSE_S))
        self._pong: threading.Event | None = None
        self._pinged_at = 0.0
        self._answered = False

    def send(self, frame: DeviceFrame) -> int:
        data = written(frame)
        with suppress(ConnectionClosed, OSError):
            self._connection.send(data)
            return len(data)
        return 0

    def receive(self, wait_s: float) -> bytes | None:
        try:
            self._ping()
            data = self._connection.recv(timeout=wait_s)
        except TimeoutError:
            return None
        except ConnectionClosed as error:
            why = snippet(self._options, str(error))
            what = f"{self._options.destination} closed the connection ({why})"
            raise CloudUnavailable(what, hint=LATER) from error
        if isinstance(data, str):
            raise ProtocolError("frames are binary, and this one is text")
        return data

    def _ping(self) -> None:
        """Measures the round trip now and then; the library's own thread takes the answer."""
        now = time.monotonic()
        if self._pong is not None and self._pong.is_set():
            self._pong, self._answered = None, True
        if self._pong is None and now - self._pinged_at > _PING_EVERY_S:
            self._pinged_at = now
            with suppress(ConnectionClosed):  # what came before may still be read
                self._pong = self._connection.ping()

    @property
    def rtt_s(self) -> float | None:
        return self._connection.latency if self._answered else None

    def close(self) -> None:
        with suppress(OSError), self._ended_after(_CLOSE_S):
            self._held.close()

    @contextmanager
    def _ended_after(self, seconds: float) -> Iterator[None]:
        """Ends the connection where that takes longer. Whoever asks and never reads keeps the
        library busy with answers, and what waits for those waits for no deadline."""
        timer = threading.Timer(seconds, self._cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _cut(self) -> None:
        with suppress(OSError):
            self._connection.socket.shutdown(socket.SHUT_RDWR)


def _connected(
    options: SplitOptions, headers: Mapping[str, str], left_s: float
) -> ClientConnection:
    try:
        return connect(
            options.url,
            additional_headers=dict(headers),
            subprotocols=[Subprotocol(SUBPROTOCOL)],
            open_timeout=min(options.connect_s, left_s),
            close_timeout=1,
            max_size=MOST_BYTES,
            logger=_unheard,
            compression=None,
            proxy=None,
        )
    except InvalidHandshake as error:
        raise _failed(options, error) from error
    except (OSError, TimeoutError, ConnectionClosed) as error:
        why = snippet(options, str(error))
        what = f"{options.destination} cannot be reached: {why}"
        raise CloudUnavailable(what, hint=LATER) from error


def _failed(options: SplitOptions, error: InvalidHandshake) -> CloudUnavailable | NoWay:
    """Why a handshake failed: all is taken now, or no WebSocket gets through."""
    why = snippet(options, str(error))
    if isinstance(error, InvalidStatus) and error.response.status_code in _OVERLOADED:
        return CloudUnavailable(f"{options.destination} cannot be reached: {why}", hint=LATER)
    return NoWay(
        f"{options.destination} serves no split inference: {why}",
        hint="check split_url and the API key",
        broke=isinstance(error, InvalidMessage),
    )


class Ways:
    """How to get to a cloud tier: by WebSocket, or by HTTP where those do not get through.

    What did not get through is not tried again for a while. Thread-safe.
    """

    def __init__(self, options: SplitOptions) -> None:
        self._options = options
        self._http_until = math.inf if options.transport == "http" else 0.0

    def connect(self, headers: Mapping[str, str], left_s: float) -> Link:
        """Raises what the links do."""
        from skerry.edge.split.http_link import HttpLink

        if time.monotonic() < self._http_until:
            return HttpLink(self._options, headers, left_s)
        try:
            return SocketLink(self._options, headers, left_s)
        except NoWay as error:
            if self._options.transport == "websocket":
                if error.broke:
                    raise CloudUnavailable(error.what, hint=LATER) from error
                raise
            link = HttpLink(self._options, headers, left_s)
            self._http_until = time.monotonic() + _AGAIN_S
            return link
