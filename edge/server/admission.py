"""How many answers may be under way at once, and what stops them all."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from skerry.edge.server.errors import ApiError


class Admission:
    """Counts running and waiting answers. Used by one event loop only.

    Args:
        most: answers at once; the next is told to come back later.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._cancels: set[threading.Event] = set()
        self.closing = False

    def __len__(self) -> int:
        return len(self._cancels)

    @contextmanager
    def place(self, cancel: threading.Event) -> Iterator[None]:
        """Holds a place for an answer that `cancel` stops.

        Raises:
            ApiError: 429 when all places are taken, 503 when the server is stopping.
        """
        if self.closing:
            raise stopping()
        if len(self._cancels) >= self._most:
            raise ApiError(
                429,
                f"{self._most} answers are under way or waiting; try again in a moment.",
                code="queue_full",
            )
        self._cancels.add(cancel)
        try:
            yield
        finally:
            self._cancels.discard(cancel)

    def close(self) -> None:
        """Takes nobody any more."""
        self.closing = True

    def cancel_all(self) -> None:
        """Stops every answer at its next token."""
        for cancel in self._cancels:
            cancel.set()


def stopping() -> ApiError:
    return ApiError(503, "the server is stopping; ask again when it is back.", code="stopping")
