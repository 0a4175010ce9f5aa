"""One answer over a real socket, measured: plainly streamed, with hints as the product sends them,
or by the protocols that others use."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

import msgspec
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from benchmarks.split_cloud import KEY
from skerry.cloud.hints.frames import (
    MOST_BYTES,
    SUBPROTOCOL,
    Done,
    Fault,
    Mode,
    Open,
    Tokens,
    read_cloud_frame,
    written,
)
from skerry.edge.escalate.options import Secret
from skerry.edge.split.ahead import Ahead
from skerry.edge.split.client import SplitGeneration
from skerry.edge.split.controller import Measured as Known
from skerry.edge.split.drafter import Drafter, Guess
from skerry.edge.split.link import Ways
from skerry.edge.split.options import SplitOptions

_DEADLINE_S = 300.0
_LONG_MS = 10_000
PRODUCT = SplitOptions(base_url="http://127.0.0.1", api_key=Secret(KEY))
"""What a device does where nobody sets anything."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One answer. `frames` says when tokens came (seconds since connecting began), and how many.

    `drafted` guesses were sent, `taken` of them stand in the answer. `data` are bytes of frames
    both ways, without the prompt's.
    """

    tokens: tuple[int, ...]
    frames: tuple[tuple[float, int], ...]
    passes: int
    drafted: int
    taken: int
    data: int

    @property
    def took_s(self) -> float:
        return self.frames[-1][0]


def plain(url: str, opening: Open) -> Measured:
    """Streamed by the cloud, with no drafts."""
    return hinted(url, msgspec.structs.replace(opening, vocabulary=b""), _NoDrafter())


def hinted(
    url: str,
    opening: Open,
    drafter: Drafter,
    *,
    patience_ms: int | None = None,
    known: Known | None = None,
) -> Measured:
    """With hints, by the product's own client; `patience_ms` makes it thrift mode. `known` is what
    it has learnt of the cloud and of this kind of prompt."""
    mode = Mode.THRIFT if patience_ms else Mode.LATENCY
    opening = msgspec.structs.replace(opening, mode=mode, patience_ms=patience_ms or 0)
    options = replace(PRODUCT, base_url=url, patience_ms=patience_ms, idle_s=_DEADLINE_S)
    ways = Ways(options)
    one = SplitGeneration(
        options, opening, drafter, connect=lambda left: ways.connect(options.headers(), left),
        deadline_s=_DEADLINE_S, cancel=threading.Event(), measured=known,
    )  # fmt: skip
    began = time.perf_counter()
    frames = tuple((time.perf_counter() - began, len(frame.tokens)) for frame in one)
    drafter.close()
    data = one.traffic.sent + one.traffic.received - one.traffic.opening
    ahead = one.ahead
    return Measured(tuple(ahead.generated), frames, one.passes, ahead.drafted, ahead.hit, data)


class _NoDrafter:
    def draft(self, sequence: object, most: int) -> list[Guess]:  # noqa: ARG002
        return []

    def read(self, sequence: object) -> bool:  # noqa: ARG002
        return False

    def branch(self, sequence: object, token: int, most: int) -> list[int]:  # noqa: ARG002
        return [token]

    def close(self) -> None:
        pass


@dataclass(frozen=True, slots=True)
class Rounds:
    """A protocol in which the cloud waits for drafts before each pass.

    Synchronous: `depth` tokens are drafted, sent, and waited for (Leviathan et al.,
    arXiv:2211.17192, over a network). Pipelined: chunks of `burst` tokens are sent while verdicts
    are under way, and a correction starts the chain again, as in PicoSpec (arXiv:2603.19133). Where
    the drafter has no idea, one token is sent so that the cloud goes on.
    """

    depth: int
    burst: int

    @classmethod
    def synchronous(cls, count: int) -> Rounds:
        return cls(count, count)

    @classmethod
    def pipelined(cls) -> Rounds:
        return cls(PRODUCT.depth, PRODUCT.burst)

    def __call__(self, url: str, opening: Open, drafter: Drafter) -> Measured:
        waits = msgspec.structs.replace(opening, mode=Mode.THRIFT, patience_ms=_LONG_MS)
        began = time.perf_counter()
        with _connected(url) as connection:
            connection.send(written(waits))
            run = _Run(self, connection, Ahead(opening.tokens), drafter, began)
            run.to_the_end()
        drafter.close()
        ahead = run.ahead
        return Measured(
            tuple(ahead.generated), tuple(run.frames), len(run.frames), ahead.drafted, ahead.hit,
            run.data,
        )  # fmt: skip


class _Run:
    def __init__(
        self, how: Rounds, connection: ClientConnection, ahead: Ahead, drafter: Drafter,
        began: float,
    ) -> None:  # fmt: skip
        self._how, self._connection, self._drafter = how, connection, drafter
        self._began = began
        self._stuck = self._done = False
        self.ahead = ahead
        self.frames: list[tuple[float, int]] = []
        self.data = 0

    def to_the_end(self) -> None:
        while not self._done:
            if self._may_draft and not self._arrived(0):
                self._draft()
            elif not self._may_draft:
                self._arrived(None)

    @property
    def _may_draft(self) -> bool:
        """One that is synchronous drafts when all that it sent is judged."""
        room = self._how.depth - self.ahead.depth
        return not self._stuck and room >= self._how.burst

    def _draft(self) -> None:
        guesses = self._drafter.draft(self.ahead.sequence, self._how.burst)
        if guesses is None:
            return
        if not guesses:
            self._stuck = True
            if self.ahead.depth:
                return
            guesses = [Guess(self.ahead.sequence[-1], 0.5)]
        data = written(self.ahead.guess(guesses))
        with suppress(ConnectionClosed):  # all that there is may have been said meanwhile
            self._connection.send(data)
            self.data += len(data)

    def _arrived(self, timeout: float | None) -> bool:
        try:
            data = self._connection.recv(timeout=timeout)
        except TimeoutError:
            return False
        assert isinstance(data, bytes)
        self.data += len(data)
        match read_cloud_frame(data):
            case Tokens() as frame:
                self.ahead.verify(frame)
                self.frames.append((time.perf_counter() - self._began, len(frame.tokens)))
                self._stuck = False
            case Done():
                self._done = True
            case Fault(_, what):
                raise RuntimeError(what)
        return True


def _connected(url: str) -> ClientConnection:
    options = replace(PRODUCT, base_url=url)
    return connect(
        options.url, additional_headers=options.headers(), subprotocols=[Subprotocol(SUBPROTOCOL)],
        max_size=MOST_BYTES, compression=None, proxy=None,
    )  # fmt: skip


Protocol = Callable[[str, Open, Drafter], Measured]
