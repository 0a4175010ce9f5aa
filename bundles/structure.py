"""Whether a folder has exactly the files of a manifest, by name, kind and size. Reads no content.

An extra file counts as damage: an engine that is given a folder may load what lies in it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from skerry.bundles.manifest import MANIFEST, File, Manifest

MAX_FILES_LOOKED_AT = 20_000


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one path of a bundle."""

    path: str
    what: str


def structure_problems(folder: Path, manifest: Manifest) -> Iterator[Problem]:
    """Everything in `folder` that is not as `manifest` says; nothing where all is.

    Raises:
        OSError: a folder cannot be read.
    """
    expected = {file.path for file in manifest.files}
    folders = {str(one) for path in expected for one in PurePosixPath(path).parents}
    for file in manifest.files:
        if (what := _fault(folder, file)) is not None:
            yield Problem(file.path, what)
    for number, (path, what) in enumerate(_entries(folder, "", folders)):
        if number >= MAX_FILES_LOOKED_AT:
            yield Problem(".", f"it has more than {MAX_FILES_LOOKED_AT} files")
            return
        if path not in expected and path != MANIFEST:
            yield Problem(path, what)


def _fault(folder: Path, file: File) -> str | None:
    try:
        found = os.lstat(folder / file.path)
    except (FileNotFoundError, NotADirectoryError):
        return "it is missing"
    if not stat.S_ISREG(found.st_mode):
        return "it is no plain file"
    if found.st_size != file.size:
        return f"it has {found.st_size} bytes, not {file.size}"
    return None


def _entries(folder: Path, prefix: str, folders: Collection[str]) -> Iterator[tuple[str, str]]:
    """Path and complaint of every file and link below `folder`, as if it were extra.

    Of a folder that is none of `folders` nobody need know what lies in it.
    """
    with os.scandir(folder) as found:
        for entry in sorted(found, key=lambda one: one.name):
            path = prefix + entry.name
            if entry.is_symlink():
                yield path, "it is a link, and not in the manifest"
            elif not entry.is_dir(follow_symlinks=False):
                yield path, "it is not in the manifest"
            elif path in folders:
                yield from _entries(folder / entry.name, f"{path}/", folders)
            else:
                yield path, "it is a folder, and not in the manifest"
