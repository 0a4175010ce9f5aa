"""Follows a path: what is open of the file there is opened anew when another file takes its place.

A process that holds a file open goes on reading it after it was deleted or renamed. Whoever deletes
an index and builds it again means the new one, also for a server that is running.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, Protocol, TypeVar

from skerry.edge.errors import IndexFault


class Followed(Protocol):
    """What is open of a file."""

    def in_place(self) -> bool:
        """Whether the file that is open still lies at its path."""

    def close(self) -> None:
        """May be called twice."""


Part = TypeVar("Part", bound=Followed)


class _Lent(Generic[Part]):
    """One part, and how many use it now."""

    def __init__(self, part: Part) -> None:
        self.part = part
        self.users = 0
        self.retired = False


class Following(Generic[Part]):
    """Lends what is open of the file at one path. Thread-safe.

    Whoever has borrowed the older part finishes on it; it is closed when the last gives it back.

    Args:
        part: what is open now.
        reopen: opens what lies at the path now, and makes nothing.
    """

    def __init__(self, part: Part, reopen: Callable[[], Part]) -> None:
        self._reopen = reopen
        self._lent: _Lent[Part] | None = _Lent(part)
        self._lock = threading.Lock()
        self._closed = False

    @contextmanager
    def part(self) -> Iterator[Part]:
        """What is open of the file that lies at the path now.

        Raises:
            IndexFault: what lies there cannot be opened; the next call tries again.
        """
        lent = self._borrow()
        try:
            yield lent.part
        finally:
            self._give_back(lent)

    def put(self, part: Part) -> None:
        """Lends `part` from now on, of the same file; the older is not closed."""
        with self._lock:
            self._lent = _Lent(part)

    def close(self) -> None:
        """May be called twice."""
        with self._lock:
            self._closed = True
            lent = self._lent
        if lent is not None:
            lent.part.close()

    def _borrow(self) -> _Lent[Part]:
        with self._lock:
            if self._closed:
                raise IndexFault("the index is closed", hint="Open it again.")
            if self._lent is not None and not self._lent.part.in_place():
                self._retire(self._lent)
                self._lent = None
            if self._lent is None:
                self._lent = _Lent(self._reopen())
            self._lent.users += 1
            return self._lent

    def _give_back(self, lent: _Lent[Part]) -> None:
        with self._lock:
            lent.users -= 1
            if lent.retired and not lent.users:
                lent.part.close()

    def _retire(self, lent: _Lent[Part]) -> None:
        lent.retired = True
        if not lent.users:
            lent.part.close()
