"""The answer of the cloud as a blocking iterator over what another thread receives."""

from __future__ import annotations

import queue
import weakref
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Self

from skerry.edge.engines.base import Piece
from skerry.edge.errors import CloudUnavailable
from skerry.edge.escalate.base import Egress
from skerry.edge.escalate.meter import Meter


class CloudStream:
    """The pieces of one answer, as they arrive. Read by one thread; any thread may close it.

    Iterating raises CloudUnavailable or CloudRefused if no whole answer came; pieces given out
    before stand. The last piece has `finish` and `usage`. Dropping the stream closes it.
    """

    def __init__(
        self,
        pieces: queue.SimpleQueue[Piece | None],
        done: Future[None],
        meter: Meter,
        overdue: CloudUnavailable,
        patience_s: float,
    ) -> None:
        self._over = False
        self._overdue = overdue
        self._pieces = pieces
        self._done = done
        self._meter = meter
        self._patience_s = patience_s
        self._cancel = weakref.finalize(self, done.cancel)

    @property
    def egress(self) -> Egress:
        """What has left and arrived so far."""
        return self._meter.egress

    def __iter__(self) -> Iterator[Piece]:
        return self

    def __next__(self) -> Piece:
        if self._over:
            raise StopIteration
        piece = self._next()
        if piece is None:
            self._over = True
            if not self._done.cancelled():
                self._done.result()
            raise StopIteration
        return piece

    def close(self) -> None:
        """Ends the request and closes its connection. May be called twice."""
        self._over = True
        self._cancel()

    def _next(self) -> Piece | None:
        try:
            return self._pieces.get(timeout=self._patience_s)
        except queue.Empty:
            raise self._overdue from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()
