"""Updates by delta: what is fetched, and every way in which a delta is of no use."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from skerry.bundles import Role
from skerry.sync.client import FolderSource, deltas
from skerry.sync.delta import make_delta
from skerry.sync.errors import NoSpace, SourceFault
from skerry.sync.names import Deltas, delta_index, delta_path
from tests.bundles.making import CONTENT, Content
from tests.sync.fleet import Fleet, running

SIZE = 200_000


def content(version: str, size: int = SIZE) -> Content:
    """A large file of which a little changes from version to version."""
    data = bytearray(random.Random(1).randbytes(size))
    for at in range(int(version)):
        data[at * 1000 : at * 1000 + 40] = random.Random(at).randbytes(40)
    return {**CONTENT, "variants/gguf-q4_0/model.gguf": (Role.VARIANT, b"GGUF" + bytes(data))}


@pytest.fixture
def large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fleet:
    monkeypatch.setattr("tests.sync.fleet.content", content)
    made = Fleet(tmp_path)
    made.publish("1", size=SIZE)
    made.enrol()
    assert made.apply() == "1"
    return made


def applied(fleet: Fleet) -> tuple[str, int]:
    """The version that runs after an update, and the bytes that were fetched for it."""
    with fleet.client() as client:
        done = client.apply()
        assert done.version == running(client)
        return done.version, done.fetched


def digests(fleet: Fleet, *versions: str) -> list[str]:
    name = "variants/gguf-q4_0/model.gguf"
    bundles = [fleet.bundle(version, SIZE).manifest for version in versions]
    return [next(one.sha256 for one in each.files if one.path == name) for each in bundles]


def delta(fleet: Fleet, old: str, new: str) -> Path:
    return fleet.public / delta_path(*digests(fleet, old, new))


def test_an_update_takes_the_delta(large: Fleet) -> None:
    large.publish("2", size=SIZE, deltas=1)
    version, fetched = applied(large)
    assert version == "2"
    assert fetched < SIZE / 20
    assert list((large.folder / "device" / "objects" / "incoming").iterdir()) == []


def test_without_a_delta_the_file_is_fetched(large: Fleet) -> None:
    large.publish("2", size=SIZE, deltas=0)
    assert applied(large)[1] >= SIZE


def test_versions_between_are_made_on_the_way(large: Fleet) -> None:
    for version in ("2", "3", "4"):
        large.publish(version, size=SIZE, deltas=1)
    assert not delta(large, "1", "4").exists()
    version, fetched = applied(large)
    assert version == "4"
    assert fetched < SIZE / 10


def test_deltas_are_made_from_so_many_versions(large: Fleet) -> None:
    for version in ("2", "3", "10"):
        large.publish(version, size=SIZE, deltas=2)
    assert [delta(large, old, "10").exists() for old in ("1", "2", "3")] == [False, True, True]


@pytest.mark.parametrize("harm", ["flipped", "cut", "longer", "gone", "another", "empty"])
def test_a_delta_of_no_use_costs_only_bytes(large: Fleet, harm: str, tmp_path: Path) -> None:
    large.publish("2", size=SIZE, deltas=1)
    path = delta(large, "1", "2")
    data = path.read_bytes()
    match harm:
        case "flipped":
            path.write_bytes(data[:-9] + bytes([data[-9] ^ 4]) + data[-8:])
        case "cut":
            path.write_bytes(data[: len(data) // 2])
        case "longer":
            path.write_bytes(data + bytes(100))
        case "gone":
            path.unlink()
        case "another":
            other = tmp_path / "other"
            other.write_bytes(bytes(300_000))
            path.unlink()
            make_delta([], other, path)
        case _:
            path.write_bytes(b"")
    version, fetched = applied(large)
    assert version == "2"
    assert fetched >= SIZE


class Cut:
    """A source that ends within a delta."""

    def __init__(self, source: FolderSource) -> None:
        self.source = source

    def read(self, name: str, start: int = 0) -> Iterator[bytes]:
        for block in self.source.read(name, start):
            if not name.endswith(".skd"):
                yield block
                continue
            yield block[: len(block) // 2]
            raise SourceFault("cut")


def test_a_delta_that_is_cut_goes_on(large: Fleet) -> None:
    large.publish("2", size=SIZE, deltas=1)
    source = Cut(FolderSource(large.public))
    with large.client(source=source) as client, pytest.raises(SourceFault):
        client.apply()
    whole = delta(large, "1", "2").stat().st_size
    version, fetched = applied(large)
    assert version == "2"
    assert fetched < whole + 2000, "what is small, and the rest of the delta"


HOSTILE = {
    "nonsense": b"\xff\xfe",
    "huge": b'{"size": 1, "sources": {"' + b"a" * 100_000,
    "many": msgspec.json.encode(Deltas(SIZE, {f"{at:064x}": 1 for at in range(600)})),
    "bytes": b'{"size": -1, "sources": {}}',
    "paths": b'{"size": 1, "sources": {"../../../etc/passwd": 1}}',
}


@pytest.mark.parametrize("index", HOSTILE.values(), ids=HOSTILE)
def test_an_index_that_is_none(large: Fleet, index: bytes) -> None:
    large.publish("2", size=SIZE, deltas=1)
    (large.public / delta_index(digests(large, "2")[0])).write_bytes(index)
    assert applied(large)[0] == "2"


def test_an_index_that_promises_less_than_there_is(large: Fleet) -> None:
    large.publish("2", size=SIZE, deltas=1)
    old, new = digests(large, "1", "2")
    there = msgspec.json.encode(Deltas(SIZE + 4, {old: 3}))
    (large.public / delta_index(new)).write_bytes(there)
    assert applied(large)[1] >= SIZE


def test_old_content_that_is_damaged(large: Fleet) -> None:
    large.publish("2", size=SIZE, deltas=1)
    (old,) = digests(large, "1")
    path = large.folder / "device" / "objects" / old[:2] / old
    path.chmod(0o644)
    data = bytearray(path.read_bytes())
    data[5000] ^= 1
    path.write_bytes(data)
    assert applied(large)[0] == "2"


def test_a_full_disk_keeps_what_came(large: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    from skerry.sync.delta.errors import NoRoom

    large.publish("2", size=SIZE, deltas=1)

    def full(*_given: object, **_more: object) -> None:
        raise NoRoom("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(deltas, "apply_chain", full)
        with pytest.raises(NoSpace, match="full"):
            large.apply()
    with large.client() as client:
        done = client.apply()
        assert (done.version, done.fetched < 3000) == ("2", True), "the delta was there"
