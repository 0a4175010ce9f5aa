"""Makes deltas for devices that run an older bundle, and stores them beside the content."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from skerry.bundles import Bundle, open_bundle
from skerry.bundles.hashing import Told, unheard
from skerry.sync.delta import make_delta
from skerry.sync.names import delta_path
from skerry.sync.repository.repository import Repository

LEAST_BYTES = 1 << 16
_WORTH = 0.9


@dataclass(frozen=True, slots=True)
class Stored:
    """A delta for one file: its bytes, and those of the whole file. `kept` is whether it was worth
    storing."""

    path: str
    size: int
    whole: int
    kept: bool


def store_deltas(
    repository: Repository, old: Path, new: Path, told: Told = unheard
) -> list[Stored]:
    """Makes and stores what a device that runs the bundle at `old` needs for the one at `new`.

    A delta that saves less than a tenth is not stored. One that is there is not made again.

    Raises:
        BundleError: a bundle cannot be used.
        DeltaError: a delta cannot be made.
        StoreFault: the store does not take it.
    """
    before, after = open_bundle(old), open_bundle(new)
    return [_store(repository, pair, told) for pair in _pairs(before, after)]


def _pairs(before: Bundle, after: Bundle) -> Iterator[tuple[str, Path, Path, str]]:
    """Files that changed: their path, where both are, and the name of the delta."""
    there = {file.path: file for file in before.manifest.files}
    for file in after.manifest.files:
        was = there.get(file.path)
        if was and was.sha256 != file.sha256 and file.size >= LEAST_BYTES:
            name = delta_path(was.sha256, file.sha256)
            yield file.path, before.path(file.path), after.path(file.path), name


def _store(repository: Repository, pair: tuple[str, Path, Path, str], told: Told) -> Stored:
    path, old, new, name = pair
    whole = new.stat().st_size
    if (there := repository.store.size(name)) is not None:
        return Stored(path, there, whole, True)
    with tempfile.TemporaryDirectory(dir=repository.folder, prefix=".delta-") as place:
        made = make_delta([old], new, Path(place) / "delta.skd", told)
        kept = made.size < _WORTH * whole
        if kept:
            repository.store.put_file(name, made.path)
    return Stored(path, made.size, whole, kept)
