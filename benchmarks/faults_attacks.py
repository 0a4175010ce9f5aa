"""Attacks on the way to a device. Each changes what a source serves, as somebody who holds the
network, the store, or a stolen key could; a device that runs version 1 or 2 looks for updates.

An attack is refused when the device runs the same bytes as before, has taken nothing new, and takes
an honest update afterwards.
"""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

from tuf.api.metadata import Metadata, Root, Snapshot, TargetFile, Targets, Timestamp

from benchmarks.faults_cases import served_by
from skerry.sync.client import FolderSource, Means, Source, open_client
from skerry.sync.errors import SyncError
from skerry.sync.names import object_path
from skerry.sync.offers import DeviceFacts, Offer, Report
from skerry.sync.repository import Layout, create, publish
from skerry.sync.repository.ceremony import add_role
from skerry.sync.repository.keys import load_file
from tests.sync.fleet import Fleet, running, secrets

Attack = Callable[["Scene"], "Means | None"]
ATTACKS: list[Attack] = []


def attack(made: Attack) -> Attack:
    ATTACKS.append(made)
    return made


@dataclass
class Scene:
    """A repository, whose `public` folder the attacker writes, and a device that trusts it."""

    fleet: Fleet
    before: Path
    """What was served when only version 1 was there."""

    @property
    def public(self) -> Path:
        return self.fleet.public

    def newest(self, role: str) -> Path:
        """The newest metadata file of a role, as it is served."""
        if role == Timestamp.type:
            return self.public / "metadata" / "timestamp.json"
        found = (self.public / "metadata").glob(f"*.{role}.json")
        return max(found, key=lambda path: int(path.name.split(".")[0]))

    def signed_with(self, key: str, role: str, change: Callable[[Any], None]) -> None:
        """Changes the newest metadata of a role and signs it with the key file of that name."""
        path = self.newest(role)
        metadata: Metadata[Any] = Metadata.from_bytes(path.read_bytes())
        change(metadata.signed)
        metadata.sign(load_file(self.fleet.repo / "keys" / f"{key}.pem", secrets))
        path.write_bytes(metadata.to_bytes())

    def object(self, part: str) -> Path:
        """Where the content of a file of version 2 is served from."""
        manifest = json.loads((self.fleet.folder / "bundle-2" / "bundle.json").read_bytes())
        (found,) = (file for file in manifest["files"] if file["path"] == part)
        return self.public / object_path(found["sha256"])

    def stranger(self) -> Path:
        """What somebody else's repository serves: a version 2 signed by its own keys."""
        other = self.fleet.folder / "stranger"
        repository = create(other, Layout(), secrets)
        bundle = self.fleet.bundle("evil")
        publish(repository, bundle.folder, "stable", version="2")
        repository.sign("stable")
        repository.release()
        return other / "public"


def refused(made: Attack, template: Path, place: Path) -> bool:
    """Whether a device came through one attack."""
    shutil.copytree(template, place, symlinks=True)
    fleet = Fleet.__new__(Fleet)
    fleet.folder, fleet.repo = place / "fleet", place / "fleet" / "repo"
    honest = place / "honest"
    shutil.copytree(fleet.repo, honest)
    device = fleet.folder / "device"
    before = served_by(device)
    means = made(Scene(fleet, place / "before")) or Means(source=FolderSource(fleet.public))
    with suppress(SyncError), open_client(device, means) as client:
        client.apply()
    held = served_by(device) == before
    fleet.repo = honest
    return held and _goes_on(fleet)


def _goes_on(fleet: Fleet) -> bool:
    """Whether the device takes version 2 once the operator has signed anew what was forged."""
    with fleet.opened() as repository:
        for _ in range(3):
            for role in repository.channels():
                with repository.draft(role, Targets):
                    pass
                repository.sign(role)
            repository.release()
    with fleet.client(source=FolderSource(fleet.public)) as client:
        client.apply()
        return running(client) == "2"


def _has_seen(scene: Scene) -> None:
    """The device has seen what is served now."""
    with scene.fleet.client(source=FolderSource(scene.public)) as client:
        client.check()


def make_template(folder: Path) -> Path:
    """A device that runs version 1, a repository that has version 2, and what it served before."""
    fleet = Fleet(folder / "fleet")
    fleet.publish("1")
    fleet.enrol()
    fleet.apply()
    shutil.copytree(fleet.public, folder / "before")
    with fleet.opened() as repository:
        add_role(repository, "stable.phone", secrets, bundles="phone-*")
        for role in repository.roles.drafted():
            repository.sign(role)
        repository.release()
    fleet.publish("2")
    return folder


def run_all(folder: Path) -> dict[str, bool]:
    """Every attack by its name, and whether it was refused."""
    template = make_template(folder / "template")
    return {made.__name__: refused(made, template, folder / made.__name__) for made in ATTACKS}


@attack
def rollback(scene: Scene) -> Means:
    """Everything is as it was once, after the device has seen newer signatures."""
    with open_client(
        scene.fleet.folder / "device", Means(source=FolderSource(scene.public))
    ) as one:
        one.check()
    return Means(source=FolderSource(scene.before))


@attack
def rollback_with_a_stolen_timestamp_key(scene: Scene) -> None:
    """A new timestamp names an old snapshot."""
    with open_client(
        scene.fleet.folder / "device", Means(source=FolderSource(scene.public))
    ) as one:
        one.check()

    def older(signed: Timestamp) -> None:
        signed.version += 1
        signed.snapshot_meta.version -= 1

    scene.signed_with("timestamp-1", "timestamp", older)


@attack
def rollback_of_a_role_with_stolen_online_keys(scene: Scene) -> None:
    """A new snapshot names an old version of the channel's role."""
    with open_client(
        scene.fleet.folder / "device", Means(source=FolderSource(scene.public))
    ) as one:
        one.check()

    def older(signed: Snapshot) -> None:
        signed.version += 1
        signed.meta["stable.json"].version -= 1

    old = scene.newest("snapshot")
    number = int(old.name.split(".")[0])
    scene.signed_with("snapshot-1", "snapshot", older)
    old.rename(old.with_name(f"{number + 1}.snapshot.json"))

    def newer(signed: Timestamp) -> None:
        signed.version += 1
        signed.snapshot_meta.version += 1

    scene.signed_with("timestamp-1", "timestamp", newer)


def _expire(signed: Any) -> None:
    signed.expires = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=5)


@attack
def freeze(scene: Scene) -> None:
    """The timestamp ran out: whoever holds the network hides what came since."""
    scene.signed_with("timestamp-1", "timestamp", _expire)


@attack
def expired_snapshot(scene: Scene) -> None:
    scene.signed_with("snapshot-1", "snapshot", _expire)


@attack
def expired_role(scene: Scene) -> None:
    scene.signed_with("stable-1", "stable", _expire)


@attack
def mix_and_match(scene: Scene) -> None:
    """The channel's role of another time, under the new one's name."""
    old = scene.before / "metadata" / "2.stable.json"
    shutil.copyfile(old, scene.newest("stable"))


@attack
def wrong_keys_everywhere(scene: Scene) -> Means:
    return Means(source=FolderSource(scene.stranger()))


@attack
def wrong_key_for_a_role(scene: Scene) -> None:
    """The role of a stranger in the place of the channel's."""
    other = scene.stranger() / "metadata" / "2.stable.json"
    shutil.copyfile(other, scene.newest("stable"))


@attack
def key_of_another_role(scene: Scene) -> None:
    """The timestamp's key signs for the channel."""
    scene.signed_with("timestamp-1", "stable", lambda signed: signed.targets.clear())


@attack
def no_signatures(scene: Scene) -> None:
    path = scene.newest("stable")
    text = json.loads(path.read_bytes())
    text["signatures"] = []
    path.write_text(json.dumps(text))


@attack
def root_of_a_stranger(scene: Scene) -> None:
    """A next root that the keys of the one before did not sign."""
    root: Metadata[Root] = Metadata.from_bytes(
        (scene.stranger() / "metadata" / "1.root.json").read_bytes()
    )
    root.signed.version = 2
    root.signatures.clear()
    root.sign(load_file(scene.fleet.folder / "stranger" / "keys" / "root-1.pem", secrets))
    (scene.public / "metadata" / "2.root.json").write_bytes(root.to_bytes())


@attack
def another_channels_key(scene: Scene) -> None:
    """The role of a device class signs a bundle that is not its own."""
    with scene.fleet.opened() as repository:
        with repository.draft("stable.phone", Targets) as targets:
            path = "stable/tiny/latest.json"
            file = TargetFile.from_data(path, b"{}", ["sha256"])
            evil = {"target": "stable/tiny/1/bundle.json", "version": "9", "digest": "0" * 64}
            file.unrecognized_fields["custom"] = evil
            targets.targets[path] = file
        with repository.draft("stable", Targets) as targets:
            del targets.targets["stable/tiny/latest.json"]
        for role in repository.roles.drafted():
            repository.sign(role)
        repository.release()


@attack
def arbitrary_software(scene: Scene) -> None:
    """A model of the right size with other bytes."""
    path = scene.object("variants/gguf-q4_0/model.gguf")
    path.write_bytes(b"GGUF" + b"!" * (path.stat().st_size - 4))


@attack
def arbitrary_manifest(scene: Scene) -> None:
    """Another bundle.json under the digest of the right one."""
    evil = scene.fleet.bundle("evil").folder / "bundle.json"
    (place,) = (scene.public / "targets/stable/tiny/2").iterdir()
    shutil.copyfile(evil, place)


@attack
def truncated(scene: Scene) -> None:
    path = scene.object("variants/gguf-q4_0/model.gguf")
    path.write_bytes(path.read_bytes()[:-7])


@attack
def swapped(scene: Scene) -> None:
    """Two contents change places."""
    one, two = map(scene.object, ("variants/gguf-q4_0/model.gguf", "parts/policy/policy.toml"))
    first, second = one.read_bytes(), two.read_bytes()
    one.write_bytes(second)
    two.write_bytes(first)


@attack
def oversized(scene: Scene) -> None:
    """The right bytes, and more behind them."""
    path = scene.object("variants/gguf-q4_0/model.gguf")
    path.write_bytes(path.read_bytes() + b"more" * 1000)


@attack
def oversized_manifest(scene: Scene) -> None:
    (place,) = (scene.public / "targets/stable/tiny/2").iterdir()
    place.write_bytes(place.read_bytes() + b" " * 10_000)


@attack
def a_hostile_manifest_that_is_signed(scene: Scene) -> None:
    """A stolen channel key signs a bundle whose files leave their folder."""
    path = scene.fleet.folder / "bundle-2" / "bundle.json"
    data = path.read_bytes().replace(b"parts/policy/policy.toml", b"../../../../../../evil.x")
    _sign_version(scene, data)


@attack
def a_signed_manifest_with_an_unknown_field(scene: Scene) -> None:
    data = (scene.fleet.folder / "bundle-2" / "bundle.json").read_bytes()
    _sign_version(scene, data.replace(b'  "files"', b'  "execute": "evil",\n  "files"', 1))


def _sign_version(scene: Scene, data: bytes) -> None:
    """Signs `data` as version 3, the latest, with the channel's key."""
    import hashlib

    from skerry.sync.names import hashed, latest_target, version_target

    target, pointer = version_target("stable", "tiny", "3"), latest_target("stable", "tiny")
    digest = hashlib.sha256(data).hexdigest()
    with scene.fleet.opened() as repository:
        repository.store.put(hashed(target, digest), data)
        with repository.draft("stable", Targets) as targets:
            targets.targets[target] = TargetFile.from_data(target, data, ["sha256"])
            custom = {"target": target, "version": "3", "digest": digest}
            file = TargetFile.from_data(pointer, b"{}", ["sha256"])
            file.unrecognized_fields["custom"] = custom
            targets.targets[pointer] = file
        repository.sign("stable")
        repository.release()


@dataclass
class Hostile:
    """A source that gives something else for names that have a part in them."""

    source: Source
    part: str
    give: Callable[[], Iterator[bytes]]

    def read(self, name: str, start: int = 0) -> Iterator[bytes]:
        return self.give() if self.part in name else self.source.read(name, start)


def _endless() -> Iterator[bytes]:
    return itertools.repeat(b"x" * 65_536)


@attack
def endless_timestamp(scene: Scene) -> Means:
    return Means(source=Hostile(FolderSource(scene.public), "timestamp", _endless))


@attack
def endless_content(scene: Scene) -> Means:
    return Means(source=Hostile(FolderSource(scene.public), "objects/", _endless))


@attack
def endless_manifest(scene: Scene) -> Means:
    return Means(source=Hostile(FolderSource(scene.public), "bundle.json", _endless))


@attack
def slow_retrieval(scene: Scene) -> Means:
    """One byte every ten seconds, by a clock that runs ahead."""
    now = itertools.count(0, 10)

    def trickle() -> Iterator[bytes]:
        with patch("skerry.sync.client.source.time.monotonic", lambda: float(next(now))):
            yield from itertools.repeat(b"x", 1_000_000)
        raise AssertionError("nobody stopped the slow source")

    return Means(source=Hostile(FolderSource(scene.public), "objects/", trickle))


@attack
def garbage_metadata(scene: Scene) -> None:
    scene.newest("timestamp").write_bytes(b"\xff\x00{" * 1000)


@attack
def deep_metadata(scene: Scene) -> None:
    """JSON that is nested deeper than a reader's stack."""
    scene.newest("timestamp").write_bytes(b"[" * 8000 + b"]" * 8000)


@dataclass
class Servers:
    """A fleet server in a stranger's hands."""

    offer: Offer
    poll_after_s: float = 60.0

    def next(self, facts: DeviceFacts) -> Offer:  # noqa: ARG002
        return self.offer

    def report(self, report: Report) -> None: ...


@attack
def an_offer_that_nobody_signed(scene: Scene) -> Means:
    evil = scene.fleet.bundle("evil")
    offer = Offer(id="x", target="stable/tiny/9/bundle.json", version="9", digest=evil.digest)
    return Means(source=FolderSource(scene.public), offers=Servers(offer))


@attack
def an_offer_with_another_digest(scene: Scene) -> Means:
    evil = scene.fleet.bundle("evil")
    offer = Offer(id="x", target="stable/tiny/2/bundle.json", version="2", digest=evil.digest)
    return Means(source=FolderSource(scene.public), offers=Servers(offer))
