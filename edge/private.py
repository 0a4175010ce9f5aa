"""Makes the files of databases, and leaves those that are there unopened.

Whoever closes any descriptor of a file gives up every lock that the process has on it (POSIX), and
SQLite's with them: another process then takes itself for the last that uses the database, and
removes the write-ahead log from under connections that still write to it
(https://www.sqlite.org/howtocorrupt.html, 2.2).
"""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

_making = threading.Lock()


def make_private(path: Path) -> None:
    """Makes an empty file of mode 0600 where there is none; SQLite gives its journals that mode.

    Raises:
        OSError: it cannot be made, or what is there cannot be written.
        ValueError: `path` cannot be a path: it has a NUL or a lone surrogate.
    """
    with _making:  # until it is closed again nobody here has a lock on it
        if not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    if path.is_dir():
        raise _fault(errno.EISDIR, path)
    if not os.access(path, os.R_OK | os.W_OK):
        raise _fault(errno.EACCES, path)


def _fault(code: int, path: Path) -> OSError:
    return OSError(code, os.strerror(code), str(path))
