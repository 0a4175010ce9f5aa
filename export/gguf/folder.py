"""A folder that is whole or not there: made under another name beside its place, then renamed."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from skerry.export.errors import OutputFailed


@contextmanager
def new_folder(out: Path) -> Iterator[Path]:
    """A working folder beside `out`. What the block leaves in its sub-folder `made` becomes `out`.

    Raises:
        OutputFailed: `out` exists, its parent does not, or the disk is full.
    """
    if out.exists() or out.is_symlink():
        raise OutputFailed(f"'{out}' exists already", hint="remove it, or name another folder")
    if not out.parent.is_dir():
        raise OutputFailed(f"there is no folder '{out.parent}'", hint="make it first")
    try:
        with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}-") as work:
            made = Path(work, "made")
            made.mkdir()
            yield Path(work)
            _settle(made)
            made.rename(out)
    except OSError as error:
        raise OutputFailed(
            f"'{out}' cannot be written: {error.strerror or error}",
            hint="check the room on the disk and the permissions of the folder",
        ) from error
    _settle(out.parent)


def room_for(size_bytes: int, folder: Path) -> None:
    """Raises OutputFailed when the disk of `folder` has no room for `size_bytes`."""
    free = shutil.disk_usage(folder).free
    if size_bytes > free:
        raise OutputFailed(
            f"the export needs {size_bytes / 1e6:.0f} MB beside '{folder}', "
            f"where {free / 1e6:.0f} MB are free",
            hint="make room on the disk, or export to another one",
        )


def _settle(folder: Path) -> None:
    """Waits until the names in `folder` are on the disk, where the system can say so."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
