"""Makes the deltas to a version that is to be published, from the versions before it.

They are made before devices see the version, so that none is offered what it can only fetch whole.
Nothing here is signed: what a delta makes is compared with the signed digest by every device.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from skerry.bundles import File, codec
from skerry.bundles.hashing import Told, unheard
from skerry.sync.delta import DeltaError, make_delta
from skerry.sync.errors import RepositoryFault
from skerry.sync.names import (
    DELTA_FROM_BYTES,
    Deltas,
    delta_index,
    delta_path,
    hashed,
    object_path,
)
from skerry.sync.repository.publish import Published, published
from skerry.sync.repository.repository import Repository

VERSIONS = 2
"""From how many earlier versions deltas are made, where nothing else is said."""


@dataclass(frozen=True, slots=True)
class Change:
    """A file that another version has with other content. `source` and `target` are SHA-256."""

    path: str
    version: str
    source: str
    target: str
    size: int


@dataclass(frozen=True, slots=True)
class MadeDelta:
    """A delta that was made, and its bytes; those of the whole file are `change.size`."""

    change: Change
    bytes: int


def changes(repository: Repository, new: Published, versions: int = VERSIONS) -> list[Change]:
    """The files of `new` that one of the versions before it has with other content.

    Raises:
        RepositoryFault: what is published cannot be read.
    """
    every = [one for one in published(repository, new.channel) if one.name == new.name]
    before = sorted((one for one in every if one.digest != new.digest), key=_age)
    files = _files(repository, new)
    found = {}
    for one in before[max(0, len(before) - versions) :]:
        for path, old in _files(repository, one).items():
            file = files.get(path)
            if file and file.sha256 != old.sha256 and file.size >= DELTA_FROM_BYTES:
                found[old.sha256, file.sha256] = Change(
                    path, one.version, old.sha256, file.sha256, file.size
                )
    return list(found.values())


def make_deltas(
    repository: Repository, wanted: list[Change], told: Told = unheard
) -> Iterator[MadeDelta]:
    """Makes and stores those that are not there, one at a time; `told` hears of further bytes.

    Raises:
        RepositoryFault: one cannot be made.
        StoreFault: the store does not take it; the same call goes on where it was.
    """
    for change in wanted:
        name = delta_path(change.source, change.target)
        size = repository.store.size(name)
        if size is None:
            size = _make(repository, change, name, told)
        _note(repository, change, size)
        yield MadeDelta(change, size)


def _make(repository: Repository, change: Change, name: str, told: Told) -> int:
    with tempfile.TemporaryDirectory(prefix="skerry-delta-") as place:
        folder = Path(place)
        old, new = (
            repository.store.file(object_path(digest), folder / digest)
            for digest in (change.source, change.target)
        )
        try:
            made = make_delta([old], new, folder / "delta.skd", told)
        except DeltaError as error:
            what = f"no delta of '{change.path}' from version {change.version}: {error}"
            raise RepositoryFault(what, hint=error.hint) from error
        repository.store.put_file(name, made.path)
        return made.size


def _note(repository: Repository, change: Change, size: int) -> None:
    """Adds one to what is said of the deltas to a content."""
    name = delta_index(change.target)
    data = repository.store.get(name)
    sources: Mapping[str, int] = {}
    if data is not None:
        try:
            sources = msgspec.json.decode(data, type=Deltas).sources
        except msgspec.MsgspecError:
            sources = {}  # it is made anew
    if sources.get(change.source) != size:
        index = Deltas(change.size, {**sources, change.source: size})
        repository.store.put(name, msgspec.json.encode(index, order="sorted"))


def _age(one: Published) -> list[tuple[int, str]]:
    """Orders versions: numbers in them count as numbers."""
    parts = re.split(r"(\d+)", one.version)
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


def _files(repository: Repository, one: Published) -> dict[str, File]:
    """The files of a version, by path."""
    data = repository.store.get(hashed(one.target, one.digest))
    if data is None:
        what = f"the manifest of version {one.version} of '{one.name}' is not in the store"
        raise RepositoryFault(what, hint="publish that version again")
    return {file.path: file for file in codec.decode(data, one.target).files}
