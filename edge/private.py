"""Makes private files: those of databases, which it leaves unopened where they are, and secrets.

Whoever closes any descriptor of a file gives up every lock that the process has on it (POSIX), and
SQLite's with them: another process then takes itself for the last that uses the database, and
removes the write-ahead log from under connections that still write to it
(https://www.sqlite.org/howtocorrupt.html, 2.2).
"""

from __future__ import annotations

import errno
import os
import secrets
import threading
from contextlib import suppress
from pathlib import Path

_SECRET_BYTES = 32
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


def secret(path: Path, *, make: bool) -> bytes | None:
    """The 32 random bytes that this user keeps in `path`; None without such a file.

    Args:
        make: makes one of mode 0600 where there is none.

    Others must not be able to read it: one that they can read is no secret.
    """
    try:
        if make and not path.exists():
            _write_secret(path)
        shared = os.name == "posix" and path.stat().st_mode & 0o077
        content = b"" if shared else path.read_bytes()
    except (OSError, ValueError):
        return None
    return content if len(content) == _SECRET_BYTES else None


def why_no_secret(path: Path) -> str:
    """What keeps `secret` from giving one, in words."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        return f"it cannot be made or read ({getattr(error, 'strerror', error)})"
    if not path.is_file():
        return "it is a folder, or no ordinary file"
    if os.name == "posix" and mode & 0o077:
        return "others can read it"
    return f"it does not hold {_SECRET_BYTES} bytes, or cannot be read"


def _write_secret(path: Path) -> None:
    """Writes it beside `path` and links it there, so that no half of one is ever read."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(_SECRET_BYTES))
        with suppress(FileExistsError):  # another process made one meanwhile: that one counts
            os.link(draft, path)
    finally:
        draft.unlink()


def _fault(code: int, path: Path) -> OSError:
    return OSError(code, os.strerror(code), str(path))
