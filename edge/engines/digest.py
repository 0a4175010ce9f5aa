"""SHA-256 of model files, remembered by path, inode, size and the times of the last change.

A model of gigabytes is hashed once, not at every start. The remembered digest is a convenience
for receipts; whoever must not trust the user's own cache hashes the file again.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import threading
from contextlib import suppress
from pathlib import Path

from skerry.edge.errors import ConfigError, ModelError
from skerry.edge.folders import cache_folder

_BLOCK_BYTES = 1 << 20
_CACHE_NAME = "digests.json"
_CACHE_ENTRIES = 256


class FileDigest:
    """Hashes a file in the background, unless its digest is remembered.

    The thread starts at once; `result` waits for it. `stop` ends it early.
    """

    def __init__(self, path: Path, *, cache: Path | None = None) -> None:
        self._path = path.resolve()
        self._cache = _cache_file(cache)
        self._stopped = threading.Event()
        self._error: OSError | None = None
        self._value = _remembered(self._cache, self._path)
        self._thread = threading.Thread(target=self._run, name="skerry-digest", daemon=True)
        if not self._value:
            self._thread.start()

    def result(self) -> str:
        """The digest in hexadecimal; empty when it was stopped before the end.

        Raises:
            ModelError: the file cannot be read.
        """
        if self._thread.ident is not None:
            self._thread.join()
        if self._error is not None:
            raise ModelError(
                f"the model file {self._path} cannot be read: {self._error.strerror}",
                hint="check that the file is still there and may be read",
            ) from self._error
        return self._value

    def stop(self) -> None:
        self._stopped.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        try:
            before = _stamp(self._path)
            value = self._hash()
            if value and self._cache and _stamp(self._path) == before:
                _remember(self._cache, self._path, before, value)
        except OSError as error:
            self._error = error
        else:
            self._value = value

    def _hash(self) -> str:
        digest = hashlib.sha256()
        with self._path.open("rb", buffering=0) as file:
            while block := file.read(_BLOCK_BYTES):
                if self._stopped.is_set():
                    return ""
                digest.update(block)
        return digest.hexdigest()


def _cache_file(folder: Path | None) -> Path | None:
    """None for a user without a home folder: nothing is remembered then."""
    try:
        return (folder or cache_folder()) / _CACHE_NAME
    except ConfigError:
        return None


def _stamp(path: Path) -> list[int]:
    stat = path.stat()
    return [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino]


def _entries(cache: Path | None) -> dict[str, dict[str, object]]:
    """What is remembered; a missing or damaged cache is an empty one."""
    if cache is None:
        return {}
    try:
        entries = json.loads(cache.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return entries if isinstance(entries, dict) else {}


def _remembered(cache: Path | None, path: Path) -> str:
    entry = _entries(cache).get(str(path))
    if not isinstance(entry, dict) or entry.get("stamp") != _stamp(path):
        return ""
    return str(entry.get("sha256", ""))


def _remember(cache: Path, path: Path, stamp: list[int], value: str) -> None:
    """Best effort: a cache that cannot be written costs time at the next start, nothing else."""
    entries = _entries(cache)
    entries.pop(str(path), None)
    entries[str(path)] = {"stamp": stamp, "sha256": value}
    newest = dict(list(entries.items())[-_CACHE_ENTRIES:])
    with suppress(OSError):
        _replace(cache, json.dumps(newest, indent=1))


def _replace(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=file.name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            out.write(text)
        Path(name).replace(file)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
