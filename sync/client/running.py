"""What a device runs now, for who only reads: the runtime, and tests of what it would be given."""

from __future__ import annotations

from pathlib import Path

from skerry.bundles import BundleDamaged, BundleNotFound, read_bundle
from skerry.sync.client import journal, pointer
from skerry.sync.client.device import Device


def running_bundle(device: Device) -> tuple[Path, str]:
    """The folder of the bundle that `current` names, and its digest.

    The digest is that of its manifest, compared with what was installed: a manifest in which a bit
    changed may still be one. Where the journal is lost, nothing is known to compare with.

    Raises:
        BundleNotFound: the device has no bundle yet.
        BundleError: its manifest cannot be used.
        BundleDamaged: its manifest is another than was installed.
    """
    slot = pointer.read(device.current)
    if slot is None:
        what = f"the device '{device.folder}' has no bundle yet"
        raise BundleNotFound(what, hint="take one: `skerry sync apply`")
    found = read_bundle(device.slots / slot)
    noted = journal.read(device.journal)
    installed = noted.slots.get(slot) if noted else None
    if installed and installed.digest != found.digest:
        what = f"the manifest of '{found.folder}' is another than was installed"
        raise BundleDamaged(what, hint="heal it: `skerry sync apply --verify`")
    return found.folder, found.digest
