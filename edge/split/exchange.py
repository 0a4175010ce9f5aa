"""Frames to and from a cloud tier, for as long as one answer takes: connecting, and connecting
anew, deadlines, cancelling, and bytes."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from skerry.cloud.errors import ProtocolError, UnknownVocabulary
from skerry.cloud.hints.frames import (
    Cancel,
    CloudFrame,
    DeviceFrame,
    Fault,
    Opened,
    read_cloud_frame,
)
from skerry.edge.errors import CloudError, CloudRefused, CloudUnavailable
from skerry.edge.escalate.faults import snippet
from skerry.edge.split.link import LATER, Link
from skerry.edge.split.options import SplitOptions

Connect = Callable[[float], Link]
"""Makes a link within so many seconds."""
Frame = TypeVar("Frame")

_TICK_S = 0.05
_PASSES = frozenset({
    "busy", "queue_full", "concurrency_exceeded", "rate_limit_exceeded", "no_replica", "stopping",
    "deadline_exceeded",
})  # fmt: skip
"""Codes of a cloud that may take the same later."""
_PAUSE_S = 0.25


OTHER_TOKENS = "it has other tokens than this device's model"
UNKNOWN_TOKENS = "its cloud does not know its tokens"


class OtherTokens(CloudRefused):
    """The target has other tokens than the device's model, or nobody knows: `why`. It may be asked
    in text."""

    why = OTHER_TOKENS


@dataclass(slots=True)
class Traffic:
    """Bytes of frames, without the headers of WebSocket, HTTP, TLS and TCP. `opening` of those that
    were sent told the sequence; it was told `asked` times."""

    sent: int = 0
    received: int = 0
    opening: int = 0
    asked: int = 0


class Exchange:
    """Ends within `deadline_s` of its making. `resumed`: it was connected anew so many times."""

    def __init__(
        self, options: SplitOptions, *, connect: Connect, deadline_s: float, cancel: threading.Event
    ) -> None:
        self.options, self._connect, self._cancel = options, connect, cancel
        self._ends_at = time.monotonic() + deadline_s
        self._link: Link | None = None
        self.traffic = Traffic()
        self.resumed = 0
        self.cancelled = False
        """Whether the cloud that is connected was told that no more is wanted."""

    def until(
        self, done: Callable[[], bool], once: Callable[[], Iterator[Frame]],
        begun: Callable[[], bool],
    ) -> Iterator[Frame]:  # fmt: skip
        """What `once` yields of one connection, and of the next where it broke and there is
        something to go on from (`begun`).

        Raises:
            CloudRefused, CloudUnavailable: as of a generation.
        """
        try:
            while not done():
                try:
                    yield from once()
                except CloudUnavailable:
                    if not self._may_resume(begun()):
                        raise
        except ProtocolError as error:
            what = snippet(self.options, error.what)
            raise CloudRefused(f"{self.options.destination}: {what}") from error
        finally:
            self.close()

    def open(self, opening: DeviceFrame) -> None:
        """Connects, and asks."""
        self.close()
        self.cancelled = False
        self._link = self._connect(self._left())
        self.traffic.opening += self.send(opening)
        self.traffic.asked += 1

    def close(self) -> None:
        """May be called twice."""
        if self._link is not None:
            self._link.close()

    def send(self, frame: DeviceFrame) -> int:
        """Its bytes."""
        size = self._open_link.send(frame)
        self.traffic.sent += size
        return size

    @property
    def rtt_s(self) -> float | None:
        """The last round trip that was measured, in seconds."""
        return self._open_link.rtt_s

    def receive(self, *, begun: bool, busy: Callable[[], bool]) -> CloudFrame | None:
        """The next frame; None: there is none yet, and there is something better to do than wait.

        Raises:
            ProtocolError: it is no frame.
            CloudUnavailable: the cloud went away, or was silent or too slow.
        """
        options = self.options
        wait_s = options.idle_s if begun else max(options.first_s, options.idle_s)
        silent_at = time.monotonic() + wait_s
        while True:
            self._heed_cancel()
            self._heed_time(silent_at)
            data = self._open_link.receive(0 if busy() else _TICK_S)
            if data is not None:
                self.traffic.received += len(data)
                return self._shown(read_cloud_frame(data))
            if busy():
                return None

    def failed(self, fault: Fault) -> CloudError:
        """What a fault of the cloud means here."""
        said, hint = snippet(self.options, fault.what), snippet(self.options, fault.hint) or LATER
        what = f"{self.options.destination}: {said}"
        if fault.instead == "messages":
            other = OtherTokens(what, hint=hint)
            other.why = UNKNOWN_TOKENS if fault.code == UnknownVocabulary.code else OTHER_TOKENS
            return other
        return (CloudUnavailable if fault.code in _PASSES else CloudRefused)(what, hint=hint)

    def _shown(self, frame: CloudFrame) -> CloudFrame:
        """What a cloud says of itself, as lines that give no orders to a terminal."""
        if not isinstance(frame, Opened):
            return frame
        model, why = (snippet(self.options, text) for text in (frame.model, frame.why))
        return msgspec.structs.replace(frame, model=model, why=why)

    def _may_resume(self, begun: bool) -> bool:
        """Waits a little, where trying again may help."""
        self.close()
        over = self.resumed >= self.options.resumes or self._cancel.is_set()
        if over or not begun:
            return False
        pause = _PAUSE_S * 2**self.resumed * random.uniform(0.5, 1.5)  # noqa: S311  no secret
        if pause >= self._left():
            return False
        self._cancel.wait(pause)
        self.resumed += 1
        return True

    def _heed_time(self, silent_at: float) -> None:
        if time.monotonic() > min(silent_at, self._ends_at):
            raise CloudUnavailable(f"{self.options.destination} was silent or too slow", hint=LATER)

    def _heed_cancel(self) -> None:
        if self._cancel.is_set() and not self.cancelled:
            self.cancelled = True
            self.send(Cancel())

    @property
    def _open_link(self) -> Link:
        if self._link is None:
            raise RuntimeError("nothing is connected yet")
        return self._link

    def _left(self) -> float:
        return max(0.001, self._ends_at - time.monotonic())


class Exchanged:
    """A generation, as far as it is its exchange's."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange

    @property
    def traffic(self) -> Traffic:
        return self.exchange.traffic

    @property
    def resumed(self) -> int:
        """How many times the connection was made anew."""
        return self.exchange.resumed

    def close(self) -> None:
        """May be called twice."""
        self.exchange.close()
