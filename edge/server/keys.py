"""The server's API key: made on the first start, kept in a private file, compared in constant
time."""

from __future__ import annotations

import hmac
import os
import secrets
from contextlib import suppress
from pathlib import Path

from skerry.edge.errors import ConfigError

_PREFIX = "sk-skerry-"
_BYTES = 32
_SHORTEST = 16
_LONGEST = 512


def load_or_make_key(path: Path) -> str:
    """The key in `path`; makes the file (mode 0600) with a new key where there is none.

    Raises:
        ConfigError: the file cannot be read or written, is open to others, or holds no key.
    """
    try:
        _make(path)
        _check_private(path)
        key = path.read_text(encoding="ascii", errors="strict").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"the API key file '{path}' cannot be used: {error}",
            hint="check the path, or name another with --api-key-file",
        ) from error
    if not _SHORTEST <= len(key) <= _LONGEST or not key.isprintable() or " " in key:
        raise ConfigError(
            f"'{path}' holds no API key",
            hint=f"delete it to get a new key, or write one of {_SHORTEST} characters or more",
        )
    return key


def same_key(given: str, key: str) -> bool:
    """Compares in a time that does not tell how much was right."""
    return hmac.compare_digest(given.encode(errors="surrogatepass"), key.encode())


def _make(path: Path) -> None:
    """Writes the key beside `path` and links it there, so that no half-written key is ever read."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(f"{_PREFIX}{secrets.token_urlsafe(_BYTES)}\n")
        with suppress(FileExistsError):  # another server made one meanwhile: that one counts
            os.link(draft, path)
    finally:
        draft.unlink()


def _check_private(path: Path) -> None:
    if os.name == "posix" and path.stat().st_mode & 0o077:
        raise ConfigError(
            f"the API key file '{path}' can be read by others",
            hint=f"run: chmod 600 '{path}'",
        )
