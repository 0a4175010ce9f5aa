"""SHA-256 of files, read in blocks, with progress; a symbolic link is never followed."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

BLOCK_BYTES = 1 << 20

Told = Callable[[int], None]
"""Told how many further bytes are done; may raise to stop."""


def unheard(_bytes: int) -> None:
    """Nobody asks for progress."""


def open_file(path: Path) -> BinaryIO:
    """Opens a plain file itself, not what a link points to; waits for nobody.

    Raises:
        OSError: it cannot be read, or is a link, a pipe or a device.
    """
    flags = os.O_RDONLY
    for name in ("O_NOFOLLOW", "O_BINARY", "O_NONBLOCK"):
        flags |= getattr(os, name, 0)
    handle = os.open(path, flags)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(errno.EINVAL, "it is no plain file", str(path))
    return os.fdopen(handle, "rb", buffering=0)


def blocks(file: BinaryIO) -> Iterator[bytes]:
    while block := file.read(BLOCK_BYTES):
        yield block


def sha256(path: Path, told: Told = unheard) -> str:
    """The digest in hexadecimal.

    Raises:
        OSError: it cannot be read, or is a link.
    """
    digest = hashlib.sha256()
    with open_file(path) as file:
        for block in blocks(file):
            digest.update(block)
            told(len(block))
    return digest.hexdigest()
