"""Files that are whole or not there, whatever moment the power goes: write, sync, rename, sync.

Each step is one system call by way of `os`, so that a test can stop a process at any of them.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]  # a module or nothing

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})

_NEW = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0)


def write_file(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Puts `data` at `path` in one step; what was there stays until then.

    Raises:
        OSError: the disk is full, or the folder cannot be written; nothing changed.
    """
    partial = path.with_name(f".{path.name}.new")
    try:
        handle = os.open(partial, _NEW, mode)
        try:
            write_all(handle, data)
            os.fsync(handle)
        finally:
            os.close(handle)
        partial.replace(path)
    except OSError:
        with suppress(OSError):
            partial.unlink()
        raise
    sync_folder(path.parent)


def write_all(handle: int, data: bytes) -> None:
    """A system may take a part of what it is given."""
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


def sync_file(path: Path) -> None:
    """Makes the content of a file durable."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_folder(folder: Path) -> None:
    """Makes names durable, where the system lets a folder be synced."""
    if os.name == "nt":
        return
    sync_file(folder)


def make_folder(folder: Path) -> None:
    """Makes a folder, and those above it, durably; nothing where it is there."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    with suppress(FileExistsError):
        folder.mkdir()
    sync_folder(folder.parent)


def remove_tree(path: Path) -> None:
    """Removes a file, a link or a whole folder; nothing where there is none."""
    if path.is_dir() and not path.is_symlink():
        for inner in sorted(path.iterdir()):
            remove_tree(inner)
        path.rmdir()
        return
    path.unlink(missing_ok=True)


@contextmanager
def locked(path: Path) -> Iterator[bool]:
    """Whether this process alone holds the lock at `path`; it goes with the process."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        yield _try_lock(handle)
    finally:
        os.close(handle)


def _try_lock(handle: int) -> bool:
    if fcntl is None:
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
