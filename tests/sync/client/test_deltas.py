"""Devices that come to new content by deltas: fewer bytes, and never other bytes."""

from __future__ import annotations

import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from skerry.bundles import Bundle, Role, verify_bundle
from skerry.sync.client.deltas import DeltaPlanner
from skerry.sync.errors import SourceFault
from skerry.sync.names import DELTAS
from skerry.sync.repository import publish
from skerry.sync.repository.deltas import store_deltas
from tests.bundles.making import CONTENT, make
from tests.sync.fleet import Fleet, running

MODEL = "variants/gguf-q4_0/model.gguf"
SIZE = 300_000


def bundle(fleet: Fleet, version: str, changed: int) -> Bundle:
    """Noise that does not compress, of which some bytes differ between versions."""
    data = bytearray(random.Random(1).randbytes(SIZE))
    for at in random.Random(version).sample(range(SIZE), changed):
        data[at] ^= 0xFF
    content = {**CONTENT, MODEL: (Role.VARIANT, bytes(data))}
    return make(fleet.folder / f"s{version}", fleet.folder / f"b{version}", content)


@pytest.fixture
def updated(tmp_path: Path) -> Fleet:
    """A device on version 1, and a version 2 that has a delta from it."""
    fleet = Fleet(tmp_path / "fleet")
    old, new = bundle(fleet, "1", 0), bundle(fleet, "2", 50)
    fleet.enrol()
    for version, made in (("1", old), ("2", new)):
        with fleet.opened() as repository:
            publish(repository, made.folder, "stable", version=version)
            repository.sign("stable")
            repository.release()
            if version == "2":
                (stored,) = store_deltas(repository, old.folder, new.folder)
                assert stored.kept
                assert stored.size < SIZE / 20
                assert store_deltas(repository, old.folder, new.folder) == [stored]
        if version == "1":
            assert fleet.apply() == "1"
    return fleet


def take(fleet: Fleet, **means: Any) -> int:
    """Applies version 2; how many bytes were fetched."""
    with fleet.client(planner=DeltaPlanner(), **means) as client:
        done = client.apply()
        assert running(client) == "2"
    current = fleet.folder / "device" / "current"
    assert verify_bundle(current).ok
    assert (current / MODEL).read_bytes() == (fleet.folder / "b2" / MODEL).read_bytes()
    return done.fetched


def test_few_bytes(updated: Fleet) -> None:
    assert 0 < take(updated) < SIZE / 20


def delta(fleet: Fleet) -> Path:
    (found,) = (fleet.public / DELTAS).rglob("*.skd")
    return found


def test_a_delta_that_is_not_there(updated: Fleet) -> None:
    shutil.rmtree(updated.public / DELTAS)
    assert take(updated) == SIZE


@pytest.mark.parametrize("damage", ["flipped", "short", "empty", "other", "long"])
def test_a_delta_that_is_wrong(updated: Fleet, damage: str) -> None:
    path = delta(updated)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    given = {
        "flipped": bytes(data),
        "short": bytes(data[:-20]),
        "empty": b"",
        "other": b"not a delta at all" * 100,
        "long": bytes(data) + b"x" * SIZE,
    }
    path.write_bytes(given[damage])
    assert take(updated) >= SIZE


class Cut:
    """A source that ends within the delta."""

    def __init__(self, source: Any) -> None:
        self.source = source

    def read(self, name: str, start: int = 0) -> Any:
        for block in self.source.read(name, start):
            if DELTAS not in name:
                yield block
                continue
            yield block[: len(block) // 2]
            raise SourceFault("cut")


def test_a_delta_that_is_cut_goes_on(updated: Fleet) -> None:
    from skerry.sync.client import FolderSource

    whole = FolderSource(updated.public)
    with updated.client(planner=DeltaPlanner(), source=Cut(whole)) as client:
        with pytest.raises(SourceFault):
            client.apply()
        assert running(client) == "1"
    assert take(updated) < delta(updated).stat().st_size


def test_the_old_content_is_damaged(updated: Fleet) -> None:
    model = updated.folder / "device" / "current" / MODEL
    model.chmod(0o644)
    with model.open("r+b") as file:
        file.seek(1000)
        file.write(b"damaged")
    assert take(updated) >= SIZE
