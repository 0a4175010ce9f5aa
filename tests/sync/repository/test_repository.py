"""The operator's side: what is signed by whom, and what a stopped publisher leaves."""

from __future__ import annotations

from pathlib import Path

import pytest

from skerry.bundles import BundleDamaged
from skerry.sync.errors import KeyFault, RepositoryFault, StoreFault, Untrusted
from skerry.sync.repository import Layout, create, open_repository, publish, published, review
from skerry.sync.repository.ceremony import (
    add_key,
    add_role,
    bring_back,
    revoke_key,
    rotate_key,
    set_threshold,
    sign_file,
)
from skerry.sync.repository.keys import load_file
from skerry.sync.repository.publish import recall
from skerry.sync.repository.store import FolderStore
from tests.sync.fleet import Fleet, running, secrets


def test_versions_count_on(fleet: Fleet) -> None:
    with fleet.opened() as repository:
        done = publish(repository, fleet.bundle("x").folder, "stable")
    assert (done.version, done.target) == ("2", "stable/tiny/2/bundle.json")


def test_a_version_never_changes(fleet: Fleet) -> None:
    with fleet.opened() as repository:
        assert publish(repository, fleet.bundle("1").folder, "stable", version="1").bytes_new == 0
        with pytest.raises(RepositoryFault, match="another content"):
            publish(repository, fleet.bundle("x").folder, "stable", version="1")


def test_a_damaged_bundle_is_not_published(fleet: Fleet) -> None:
    bundle = fleet.bundle("2")
    (bundle.folder / "variants/gguf-q8_0/model.gguf").write_bytes(b"GGUF" + b"9" * 8000)
    with fleet.opened() as repository, pytest.raises(BundleDamaged):
        publish(repository, bundle.folder, "stable")


@pytest.mark.parametrize("version", ["../x", "a b", "", ".hidden", "x" * 65])
def test_versions_are_parts_of_paths(fleet: Fleet, version: str) -> None:
    with fleet.opened() as repository:
        if not version:
            return
        with pytest.raises(RepositoryFault, match="version"):
            publish(repository, fleet.bundle("2").folder, "stable", version=version)


def test_there_is_no_such_channel(fleet: Fleet) -> None:
    with fleet.opened() as repository, pytest.raises(RepositoryFault, match="no role 'beta'"):
        publish(repository, fleet.bundle("2").folder, "beta")


def test_the_review_says_what_changes(fleet: Fleet) -> None:
    with fleet.opened() as repository:
        done = publish(repository, fleet.bundle("2").folder, "stable")
        text = "\n".join(review(repository))
    assert f"+ stable/tiny/2/bundle.json  sha256 {done.digest}" in text
    assert "~ stable/tiny/latest.json" in text
    assert "needs 1 more" in text


def test_nothing_is_served_without_enough_signatures(fleet: Fleet) -> None:
    with fleet.opened() as repository:
        publish(repository, fleet.bundle("2").folder, "stable")
        with pytest.raises(KeyFault, match="'stable' needs 1"):
            repository.release()
    assert fleet.apply() == "1"
    with fleet.opened() as repository:
        repository.sign("stable")
        repository.release()
    assert fleet.apply() == "2"


def test_an_earlier_version_is_the_latest_again(fleet: Fleet) -> None:
    fleet.publish("2")
    fleet.apply()
    with fleet.opened() as repository:
        recall(repository, "stable", "tiny", "1")
        repository.sign("stable")
        repository.release()
        with pytest.raises(RepositoryFault, match="no version '9'"):
            recall(repository, "stable", "tiny", "9")
    assert fleet.apply() == "1"


def test_a_wrong_passphrase(fleet: Fleet) -> None:
    with open_repository(fleet.repo, lambda _: "not the passphrase") as repository:
        publish(repository, fleet.bundle("2").folder, "stable")
        with pytest.raises(KeyFault, match="cannot be opened"):
            repository.sign("stable")


def test_a_short_passphrase(tmp_path: Path) -> None:
    with pytest.raises(KeyFault, match="8 characters"):
        create(tmp_path / "r", Layout(), lambda _: "short")
    with (
        pytest.raises(RepositoryFault, match="no repository"),
        open_repository(tmp_path / "r", secrets),
    ):
        pass


def test_keys_are_encrypted_and_private(fleet: Fleet) -> None:
    keys = sorted((fleet.repo / "keys").iterdir())
    assert len(keys) == 5
    for key in keys:
        assert b"ENCRYPTED PRIVATE KEY" in key.read_bytes()
        assert key.stat().st_mode & 0o077 == 0
    served = [path for path in fleet.public.rglob("*") if b"PRIVATE" in _bytes(path)]
    assert served == []


def _bytes(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""


@pytest.mark.parametrize("role", ["root", "targets", "snapshot", "timestamp", "stable"])
def test_every_key_can_be_rotated(fleet: Fleet, role: str) -> None:
    with fleet.opened() as repository:
        (old,) = repository.keys_of(role)
        new = rotate_key(repository, role, old[:10], secrets)
        for drafted in repository.roles.drafted():
            repository.sign(drafted)
        repository.release()
        assert list(repository.keys_of(role)) == [new]
    fleet.publish("2")
    assert fleet.apply() == "2"


def test_a_revoked_key_signs_no_more(fleet: Fleet) -> None:
    (fleet.folder / "stolen.pem").write_bytes((fleet.repo / "keys/stable-1.pem").read_bytes())
    with fleet.opened() as repository:
        (old,) = repository.keys_of("stable")
        rotate_key(repository, "stable", old, secrets)
        for drafted in repository.roles.drafted():
            repository.sign(drafted)
        repository.release()
        publish(repository, fleet.bundle("2").folder, "stable", version="2")
        sign_file(repository.roles.draft_path("stable"), fleet.folder / "stolen.pem", secrets)
        assert repository.missing("stable") == 1


def test_a_version_number_that_was_driven_up_goes_with_the_stolen_key(fleet: Fleet) -> None:
    from tuf.api.metadata import Metadata

    path = fleet.public / "metadata" / "timestamp.json"
    forged = Metadata.from_bytes(path.read_bytes())
    forged.signed.version = 1_000_000
    forged.sign(load_file(fleet.repo / "keys/timestamp-1.pem", secrets))
    path.write_bytes(forged.to_bytes())
    assert fleet.apply() == "1"
    with fleet.opened() as repository:
        repository.refresh()
    with fleet.client() as client, pytest.raises(Untrusted, match="1000000"):
        client.check()
    with fleet.opened() as repository:
        (old,) = repository.keys_of("timestamp")
        rotate_key(repository, "timestamp", old, secrets)
        repository.sign("root")
        repository.release()
    fleet.publish("2")
    assert fleet.apply() == "2"


def test_thresholds(fleet: Fleet) -> None:
    with fleet.opened() as repository:
        with pytest.raises(RepositoryFault, match="2 of 1"):
            set_threshold(repository, "root", 2)
        add_key(repository, "root", secrets)
        set_threshold(repository, "root", 2)
        assert repository.missing("root") == 2
        repository.sign("root")
        repository.release()
        (first, _) = repository.keys_of("root")
        with pytest.raises(RepositoryFault, match="needs 2"):
            revoke_key(repository, "root", first)
    assert fleet.apply() == "1"


def test_a_ceremony_away_from_the_repository(fleet: Fleet, tmp_path: Path) -> None:
    key = fleet.repo / "keys" / "stable-1.pem"
    away = tmp_path / "away.pem"
    key.rename(away)
    with fleet.opened() as repository:
        publish(repository, fleet.bundle("2").folder, "stable", version="2")
        assert repository.sign("stable") == 0
        stick = tmp_path / "stable.json"
        stick.write_bytes(repository.roles.draft_path("stable").read_bytes())
    sign_file(stick, away, secrets)
    with fleet.opened() as repository:
        assert bring_back(repository, stick) == 1
        assert bring_back(repository, stick) == 0
        repository.release()
        with pytest.raises(RepositoryFault, match="is not the draft"):
            bring_back(repository, stick)
    assert fleet.apply() == "2"


def test_a_role_for_a_device_class(fleet: Fleet) -> None:
    with fleet.opened() as repository:
        add_role(repository, "stable.small", secrets, bundles="ti*")
        for drafted in repository.roles.drafted():
            repository.sign(drafted)
        repository.release()
        done = publish(repository, fleet.bundle("2").folder, "stable.small", version="2")
        repository.sign("stable.small")
        repository.release()
        assert [one.version for one in published(repository, "stable.small")] == ["2"]
        assert repository.channels() == ["stable.small", "stable"]
        with pytest.raises(RepositoryFault, match="already"):
            add_role(repository, "stable.small", secrets)
        with pytest.raises(RepositoryFault, match="no channel"):
            add_role(repository, "beta.small", secrets)
    assert done.target == "stable/tiny/2/bundle.json"
    with fleet.client() as client:
        client.apply()
        assert running(client) == "2"


@pytest.mark.parametrize(
    ("layout", "words"),
    [
        (Layout(channels=()), "needs a channel"),
        (Layout(channels=("root",)), "own roles"),
        (Layout(channels=("a/b",)), "cannot be a channel"),
        (Layout(channels=("a.b",)), "device class"),
        (Layout(threshold={"root": 2}), "2 of 1"),
    ],
)
def test_layouts_that_cannot_be(tmp_path: Path, layout: Layout, words: str) -> None:
    with pytest.raises(RepositoryFault, match=words):
        create(tmp_path / "r", layout, secrets)
    assert not (tmp_path / "r").exists()


def test_there_is_something_already(fleet: Fleet) -> None:
    with pytest.raises(RepositoryFault, match="already"):
        create(fleet.repo, Layout(), secrets)


class Failing(FolderStore):
    """A store that fails at the put of a number."""

    def __init__(self, folder: Path, number: int) -> None:
        super().__init__(folder)
        self.left = number

    def put(self, name: str, data: bytes) -> None:
        self._count()
        super().put(name, data)

    def put_file(self, name: str, path: Path) -> None:
        self._count()
        super().put_file(name, path)

    def _count(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise StoreFault("no room")


def test_a_publisher_that_is_stopped_anywhere_goes_on(tmp_path: Path) -> None:
    """Devices see the old version or the new one, whatever the store fails at."""
    seen = set()
    for number in range(1, 20):
        fleet = Fleet(tmp_path / str(number))
        fleet.publish("1")
        fleet.enrol()
        fleet.apply()
        failed = False
        try:
            with open_repository(fleet.repo, secrets, Failing(fleet.public, number)) as repository:
                publish(repository, fleet.bundle("2").folder, "stable", version="2")
                repository.sign("stable")
                repository.release()
        except StoreFault:
            failed = True
        seen.add(fleet.apply())
        with fleet.opened() as repository:
            publish(repository, fleet.bundle("2").folder, "stable", version="2")
            repository.sign("stable")
            repository.release()
        assert fleet.apply() == "2"
        if not failed:
            break
    assert not failed, "it never went through"
    assert seen == {"1", "2"}


def test_refresh_lets_nothing_run_out(fleet: Fleet) -> None:
    with fleet.opened() as repository:
        before = repository.roles.versions("timestamp")[-1]
        repository.refresh()
        assert repository.roles.versions("timestamp")[-1] == before + 1
    assert fleet.apply() == "1"


def test_two_operators_at_once(fleet: Fleet) -> None:
    with fleet.opened(), pytest.raises(RepositoryFault, match="another process"), fleet.opened():
        pass


def test_a_strangers_repository_is_not_believed(fleet: Fleet, tmp_path: Path) -> None:
    stranger = create(tmp_path / "stranger", Layout(), secrets)
    publish(stranger, fleet.bundle("9").folder, "stable", version="9")
    stranger.sign("stable")
    stranger.release()
    from skerry.sync.client import FolderSource

    source = FolderSource(tmp_path / "stranger" / "public")
    with fleet.client(source=source) as client, pytest.raises(Untrusted):
        client.apply()
