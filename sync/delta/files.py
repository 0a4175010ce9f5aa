"""Files of a delta: opened, hashed, and put in place whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from skerry.sync.delta.container import Version
from skerry.sync.delta.errors import DeltaNotFound, DeltaUnreadable, NoRoom, OutputExists

Told = Callable[[int], None]
_PIECE = 1 << 20
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def nothing(_bytes: int) -> None:
    """Hears of further bytes, and does nothing."""


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """Raises DeltaNotFound, DeltaUnreadable."""
    try:
        file = path.open("rb")
    except FileNotFoundError as error:
        raise DeltaNotFound(f"there is no file {path}", hint="check the path") from error
    except OSError as error:
        raise DeltaUnreadable(
            f"{path} cannot be read: {error.strerror}", hint="check its permissions"
        ) from error
    with file:
        yield file


def version_of(file: BinaryIO, told: Told = nothing) -> Version:
    """Size and SHA-256 of an open file."""
    digest, size = hashlib.sha256(), 0
    while piece := os.pread(file.fileno(), _PIECE, size):
        digest.update(piece)
        size += len(piece)
        told(len(piece))
    return Version(size, digest.digest())


@contextmanager
def place_whole(path: Path) -> Iterator[BinaryIO]:
    """A new file at `path`, there only when it is whole and on the disk.

    Raises:
        OutputExists: something is there.
        NoRoom, DeltaUnreadable: it cannot be written.
    """
    if path.exists():
        raise OutputExists(f"{path} is there", hint="remove it, or give another name")
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with written(path):
            with unfinished.open("wb") as file:
                yield file
                to_disk(file)
            unfinished.replace(path)
            folder_to_disk(path.parent)
    finally:
        with suppress(FileNotFoundError):
            unfinished.unlink()


@contextmanager
def written(path: Path) -> Iterator[None]:
    """Names what cannot be written. Raises NoRoom, DeltaUnreadable."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise NoRoom(
                f"there is no room for {path}", hint="free some space; what is there is kept"
            ) from error
        raise DeltaUnreadable(
            f"{path} cannot be written: {error.strerror}", hint="check the folder"
        ) from error


def to_disk(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def folder_to_disk(folder: Path) -> None:
    """What was renamed in `folder` stays so if the power fails now."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
