"""Damage that leaves files readable: what was found by `benchmarks.faults`, and stays mended."""

from __future__ import annotations

import pytest

from skerry.bundles import BundleDamaged
from skerry.sync.client.device import Device
from skerry.sync.client.kept import recall
from skerry.sync.client.running import running_bundle
from tests.sync.fleet import Fleet, running


def test_a_manifest_that_changed_and_is_still_one(fleet: Fleet) -> None:
    device = Device(fleet.folder / "device")
    folder, digest = running_bundle(device)
    path = folder / "bundle.json"
    path.write_bytes(path.read_bytes().replace(b"wrote q4_0", b"wrote q4^0"))
    with pytest.raises(BundleDamaged, match="another than was installed"):
        running_bundle(device)
    with fleet.client(verify=True) as client:
        client.apply()
        assert running(client) == "1"
    assert running_bundle(device)[1] == digest


def test_two_records_that_changed_places(fleet: Fleet) -> None:
    device = Device(fleet.folder / "device")
    enrolment, root = device.enrolment(), device.trusted_root()
    one, two = device.file.read_bytes(), device.root.read_bytes()
    device.file.write_bytes(two)
    device.root.write_bytes(one)
    assert (device.enrolment(), device.trusted_root()) == (enrolment, root)
    assert (device.file.read_bytes(), device.root.read_bytes()) == (one, two)


def test_both_copies_are_damaged(fleet: Fleet) -> None:
    device = Device(fleet.folder / "device")
    for path in (device.root, device.root.with_name("root.json.copy")):
        path.write_bytes(b"x" + path.read_bytes()[1:])
    assert recall(device.root) is None


def test_a_lost_journal_is_made_anew(fleet: Fleet) -> None:
    device = Device(fleet.folder / "device")
    digest = running_bundle(device)[1]
    device.journal.write_bytes(b"{}")
    assert running_bundle(device)[1] == digest
    with fleet.client() as client:
        assert client.state.digest() == digest
