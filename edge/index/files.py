"""Finds the files that `add` was asked for."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from skerry.edge.errors import DocumentError
from skerry.edge.index.parse import how_to_convert
from skerry.edge.index.types import Failure


@dataclass(frozen=True, slots=True)
class Found:
    """The files to read, each once and in order, and what else the folders have.

    `unread` are files of other formats; `links` lead out of their folder and were not followed;
    `failed` are folders that cannot be looked into.
    """

    files: tuple[Path, ...]
    unread: tuple[Failure, ...]
    links: tuple[str, ...]
    failed: tuple[Failure, ...]


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


def find(paths: Iterable[Path], *, follow_links: bool = False) -> Found:
    """The named paths; for a folder, the files below it that can be parsed.

    Below a folder, hidden files and folders are left out without a word. A link is
    followed where it leads to a file in the same folder; with `follow_links` also out of it, and to
    other folders, each of which is entered once.
    """
    search = _Search(follow_links)
    for path in paths:
        if os.path.isdir(path):  # noqa: PTH112 -- Path's raises if a folder above is shut
            search.folder(path.resolve())
        else:
            search.files[absolute(path)] = None
    unread, links = tuple(search.unread), tuple(search.links)
    return Found(tuple(search.files), unread, links, tuple(search.failed))


class _Search:
    """Looks through folders and gathers what it finds."""

    def __init__(self, follow_links: bool) -> None:
        self._follow_links = follow_links
        self._entered: set[str] = set()
        self.files: dict[Path, None] = {}
        self.links: dict[str, None] = {}
        self.failed: list[Failure] = []
        self.unread: list[Failure] = []

    def folder(self, root: Path) -> None:
        """Takes the files below `root`, which has no links above it."""
        for here, folders, names in os.walk(root, onerror=self._fail, followlinks=True):
            folders[:] = [name for name in _shown(folders) if self._enters(Path(here, name), root)]
            for name in _shown(names):
                self._file(Path(here, name), root)

    def _fail(self, error: OSError) -> None:
        name = source_name(Path(error.filename))
        what = f"'{name}' cannot be looked into: {error.strerror}"
        self.failed.append(Failure(name, what, "Check its permissions."))

    def _enters(self, folder: Path, root: Path) -> bool:
        """Whether to look into a folder: a link to one only if it is to be followed, and once."""
        if not folder.is_symlink():
            return True
        if self._leads_out(folder, root):
            self.links[source_name(folder)] = None
        if not self._follow_links or os.path.realpath(folder) in self._entered:
            return False
        self._entered.add(os.path.realpath(folder))
        return True

    def _file(self, file: Path, root: Path) -> None:
        if not os.path.isfile(file):  # noqa: PTH113
            self._leave(file, f"'{file.name}' leads to no file", "check the link, or remove it")
        elif (how := how_to_convert(file.name)) is not None:
            self._leave(file, f"'{file.name}' is of a format that is not read", how)
        elif self._leads_out(file, root):
            self.links[source_name(file)] = None
        else:
            self.files[absolute(file)] = None

    def _leave(self, file: Path, what: str, hint: str) -> None:
        name = source_name(file)
        self.unread.append(Failure(name, what.encode("utf-8", "backslashreplace").decode(), hint))

    def _leads_out(self, path: Path, root: Path) -> bool:
        """Whether it is a link out of `root` that is not to be followed."""
        if self._follow_links or not path.is_symlink():
            return False
        return not Path(os.path.realpath(path)).is_relative_to(root)


def _shown(names: Iterable[str]) -> list[str]:
    return sorted(name for name in names if not name.startswith("."))


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
