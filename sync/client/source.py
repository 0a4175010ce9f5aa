"""Where a device takes files from: a URL, or a folder such as a stick. No source is trusted.

A source implements `read`; names are those of `skerry.sync.names`. Caps, digests and signatures
are checked by those who read.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from skerry.sync.errors import NotThere, SourceFault

BLOCK_BYTES = 1 << 16
_SLOW_WINDOW_S = 30.0
_LEAST_BYTES_PER_S = 256


class Source(Protocol):
    """Gives bytes by name."""

    def read(self, name: str, start: int = 0) -> Iterator[bytes]:
        """Blocks of a file from the byte `start` on; none where it has no more.

        Raises:
            NotThere: the source has no such file.
            SourceFault: it cannot be reached, or stops half-way.
        """
        ...


class FolderSource:
    """A folder that holds what a repository serves."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self, name: str, start: int = 0) -> Iterator[bytes]:
        path = self.folder / name
        try:
            with path.open("rb", buffering=0) as file:
                file.seek(start)
                while block := file.read(BLOCK_BYTES):
                    yield block
        except (FileNotFoundError, NotADirectoryError):
            raise NotThere(f"'{self.folder}' has no '{name}'") from None
        except OSError as error:
            what = f"'{path}' cannot be read: {error.strerror}"
            raise SourceFault(what, hint="check the disk or stick, and try again") from error


def open_source(place: str) -> Source:
    """The source at a URL (`https://…`, `http://…`) or in a folder."""
    if place.startswith(("https://", "http://")):
        from skerry.sync.client.http import HttpSource

        return HttpSource(place)
    return FolderSource(Path(place.removeprefix("file://")))


def not_slow(blocks: Iterator[bytes], clock: Callable[[], float] | None = None) -> Iterator[bytes]:
    """The same blocks; stops a source that gives almost nothing, for as long as it is asked.

    Raises:
        SourceFault: less than 256 bytes a second came for 30 seconds.
    """
    clock = clock or time.monotonic
    since, got = clock(), 0
    for block in blocks:
        got += len(block)
        yield block
        now = clock()  # the time that the reader took counts, too: it waits for slow disks seldom
        if now - since >= _SLOW_WINDOW_S:
            if got < _LEAST_BYTES_PER_S * (now - since):
                what = f"the source gave {got} bytes in {now - since:.0f} seconds"
                raise SourceFault(what, hint="try again, or another source")
            since, got = now, 0
