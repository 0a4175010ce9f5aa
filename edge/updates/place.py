"""The bundle of a device that takes updates: where it is, and a sign that it is in use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from skerry.edge.errors import BundleRefused


@dataclass(frozen=True, slots=True)
class DeviceBundle:
    """What a device runs now: its folder, which no update changes while it is `current`."""

    device: Path
    folder: Path
    digest: str

    @contextmanager
    def using(self) -> Iterator[None]:
        """For as long as a runtime runs it: one that ends without leaving counts as a crash."""
        from skerry.sync.client.uses import Uses

        with Uses(self.device).using(self.digest):
            yield


def is_device(folder: Path) -> bool:
    """Whether `folder` is that of a device, which has its bundles in slots."""
    return (folder / "device.json").is_file() and (folder / "slots").is_dir()


def bundle_of(folder: Path) -> DeviceBundle:
    """The bundle that the device in `folder` runs now.

    Raises:
        BundleRefused: it has none.
    """
    from skerry.bundles import BundleError, read_bundle
    from skerry.sync.client import pointer
    from skerry.sync.client.device import Device

    device = Device(folder.resolve())
    slot = pointer.read(device.current)
    if slot is None:
        what = f"the device '{folder}' has no bundle yet"
        raise BundleRefused(what, hint="take one: `skerry sync apply`")
    try:
        found = read_bundle(device.slots / slot)
    except BundleError as error:
        raise BundleRefused(error.what, hint="heal it: `skerry sync apply --verify`") from error
    return DeviceBundle(device.folder, found.folder, found.digest)
