"""What was made before, by what it was made from and with: a folder for each key.

`KEY/files/` is what an exporter made, `KEY/made.json` what it said of it, `KEY/evaluation/` what
was measured. An entry comes to be there in one step; one whose files changed since is made anew.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from skerry.bundles.beside import beside, move
from skerry.bundles.hashing import sha256
from skerry.device_profiles.profile import Format
from skerry.export.errors import OutputFailed
from skerry.export.exporter import Made

_FILES, _RECORD, _EVALUATION = "files", "made.json", "evaluation"
_SPARE_BYTES = 64 << 20


class KeptFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file that was made; `path` is relative to the entry's files."""

    path: str
    sha256: str
    size: int


class _Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: Format
    precision: str
    notes: tuple[str, ...]
    facts: dict[str, Any]
    files: tuple[KeptFile, ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """An entry: what was made, and its files with their digests. `fresh`: it was made just now."""

    key: str
    made: Made
    files: tuple[KeptFile, ...]
    fresh: bool

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)


def key_of(**facts: Any) -> str:
    """The key of what is made from `facts`, which have a JSON form."""
    return hashlib.sha256(msgspec.json.encode(facts, order="sorted")).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Cache:
    """The cache in `folder`, which need not exist. Whatever is in it may be deleted at any time."""

    folder: Path

    def get(self, key: str) -> Kept | None:
        """The entry, each file of which has its digest; None where there is none."""
        try:
            data = (self.folder / key / _RECORD).read_bytes()
            record = msgspec.json.decode(data, type=_Record)
            whole = all(_is_whole(self.folder / key / _FILES, file) for file in record.files)
        except (OSError, msgspec.MsgspecError):
            return None
        return self._kept(key, record, fresh=False) if whole else None

    def make(self, key: str, size: int, export: Callable[[Path], Made]) -> Kept:
        """The entry; `export` makes it in a folder that does not exist yet, where it is not there.

        Args:
            key: of what it is made from and with.
            size: how many bytes it will have, about.
            export: makes it.

        Raises:
            ExportError: it cannot be made; nothing is left of it.
        """
        if (kept := self.get(key)) is not None:
            return kept
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with beside(self.folder / key, wait=True) as partial:
                if (kept := self.get(key)) is not None:  # of another process, meanwhile
                    return kept
                self._check_space(size)
                record = _recorded(export(partial / _FILES))
                (partial / _RECORD).write_bytes(msgspec.json.encode(record))
                move(partial, self.folder / key)
        except OSError as error:
            what = f"the cache '{self.folder}' cannot be written: {error.strerror or error}"
            raise OutputFailed(what, hint="free some space, or give another --cache") from error
        return self._kept(key, record, fresh=True)

    def evaluation(self, kept: Kept, identity: str) -> dict[str, Any] | None:
        """What was measured of an entry by the measuring of that identity."""
        try:
            data = self._evaluation_file(kept, identity).read_bytes()
            return msgspec.json.decode(data, type=dict[str, Any])
        except (OSError, msgspec.MsgspecError):
            return None

    def keep_evaluation(self, kept: Kept, identity: str, found: dict[str, Any]) -> None:
        """Writes it in one step; OutputFailed where the disk is full."""
        file = self._evaluation_file(kept, identity)
        partial = file.with_name(f"{file.name}.{os.getpid()}")
        try:
            file.parent.mkdir(exist_ok=True)
            partial.write_bytes(msgspec.json.encode(found))
            partial.replace(file)
        except OSError as error:
            partial.unlink(missing_ok=True)
            what = f"the cache '{self.folder}' cannot be written: {error.strerror or error}"
            raise OutputFailed(what, hint="free some space, or give another --cache") from error

    def _check_space(self, size: int) -> None:
        free = shutil.disk_usage(self.folder).free
        if free < size + _SPARE_BYTES:
            sizes = f"about {size / 1e6:,.0f} MB at '{self.folder}'; {free / 1e6:,.0f} MB are free"
            raise OutputFailed(f"a variant needs {sizes}", hint="free some space, or give --cache")

    def _evaluation_file(self, kept: Kept, identity: str) -> Path:
        return self.folder / kept.key / _EVALUATION / f"{key_of(identity=identity)}.json"

    def _kept(self, key: str, record: _Record, *, fresh: bool) -> Kept:
        made = Made(
            folder=self.folder / key / _FILES,
            format=record.format,
            precision=record.precision,
            files=tuple(Path(file.path) for file in record.files),
            notes=record.notes,
            facts=record.facts,
        )
        return Kept(key, made, record.files, fresh)


def _is_whole(folder: Path, file: KeptFile) -> bool:
    path = folder / file.path
    return path.stat().st_size == file.size and sha256(path) == file.sha256


def _recorded(made: Made) -> _Record:
    """What an exporter made, with digests; facts in their JSON form."""
    if not made.files:
        raise OutputFailed(f"the exporter of {made.format} made no file")
    files = sorted(file.as_posix() for file in made.files)
    facts = msgspec.json.decode(msgspec.json.encode(made.facts, enc_hook=str), type=dict[str, Any])
    return _Record(
        format=made.format,
        precision=made.precision,
        notes=made.notes,
        facts=facts,
        files=tuple(_described(made.folder / path, path) for path in files),
    )


def _described(file: Path, path: str) -> KeptFile:
    try:
        return KeptFile(path, sha256(file), file.stat().st_size)
    except OSError as error:
        what = f"the exporter's file '{path}' cannot be read: {error.strerror}"
        raise OutputFailed(what, hint="this is a fault of the exporter; report it") from error
