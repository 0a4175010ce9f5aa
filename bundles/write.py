"""Writes a bundle so that it is whole or not there: built beside its place, synced, then renamed.

The same manifest and files give the same bytes on disk: there are no times in it, and every file
has the same mode. A process that was killed leaves a folder `.NAME.partial`, which the next writer
of the same bundle clears away; it never has the name of a bundle.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from skerry.bundles import codec
from skerry.bundles.errors import BundleBusy, BundleDamaged, BundleExists, WriteFailed
from skerry.bundles.hashing import Told, blocks, open_file, sha256, unheard
from skerry.bundles.manifest import MANIFEST, File, Manifest, Role
from skerry.bundles.read import Bundle, open_bundle

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]  # a module or nothing

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_SPARE_BYTES = 1 << 20


def describe(source: Path, path: str, role: Role, told: Told = unheard) -> File:
    """The manifest's entry for the file `source`, which will be at `path` in the bundle.

    Raises:
        OSError: it cannot be read, or is a link.
    """
    return File(path=path, sha256=sha256(source, told), size=source.stat().st_size, role=role)


def write_bundle(
    manifest: Manifest,
    sources: Mapping[str, Path],
    out: Path,
    *,
    replace: bool = False,
    told: Told = unheard,
) -> Bundle:
    """Makes the folder `out` with the files of `manifest`.

    Args:
        manifest: says every file; checked before anything is written.
        sources: where each path of the manifest is copied from.
        out: the place; its parent is there.
        replace: whether a bundle that is there already makes room.
        told: told how many further bytes were written.

    Raises:
        ManifestInvalid: parts of the manifest do not agree.
        BundleExists: there is something at `out`, and it is no bundle that may be replaced.
        BundleBusy: another process writes there.
        BundleDamaged: a source is not what the manifest says of it.
        WriteFailed: the disk is full, or the folder cannot be written.
    """
    data = codec.encode(manifest)
    _check_place(out, replace=replace)
    _check_space(out, manifest.size + len(data))
    with _translated(out), _partial(out) as partial:
        for file in manifest.files:
            _copy(sources[file.path], partial, file, told)
        _put(partial / MANIFEST, data)
        _sync_folders(partial)
        _move(partial, out)
    return open_bundle(out)


def _check_place(out: Path, *, replace: bool) -> None:
    if not out.parent.is_dir():
        what = f"there is no folder '{out.parent}' to write the bundle in"
        raise WriteFailed(what, hint="make the folder first")
    if not os.path.lexists(out) or (out.is_dir() and not out.is_symlink() and _is_empty(out)):
        return
    if not (out / MANIFEST).is_file() or out.is_symlink():
        hint = "give a folder that does not exist yet"
        raise BundleExists(f"'{out}' is there already, and is no bundle", hint=hint)
    if not replace:
        raise BundleExists(f"there is a bundle at '{out}' already", hint="give --replace")


def _is_empty(folder: Path) -> bool:
    return next(folder.iterdir(), None) is None


def _check_space(out: Path, size: int) -> None:
    free = shutil.disk_usage(out.parent).free
    if free < size + _SPARE_BYTES:
        what = (
            f"the bundle needs {size / 1e6:,.0f} MB at '{out.parent}'; {free / 1e6:,.0f} are free"
        )
        raise WriteFailed(what, hint="free some space, or give another place")


@contextmanager
def _partial(out: Path) -> Iterator[Path]:
    """An empty folder beside `out` that this process alone writes; gone at the end."""
    folder = out.with_name(f".{out.name}.partial")
    folder.mkdir(exist_ok=True)
    handle = os.open(folder, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
    try:
        _lock(handle, out)
        _clear(folder)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(handle)


def _lock(handle: int, out: Path) -> None:
    if fcntl is None:
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        what = f"another process writes the bundle '{out}'"
        raise BundleBusy(what, hint="wait for it to end") from error


def _clear(folder: Path) -> None:
    """Throws away what a killed process left."""
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def _copy(source: Path, partial: Path, file: File, told: Told) -> None:
    target = partial / file.path
    target.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with open_file(source) as read, target.open("xb", buffering=0) as written:
        for block in blocks(read):
            digest.update(block)
            _write_all(written.fileno(), block)
            told(len(block))
        os.fsync(written.fileno())
    target.chmod(0o644)
    if digest.hexdigest() != file.sha256:
        what = f"'{source}' changed while the bundle was made"
        raise BundleDamaged(what, hint="run the same command again")


def _write_all(handle: int, data: bytes) -> None:
    """A system may take a part of what it is given."""
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


def _put(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    path.chmod(0o644)


def _move(partial: Path, out: Path) -> None:
    """The step at which the bundle comes to be there. One that makes room stays until then."""
    old = out.with_name(f".{out.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if (out / MANIFEST).is_file():
        out.rename(old)
    partial.chmod(0o755)
    try:
        partial.rename(out)
    except OSError:
        if old.is_dir():
            old.rename(out)
        raise
    _sync_folder(out.parent)
    shutil.rmtree(old, ignore_errors=True)


def _sync_folders(folder: Path) -> None:
    for inner in (*(path for path in folder.rglob("*") if path.is_dir()), folder):
        inner.chmod(0o755)
        _sync_folder(inner)


def _sync_folder(folder: Path) -> None:
    """Makes names durable, where the system lets a folder be synced."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextmanager
def _translated(out: Path) -> Iterator[None]:
    """Turns the operating system's errors into ours; nothing is left at `out` by then."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            hint = "free some space and run the same command again"
            raise WriteFailed(f"there is no room for the bundle '{out}'", hint=hint) from error
        what = f"the bundle '{out}' cannot be written: {error.strerror or error}"
        raise WriteFailed(what, hint="check the folder's rights") from error
