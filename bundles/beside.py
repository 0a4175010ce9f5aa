"""A folder that is made beside its place, by one process at a time, and then renamed into it.

`.NAME.partial` is locked while it is written: a process that was killed leaves it without a lock,
and the next one clears it away. It never has the name of what is being made.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from skerry.bundles.errors import BundleBusy

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]  # a module or nothing


@contextmanager
def beside(out: Path, *, wait: bool = False) -> Iterator[Path]:
    """An empty folder beside `out` that this process alone writes; what is left of it goes at the
    end.

    Args:
        out: the place that it is for; its parent is there.
        wait: whether to wait for another process that makes the same.

    Raises:
        BundleBusy: another process makes the same.
        OSError: the folder cannot be made.
    """
    folder = out.with_name(f".{out.name}.partial")
    handle = _locked(folder, out, wait=wait)
    try:
        _clear(folder)
        try:
            yield folder
        finally:
            if _is_at(handle, folder):  # else it was moved, and this is another's
                shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(handle)


def move(partial: Path, out: Path) -> None:
    """The step at which `out` comes to be there. What makes room for it stays until then.

    Raises:
        OSError: it cannot be renamed; what was at `out` is there again.
    """
    old = out.with_name(f".{out.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    sync_all(partial)
    if out.is_dir() and any(out.iterdir()):
        out.rename(old)
    try:
        partial.rename(out)
    except OSError:
        if old.is_dir():
            old.rename(out)
        raise
    sync_folder(out.parent)
    shutil.rmtree(old, ignore_errors=True)


def sync_all(folder: Path) -> None:
    """Makes all that is in a folder durable, with the same rights everywhere."""
    for inner in (*sorted(folder.rglob("*"), reverse=True), folder):
        if inner.is_dir():
            inner.chmod(0o755)
            sync_folder(inner)
        else:
            inner.chmod(0o644)
            _sync_file(inner)


def sync_folder(folder: Path) -> None:
    """Makes names durable, where the system lets a folder be synced."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _sync_file(file: Path) -> None:
    handle = os.open(file, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _locked(folder: Path, out: Path, *, wait: bool) -> int:
    """A lock on the folder that has this name now: another may have been renamed meanwhile."""
    while True:
        folder.mkdir(exist_ok=True)
        try:
            handle = os.open(folder, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
        except FileNotFoundError:  # another moved it in between
            continue
        try:
            _lock(handle, out, wait=wait)
            if _is_at(handle, folder):
                return handle
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)


def _lock(handle: int, out: Path, *, wait: bool) -> None:
    if fcntl is None:
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError as error:
        what = f"another process makes '{out}'"
        raise BundleBusy(what, hint="wait for it to end") from error


def _is_at(handle: int, folder: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), os.lstat(folder))
    except FileNotFoundError:
        return False


def _clear(folder: Path) -> None:
    """Throws away what a killed process left."""
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
