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
        BundleRefused: it has none, or one that is damaged.
    """
    from skerry.bundles import BundleError, BundleNotFound
    from skerry.sync.client.device import Device
    from skerry.sync.client.running import running_bundle

    device = Device(folder.resolve())
    try:
        place, digest = running_bundle(device)
    except BundleNotFound as error:
        raise BundleRefused(error.what, hint=error.hint) from error
    except BundleError as error:
        raise BundleRefused(error.what, hint="heal it: `skerry sync apply --verify`") from error
    return DeviceBundle(device.folder, place, digest)
