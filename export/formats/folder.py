"""The folder of one exported variant: made beside its place, checked when it is opened.

`export.json` names what is in it, each file with size and SHA-256. It is written last, and the
folder gets its name after that: whatever has the name is whole.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from skerry.device_profiles.profile import Format
from skerry.export.errors import ExportError, OutputFailed, Unsupported
from skerry.export.exporter import Kind, Made

MANIFEST = "export.json"
_BLOCK_BYTES = 1 << 20
_MAX_MANIFEST_BYTES = 16 << 20


@contextmanager
def making(out: Path) -> Iterator[Path]:
    """An empty folder beside `out`; what is made in its `model` becomes `out` at the end.

    Raises:
        OutputFailed: `out` exists, its parent does not, or the disk does not take it.
    """
    check_free(out)
    try:
        with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}-") as work:
            yield Path(work)
            _sync(Path(work, "model"))
            Path(work, "model").rename(out)
            _sync_path(out.parent)
    except OSError as error:
        what = f"'{out}' could not be written: {error.strerror or error}"
        raise OutputFailed(what, hint="make room there, or give another folder") from error


def check_free(out: Path) -> None:
    """Raises OutputFailed when `out` exists, or nothing can be made there."""
    if out.exists() or out.is_symlink():
        raise OutputFailed(f"'{out}' exists already", hint="remove it, or give another folder")
    if not out.parent.is_dir():
        raise OutputFailed(f"there is no folder '{out.parent}'", hint="make it first")


def write_manifest(folder: Path, facts: Mapping[str, Any]) -> None:
    """Lists the files in `folder` beside `facts`."""
    listed = {path.as_posix(): _listed(folder / path) for path in files_in(folder)}
    text = json.dumps({**facts, "files": listed}, indent=2, sort_keys=True)
    (folder / MANIFEST).write_text(text + "\n", "utf-8")


def files_in(folder: Path) -> tuple[Path, ...]:
    """All files, relative to `folder`, but the manifest; sorted."""
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return tuple(sorted(path for path in found if path != Path(MANIFEST)))


def open_made(folder: Path, made: Format, kind: Kind) -> Made:
    """What `folder` holds, after every file was compared with its digest.

    Raises:
        Unsupported: it is of another format or kind.
        OutputFailed: it is no exported variant, or it is damaged.
    """
    manifest = _read(folder)
    if (manifest["format"], manifest["kind"]) != (made, kind):
        what = f"'{folder}' is {manifest['format']} ({manifest['kind']}), not {made} ({kind})"
        raise Unsupported(what, hint="open it with its own exporter")
    for name, expected in manifest["files"].items():
        _check(folder, name, expected)
    return Made(
        folder=folder,
        format=made,
        precision=manifest["precision"],
        files=(Path(MANIFEST), *map(Path, manifest["files"])),
        notes=tuple(manifest["notes"]),
        facts=manifest["facts"],
    )


def described(folder: Path) -> tuple[Made, Kind]:
    """What the manifest in `folder` says is there, and its kind; files are not looked at.

    Raises:
        OutputFailed: it is no exported variant.
    """
    manifest = _read(folder)
    try:
        made = Made(
            folder=folder,
            format=Format(manifest["format"]),
            precision=str(manifest["precision"]),
            files=(Path(MANIFEST), *map(Path, manifest["files"])),
            notes=tuple(map(str, manifest["notes"])),
            facts=dict(manifest["facts"]),
        )
        return made, Kind(manifest["kind"])
    except (ValueError, TypeError) as error:
        raise OutputFailed(
            f"'{folder}' is no variant of ours: {error}", hint="export again"
        ) from error


def _read(folder: Path) -> dict[str, Any]:
    file = folder / MANIFEST
    try:
        if file.stat().st_size > _MAX_MANIFEST_BYTES:
            raise ValueError("far too long")
        manifest: dict[str, Any] = json.loads(file.read_text("utf-8"))
        if {"format", "kind", "precision", "files", "notes", "facts"} - manifest.keys():
            raise ValueError("something is missing in it")
        dict.items(manifest["files"])
    except (OSError, ValueError, AttributeError, TypeError, RecursionError) as error:
        raise OutputFailed(f"'{file}' is not readable: {error}", hint="export again") from error
    return manifest


def _check(folder: Path, name: str, expected: Any) -> None:
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise OutputFailed(f"'{folder}' names '{name}', which is not in it", hint="export again")
    try:
        found = _listed(path)
    except OSError as error:
        what = f"'{path}' cannot be read: {error.strerror}"
        raise OutputFailed(what, hint="export again") from error
    if found != expected:
        raise OutputFailed(f"'{path}' is not what was exported", hint="export again")


def _listed(path: Path) -> dict[str, Any]:
    return {"bytes": path.stat().st_size, "sha256": sha256(path)}


def sha256(path: Path) -> str:
    """The digest of a file, as hexadecimal text."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def _sync(folder: Path) -> None:
    if not folder.is_dir():
        raise ExportError(f"nothing was made in '{folder}'", hint="this is a fault of the exporter")
    for path in (*folder.rglob("*"), folder):
        _sync_path(path)


def _sync_path(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def copy_beside(source: Path, folder: Path, *names: str) -> None:
    """Copies the files of these names that `source` has."""
    for name in names:
        if (source / name).is_file():
            shutil.copy(source / name, folder / name)
