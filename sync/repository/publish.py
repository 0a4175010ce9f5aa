"""Publishes a version of a bundle: content by digest first, then what is to be signed.

The order makes a publisher that is stopped harmless: devices see a version only through signed
metadata, and that is served last.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from tuf.api.metadata import TargetFile, Targets

from skerry.bundles import Bundle, BundleDamaged, open_bundle
from skerry.bundles.hashing import Told, sha256, unheard
from skerry.bundles.manifest import MANIFEST
from skerry.sync.errors import RepositoryFault
from skerry.sync.names import hashed, latest_target, object_path, version_target, word
from skerry.sync.repository.repository import Repository


@dataclass(frozen=True, slots=True)
class Published:
    """A version of a bundle in a channel. `bytes_new` were not in the store before."""

    target: str
    channel: str
    name: str
    version: str
    digest: str
    bytes: int
    bytes_new: int = 0


def publish(
    repository: Repository,
    folder: Path,
    channel: str,
    *,
    version: str = "",
    latest: bool = True,
    told: Told = unheard,
) -> Published:
    """Puts the content of a bundle into the store, and drafts the version for signing.

    Args:
        repository: where to.
        folder: the bundle; every byte is compared with its digest.
        channel: a channel, or a device class (`CHANNEL.CLASS`).
        version: any word that the channel does not have yet; the next number where it is empty.
        latest: whether devices of the channel take it by themselves.
        told: told how many further bytes are done.

    Raises:
        BundleError: the bundle cannot be used.
        RepositoryFault: there is no such channel, or that version has another content.
        StoreFault: the store does not take it; the same call goes on where it was.
    """
    repository.keys_of(channel)  # raises where there is no such role
    bundle = open_bundle(folder)
    line, name = channel.split(".", 1)[0], bundle.manifest.name
    version = word(version or _next_version(repository, channel, name), "version")
    target = version_target(line, name, version)
    _check_new(repository, channel, target, bundle.digest)
    new = _put_objects(repository, bundle, told)
    data = (bundle.folder / MANIFEST).read_bytes()
    file = TargetFile.from_data(target, data, ["sha256"])
    custom = _custom(bundle, line, version)
    file.unrecognized_fields["custom"] = custom
    repository.store.put(hashed(target, bundle.digest), data)
    with repository.draft(channel, Targets) as targets:
        targets.targets[target] = file
        if latest:
            pointer = latest_target(line, name)
            targets.targets[pointer] = _pointer(repository, pointer, target, version, bundle.digest)
    return Published(target, line, name, version, bundle.digest, bundle.manifest.size, new)


def recall(repository: Repository, channel: str, name: str, version: str) -> Published:
    """Drafts that an earlier version is the channel's latest again.

    Raises:
        RepositoryFault: the channel has no such version.
    """
    line = channel.split(".", 1)[0]
    for one in published(repository, channel):
        if (one.name, one.version) == (name, version):
            with repository.draft(channel, Targets) as targets:
                pointer = latest_target(line, name)
                made = _pointer(repository, pointer, one.target, version, one.digest)
                targets.targets[pointer] = made
            return one
    what = f"the channel '{channel}' has no version '{version}' of '{name}'"
    raise RepositoryFault(what, hint="see `skerry sync versions`")


def published(repository: Repository, channel: str) -> list[Published]:
    """The versions that a role signs, drafts with them, sorted by path."""
    found = []
    for path, file in sorted(_targets(repository, channel).targets.items()):
        if path.endswith(f"/{MANIFEST}"):
            line, name, version, _ = path.split("/")
            size = int(file.custom["bytes"]) if file.custom else 0
            digest = file.hashes["sha256"]
            found.append(Published(path, line, name, version, digest, size))
    return found


def _targets(repository: Repository, channel: str) -> Targets:
    drafted = repository.roles.draft(channel)
    found = drafted.signed if drafted else repository.targets(channel)
    assert isinstance(found, Targets)
    return found


def _next_version(repository: Repository, channel: str, name: str) -> str:
    numbers = [
        int(one.version)
        for one in published(repository, channel)
        if one.name == name and one.version.isdecimal()
    ]
    return str(max(numbers, default=0) + 1)


def _check_new(repository: Repository, channel: str, target: str, digest: str) -> None:
    there = _targets(repository, channel).targets.get(target)
    if there is not None and there.hashes["sha256"] != digest:
        what = f"'{target}' is published already, with another content"
        raise RepositoryFault(what, hint="versions never change: give another --version")


def _put_objects(repository: Repository, bundle: Bundle, told: Told) -> int:
    """Stores what is not there yet; gives its bytes."""
    new = 0
    for file in bundle.manifest.files:
        path = bundle.path(file.path)
        if sha256(path, told) != file.sha256:
            what = f"'{file.path}' in '{bundle.folder}' is not what the manifest says"
            raise BundleDamaged(what, hint="see `skerry bundle verify`; build it anew")
        name = object_path(file.sha256)
        if repository.store.size(name) != file.size:
            repository.store.put_file(name, path)
            new += file.size
    return new


def _custom(bundle: Bundle, channel: str, version: str) -> dict[str, Any]:
    variants = bundle.manifest.variants
    profiles = sorted({suits.profile for one in variants for suits in one.suits})
    return {
        "name": bundle.manifest.name,
        "version": version,
        "channel": channel,
        "profiles": profiles,
        "bytes": bundle.manifest.size,
    }


def _pointer(
    repository: Repository, pointer: str, target: str, version: str, digest: str
) -> TargetFile:
    """The target that names the latest version: all of it is in its signed custom fields, and the
    content says the same to whoever looks."""
    custom = {"target": target, "version": version, "digest": digest}
    data = msgspec.json.encode(custom, order="sorted") + b"\n"
    repository.store.put(hashed(pointer, hashlib.sha256(data).hexdigest()), data)
    file = TargetFile.from_data(pointer, data, ["sha256"])
    file.unrecognized_fields["custom"] = custom
    return file
