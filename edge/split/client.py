"""One generation with a cloud that verifies: drafts go up while verdicts come down."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass

from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidMessage,
    InvalidStatus,
)
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from skerry.cloud.errors import ProtocolError
from skerry.cloud.hints.frames import (
    MOST_BYTES,
    SUBPROTOCOL,
    Cancel,
    CloudFrame,
    DeviceFrame,
    Done,
    Fault,
    Open,
    Opened,
    Tokens,
    read_cloud_frame,
    written,
)
from skerry.edge.errors import CloudRefused, CloudUnavailable
from skerry.edge.split.ahead import Ahead
from skerry.edge.split.drafter import Drafter
from skerry.edge.split.options import SplitOptions

_TICK_S = 0.05
_CLOSE_S = 1.0
_LATER = "try again later; the device can answer meanwhile"
_PASSES = frozenset({
    "busy", "queue_full", "concurrency_exceeded", "rate_limit_exceeded", "no_replica", "stopping",
    "deadline_exceeded",
})  # fmt: skip
"""Codes of a cloud that may take the same later."""
_OVERLOADED = frozenset({429, 500, 502, 503, 504})


@dataclass(slots=True)
class Traffic:
    """Bytes of frames, without the headers of WebSocket, TLS and TCP."""

    sent: int = 0
    received: int = 0


class SplitGeneration:
    """Iterating yields the frames of tokens, in order; `done` is there at the end.

    What was yielded before an error stays verified. It ends within `deadline_s` of its making.

    Raises while iterating:
        CloudRefused: the cloud will not serve this, or sends what the protocol does not allow.
        CloudUnavailable: it cannot be reached, went away, was silent or too slow.
    """

    def __init__(
        self, options: SplitOptions, asked: Open, drafter: Drafter, *, deadline_s: float,
        cancel: threading.Event,
    ) -> None:  # fmt: skip
        self._options, self._drafter = options, drafter
        self._asked, self._cancel = asked, cancel
        self._most = options.depth
        self._ends_at = time.monotonic() + deadline_s
        self._connection: ClientConnection | None = None
        self._held = ExitStack()
        self._stuck = self._cancelled = False
        self.ahead = Ahead(asked.tokens)
        self.traffic = Traffic()
        self.opened: Opened | None = None
        self.done: Done | None = None
        self.passes = 0

    def __iter__(self) -> Iterator[Tokens]:
        try:
            self._connection = self._held.enter_context(_connected(self._options, self._left()))
            self._send(self._asked)
            while self.done is None:
                frame = self._receive()
                if frame is None:
                    self._draft()
                elif (tokens := self._take(frame)) is not None:
                    yield tokens
        except ProtocolError as error:
            raise CloudRefused(f"{self._options.destination}: {error.what}") from error
        finally:
            self.close()

    def close(self) -> None:
        """May be called twice."""
        self._held.close()

    def _take(self, frame: CloudFrame) -> Tokens | None:
        match frame:
            case Opened():
                self.opened = frame
                self._most = min(self._most, frame.drafts)
            case Tokens():
                self.ahead.verify(frame)
                if len(self.ahead.generated) > self._asked.max_tokens:
                    raise ProtocolError("the cloud sent more tokens than were asked for")
                self.passes += 1
                self._stuck = False
                return frame
            case Done():
                self.done = frame
            case Fault(code, what, hint):
                kind = CloudUnavailable if code in _PASSES else CloudRefused
                raise kind(f"{self._options.destination}: {what}", hint=hint or _LATER)
        return None

    @property
    def _drafts(self) -> bool:
        """Whether there is something to draft now."""
        return (
            self.opened is not None
            and not self._stuck
            and not self._cancelled
            and self.ahead.depth < self._most
        )

    def _draft(self) -> None:
        room = min(self._most - self.ahead.depth, self._options.burst)
        tokens = self._drafter.draft(self.ahead.sequence, room)
        if tokens:
            self._send(self.ahead.guess(tokens))
        else:
            self._stuck = True

    def _receive(self) -> CloudFrame | None:
        """The next frame; None: there is none yet, and drafting is of more use than waiting."""
        silent_at = time.monotonic() + self._options.idle_s
        while True:
            self._heed_cancel()
            self._heed_time(silent_at)
            if (data := self._arrived()) is not None:
                self.traffic.received += len(data)
                return read_cloud_frame(data)
            if self._drafts:
                return None

    def _arrived(self) -> bytes | None:
        wait = 0 if self._drafts else _TICK_S
        try:
            data = self._open_connection.recv(timeout=wait)
        except TimeoutError:
            return None
        except ConnectionClosed as error:
            raise self._gone(error) from error
        if isinstance(data, str):
            raise ProtocolError("frames are binary, and this one is text")
        return data

    def _heed_time(self, silent_at: float) -> None:
        if time.monotonic() > min(silent_at, self._ends_at):
            raise CloudUnavailable(
                f"{self._options.destination} was silent or too slow", hint=_LATER
            )

    def _heed_cancel(self) -> None:
        if self._cancel.is_set() and not self._cancelled:
            self._cancelled = True
            self._send(Cancel())

    @property
    def _open_connection(self) -> ClientConnection:
        if self._connection is None:
            raise RuntimeError("nothing is connected yet")
        return self._connection

    def _send(self, frame: DeviceFrame) -> None:
        """A connection that was closed meanwhile is found out where it is read: what came before
        may be all."""
        data = written(frame)
        with suppress(ConnectionClosed, OSError):
            self._open_connection.send(data)
            self.traffic.sent += len(data)

    def _gone(self, error: Exception) -> CloudUnavailable:
        return CloudUnavailable(
            f"{self._options.destination} closed the connection ({error})", hint=_LATER
        )

    def _left(self) -> float:
        return max(0.001, self._ends_at - time.monotonic())


def _connected(options: SplitOptions, left_s: float) -> ClientConnection:
    try:
        return connect(
            options.url,
            additional_headers=options.headers(),
            subprotocols=[Subprotocol(SUBPROTOCOL)],
            open_timeout=min(options.connect_s, left_s),
            close_timeout=_CLOSE_S,
            max_size=MOST_BYTES,
            compression=None,
            proxy=None,
        )
    except InvalidHandshake as error:
        if _passes_over(error):
            what = f"{options.destination} cannot be reached: {error}"
            raise CloudUnavailable(what, hint=_LATER) from error
        raise CloudRefused(
            f"{options.destination} serves no split inference: {error}",
            hint="check split_url and the API key",
        ) from error
    except (OSError, TimeoutError, ConnectionClosed) as error:
        what = f"{options.destination} cannot be reached: {error}"
        raise CloudUnavailable(what, hint=_LATER) from error


def _passes_over(error: InvalidHandshake) -> bool:
    """Whether a handshake that failed may work later: the connection broke, or all is taken."""
    if isinstance(error, InvalidStatus):
        return error.response.status_code in _OVERLOADED
    return isinstance(error, InvalidMessage)
