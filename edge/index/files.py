"""Finds the files that `add` was asked for."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from skerry.edge.errors import DocumentError
from skerry.edge.index.parse import SUPPORTED


@dataclass(frozen=True, slots=True)
class Found:
    """The files to read, each once and in order, and how many others the folders have."""

    files: tuple[Path, ...]
    skipped: int


@dataclass(frozen=True, slots=True)
class Status:
    """What tells cheaply that a file is as it was: bytes, and nanoseconds since 1970."""

    size_bytes: int
    modified_ns: int


def status(path: Path) -> Status:
    """Raises DocumentError if there is nothing at the path."""
    try:
        found = path.stat()
    except OSError as error:
        what = f"'{path}' cannot be read: {error.strerror}"
        raise DocumentError(what, hint="Check the path.") from error
    except ValueError as error:
        raise DocumentError(f"{str(path)!r} is no path: {error}", hint="Check the path.") from error
    return Status(found.st_size, found.st_mtime_ns)


def find(paths: Iterable[Path]) -> Found:
    """The named paths; for a folder, the files below it that can be parsed.

    Below a folder, hidden files and folders are left out without being counted, and links to
    folders are not followed, so that a link cannot lead out of it or round in a circle.
    """
    files: dict[Path, None] = {}
    skipped = 0
    for path in paths:
        if not path.is_dir():
            files[absolute(path)] = None
            continue
        for file in _below(path.resolve()):
            if file.suffix.lower() in SUPPORTED and file.is_file():
                files[absolute(file)] = None
            else:
                skipped += 1
    return Found(tuple(files), skipped)


def source_name(path: Path) -> str:
    """The path as text that can be stored; what is not UTF-8 becomes escapes."""
    return str(path).encode("utf-8", "backslashreplace").decode("utf-8")


def absolute(path: Path) -> Path:
    """Without links, unless there is no such file: reading it will say so.

    Raises:
        DocumentError: the path is relative, and the folder that it starts from was deleted.
    """
    try:
        return path.resolve(strict=True)
    except (OSError, RuntimeError, ValueError):
        pass
    try:
        return path.absolute()
    except FileNotFoundError:
        what = f"'{path}' cannot be found: the current folder is gone"
        raise DocumentError(what, hint="Go to another folder, or give the whole path.") from None


def read(path: Path, *, max_bytes: int) -> bytes:
    """The content of a file.

    Raises:
        DocumentError: it is missing, not a file, unreadable, or larger than `max_bytes`.
    """
    try:
        if not path.is_file():
            raise DocumentError(f"'{path}' is not a file", hint="Check the path.")
        with path.open("rb") as file:
            content = file.read(max_bytes + 1)
    except OSError as error:
        what = f"'{path}' cannot be read: {error.strerror}"
        raise DocumentError(what, hint="Check its permissions.") from error
    if len(content) > max_bytes:
        what = f"'{path}' is larger than {max_bytes:,} bytes"
        raise DocumentError(what, hint="Split the document.")
    return content


def _below(folder: Path) -> Iterable[Path]:
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith("."):
                yield Path(root, name)
