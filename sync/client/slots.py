"""Two places for bundles. One runs; the other is built beside it, and was compared byte by byte.

Files are hard links to `objects/`, or copies where the system has no links. A slot gets its name
when all of it is on the disk.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from skerry.bundles import Bundle, BundleError, Manifest, open_bundle, verify_bundle
from skerry.bundles.hashing import Told, unheard
from skerry.bundles.manifest import MANIFEST
from skerry.sync.client import pointer
from skerry.sync.client.device import Device
from skerry.sync.client.objects import Objects
from skerry.sync.durable import (
    NO_ROOM,
    make_folder,
    remove_tree,
    sync_file,
    sync_folder,
    write_file,
)


class Slots:
    """The slots of a device."""

    def __init__(self, device: Device, objects: Objects) -> None:
        self._device = device
        self._objects = objects

    def folder(self, slot: str) -> Path:
        return self._device.slots / slot

    def current(self) -> str | None:
        """The slot that `current` names; None where it names none."""
        return pointer.read(self._device.current)

    def switch(self, slot: str) -> None:
        """Makes `current` name `slot`, in one step."""
        pointer.switch(self._device.current, slot)

    def bundle(self, slot: str) -> Bundle | None:
        """What a slot holds, when it has its files; their bytes are not compared."""
        try:
            return open_bundle(self.folder(slot))
        except (BundleError, OSError):
            return None

    def sound(self, slot: str, digest: str = "", told: Told = unheard) -> bool:
        """Whether every byte of a slot is as its manifest says, and that is the one expected."""
        return not self.faults(slot, digest, told)

    def faults(self, slot: str, digest: str = "", told: Told = unheard) -> list[str]:
        """Paths of a slot that are not as they must be; `bundle.json` where that is."""
        try:
            found = verify_bundle(self.folder(slot), told)
        except (BundleError, OSError):
            return [MANIFEST]
        wrong = [problem.path for problem in found.problems]
        return [*wrong, MANIFEST] if digest and found.digest != digest else wrong

    def build(self, slot: str, data: bytes, manifest: Manifest) -> None:
        """Makes `slot` of the manifest, whose bytes are `data`, and content that is there.

        Raises:
            OSError: the disk is full, or content is missing; there is no such slot then.
        """
        target, partial = self.folder(slot), self._device.slots / f".{slot}"
        remove_tree(target)
        remove_tree(partial)
        make_folder(partial)
        for file in manifest.files:
            make_folder((partial / file.path).parent)
            self._put(self._objects.path(file.sha256), partial / file.path)
        write_file(partial / MANIFEST, data)
        for folder in sorted((path for path in partial.rglob("*") if path.is_dir()), reverse=True):
            sync_folder(folder)
        sync_folder(partial)
        partial.rename(target)
        sync_folder(target.parent)

    def _put(self, content: Path, path: Path) -> None:
        try:
            os.link(content, path)
        except OSError as error:
            if not content.is_file() or error.errno in NO_ROOM:
                raise
            shutil.copyfile(content, path)
            sync_file(path)

    def remove(self, slot: str) -> None:
        """Empties a slot."""
        remove_tree(self.folder(slot))
        remove_tree(self._device.slots / f".{slot}")

    def contents(self) -> set[str]:
        """Digests of what the slots use."""
        bundles = (self.bundle(slot) for slot in pointer.SLOTS)
        return {file.sha256 for one in bundles if one for file in one.manifest.files}


def other(slot: str | None) -> str:
    """The slot beside `slot`; the first where there is none."""
    return "b" if slot == "a" else "a"
