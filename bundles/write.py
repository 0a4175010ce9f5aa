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
from contextlib import contextmanager
from pathlib import Path

from skerry.bundles import codec
from skerry.bundles.beside import beside, move
from skerry.bundles.errors import BundleDamaged, BundleExists, WriteFailed
from skerry.bundles.hashing import Told, blocks, open_file, sha256, unheard
from skerry.bundles.manifest import MANIFEST, File, Manifest, Role
from skerry.bundles.read import Bundle, open_bundle

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_SPARE_BYTES = 1 << 20

Source = Path | bytes
"""Where the content of a file comes from."""


def describe(source: Source, path: str, role: Role, told: Told = unheard) -> File:
    """The manifest's entry for `source`, which will be at `path` in the bundle.

    Raises:
        OSError: it cannot be read, or is a link.
    """
    if isinstance(source, bytes):
        digest = hashlib.sha256(source).hexdigest()
        return File(path=path, sha256=digest, size=len(source), role=role)
    return File(path=path, sha256=sha256(source, told), size=source.stat().st_size, role=role)


def write_bundle(
    manifest: Manifest,
    sources: Mapping[str, Source],
    out: Path,
    *,
    replace: bool = False,
    told: Told = unheard,
) -> Bundle:
    """Makes the folder `out` with the files of `manifest`.

    Args:
        manifest: says every file; checked before anything is written.
        sources: what each path of the manifest is copied from: a file, or the bytes themselves.
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
    with _translated(out), beside(out) as partial:
        for file in manifest.files:
            _put_file(sources[file.path], partial, file, told)
        (partial / MANIFEST).write_bytes(data)
        move(partial, out)
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


def _put_file(source: Source, partial: Path, file: File, told: Told) -> None:
    """Copies, and compares what was copied with what the manifest says."""
    target = partial / file.path
    target.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with target.open("xb", buffering=0) as written:
        for block in _content(source):
            digest.update(block)
            _write_all(written.fileno(), block)
            told(len(block))
    if digest.hexdigest() != file.sha256:
        what = f"the source of '{file.path}' changed while the bundle was made"
        raise BundleDamaged(what, hint="run the same command again")


def _content(source: Source) -> Iterator[bytes]:
    if isinstance(source, bytes):
        yield source
        return
    with open_file(source) as file:
        yield from blocks(file)


def _write_all(handle: int, data: bytes) -> None:
    """A system may take a part of what it is given."""
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


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
