"""`current`: which slot a device runs. Switched by one atomic rename.

A symbolic link to the slot; a file with its name where the system makes no links.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from skerry.sync.durable import remove_tree, sync_folder, write_file

SLOTS = ("a", "b")


def read(pointer: Path) -> str | None:
    """The slot that `pointer` names; None where it names none."""
    with suppress(OSError, UnicodeError):
        text = str(pointer.readlink()) if pointer.is_symlink() else pointer.read_text().strip()
        folder, _, slot = text.replace(os.sep, "/").rpartition("/")
        if folder == "slots" and slot in SLOTS:
            return slot
    return None


def switch(pointer: Path, slot: str) -> None:
    """Makes `pointer` name `slot`, in one step.

    Raises:
        OSError: it cannot; `pointer` names what it named.
    """
    new = pointer.with_name(f".{pointer.name}.new")
    remove_tree(new)
    if pointer.is_dir() and not pointer.is_symlink():
        remove_tree(pointer)  # something else lies there, and a rename would not replace it
    try:
        new.symlink_to(f"slots/{slot}", target_is_directory=True)
    except (OSError, NotImplementedError) as error:
        if not _without_links(error):
            raise
        write_file(pointer, f"slots/{slot}\n".encode())
        return
    new.replace(pointer)
    sync_folder(pointer.parent)


def _without_links(error: BaseException) -> bool:
    """Whether the system has no links, or does not let this user make them."""
    import errno

    if isinstance(error, NotImplementedError) or getattr(error, "winerror", None) == 1314:
        return True
    return isinstance(error, OSError) and error.errno in (errno.EPERM, errno.ENOTSUP, errno.ENOSYS)
