"""A file that arrives over several connections: locked, hashed as it grows, moved when complete.

Beside `NAME.part` lies `NAME.part.json`, which says what it is a part of; a part of anything else
is thrown away, never continued. Knows nothing of HTTP.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from skerry.edge.errors import PullError, PullFull

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]  # a module or nothing

_BLOCK_BYTES = 1 << 20
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@dataclass(frozen=True, slots=True)
class Origin:
    """What a part is of: the address, the digest that is expected, and what the server said: its
    mark of the version (ETag or Last-Modified) and the size."""

    url: str
    sha256: str | None = None
    version: str | None = None
    total_bytes: int | None = None


class PartFile:
    """`target` while it arrives. A context manager; what has arrived stays when it is left early.

    Raises:
        PullError: another process fetches the same file, or the folder cannot be written.
        PullFull: the disk is full.
    """

    def __init__(self, target: Path, origin: Origin) -> None:
        self._target = target
        self.path = target.with_name(target.name + ".part")
        self._note = target.with_name(target.name + ".part.json")
        self.origin = origin

    def __enter__(self) -> Self:
        with translated(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("ab+")
        self._lock()
        left = read_origin(self._note)
        if left is not None and (left.url, left.sha256) == (self.origin.url, self.origin.sha256):
            self.origin = left
            self._rehash()
        else:
            self.reset()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._file.close()
        if not self._size:
            self.path.unlink(missing_ok=True)
            self._note.unlink(missing_ok=True)

    @property
    def size(self) -> int:
        return self._size

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    @property
    def complete(self) -> bool:
        return self._size == self.origin.total_bytes

    def note(self, origin: Origin) -> None:
        """Writes down what is arriving, so that it can be continued."""
        self.origin = origin
        write_origin(self._note, origin)

    def write(self, data: bytes) -> None:
        with translated(self.path):
            self._file.write(data)
            self._file.flush()
        self._hash.update(data)
        self._size += len(data)

    def reset(self) -> None:
        """Throws away what has arrived, and what was known of it."""
        with translated(self.path):
            self._file.truncate(0)
            self._note.unlink(missing_ok=True)
        self.origin = Origin(self.origin.url, self.origin.sha256)
        self._hash = hashlib.sha256()
        self._size = 0

    def finish(self) -> None:
        """Moves the complete file to its place, safe from a power cut."""
        with translated(self._target):
            os.fsync(self._file.fileno())
            self.path.replace(self._target)
            self._note.unlink(missing_ok=True)
        _sync_folder(self._target.parent)

    def _lock(self) -> None:
        if fcntl is None:
            return
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.close()
            raise PullError(
                f"'{self._target}' is being fetched by another process",
                hint="wait for it to end",
            ) from error

    def _rehash(self) -> None:
        self._hash = hashlib.sha256()
        self._size = 0
        with translated(self.path), self.path.open("rb") as file:
            while block := file.read(_BLOCK_BYTES):
                self._hash.update(block)
                self._size += len(block)


def write_origin(file: Path, origin: Origin) -> None:
    with translated(file):
        file.write_text(json.dumps(asdict(origin), indent=1), "utf-8")


def read_origin(file: Path) -> Origin | None:
    """What `write_origin` wrote; None where there is nothing that can be read."""
    try:
        return Origin(**json.loads(file.read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turns the operating system's errors about `path` into ours."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise PullFull(
                f"there is no room for '{path}'",
                hint="free some space and run the same command again; it goes on where it stopped",
            ) from error
        raise PullError(
            f"'{path}' cannot be written: {error.strerror}", hint="check the folder's permissions"
        ) from error


def _sync_folder(folder: Path) -> None:
    """Makes the move itself durable, where the system lets a folder be synced."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
