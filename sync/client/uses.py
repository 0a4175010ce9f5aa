"""Which runtimes run a bundle now, and which ended without closing: seen without asking anybody.

A runtime holds a lock on a file of its own while it runs, and removes it when it closes. A file
without a lock is a crash.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from skerry.sync.durable import locked

_NAME = 16


class Uses:
    """Uses of the bundles of the device in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "uses"

    @contextmanager
    def using(self, digest: str) -> Iterator[None]:
        """For as long as a runtime runs the bundle of that digest."""
        self._folder.mkdir(exist_ok=True)
        path = self._folder / f"{digest[:_NAME]}-{uuid.uuid4().hex}"
        with locked(path):
            yield
            with suppress(OSError):
                path.unlink()

    def crashes(self, digest: str) -> int:
        """How many runtimes of the bundle ended without closing."""
        count = 0
        for path in self._folder.glob(f"{digest[:_NAME]}-*"):
            with suppress(OSError), locked(path) as mine:
                count += mine
        return count

    def forget(self, digest: str) -> None:
        """Forgets the crashes of a bundle."""
        for path in self._folder.glob(f"{digest[:_NAME]}-*"):
            with suppress(OSError), locked(path) as mine:
                if mine:
                    path.unlink()
