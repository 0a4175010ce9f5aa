"""Content by digest. A file is in `objects/` only when all of its bytes were compared and are on
the disk; what is on its way is in `objects/incoming/`, under the digest that it is to have."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from skerry.bundles.hashing import sha256
from skerry.sync.client.device import Device
from skerry.sync.durable import make_folder, remove_tree, sync_file, sync_folder
from skerry.sync.errors import Untrusted


class Objects:
    """The content of a device."""

    def __init__(self, device: Device) -> None:
        self._folder = device.objects
        self._incoming = device.incoming

    def path(self, digest: str) -> Path:
        return self._folder / digest[:2] / digest

    def has(self, digest: str, size: int) -> bool:
        """Whether it is there with that size; its bytes are compared when a slot is built."""
        with suppress(OSError):
            return self.path(digest).stat().st_size == size
        return False

    def incoming(self, digest: str) -> Path:
        """Where it is put together."""
        return self._incoming / digest

    def incoming_size(self, digest: str) -> int:
        """How many bytes of it have come."""
        with suppress(OSError):
            return self.incoming(digest).stat().st_size
        return 0

    def take(self, digest: str, size: int) -> None:
        """Moves what has come to its place, when it is whole.

        Raises:
            Untrusted: it has other bytes; they are thrown away.
            OSError: it cannot be moved.
        """
        partial = self.incoming(digest)
        if partial.stat().st_size != size or sha256(partial) != digest:
            partial.unlink()
            what = f"what came for {digest[:12]} has other bytes than were signed"
            raise Untrusted(what, hint="it is fetched again; try another source if it stays so")
        partial.chmod(0o444)
        sync_file(partial)
        target = self.path(digest)
        make_folder(target.parent)
        partial.replace(target)
        sync_folder(target.parent)
        sync_folder(self._incoming)

    def drop(self, digest: str) -> None:
        """Throws one away, such as one that is damaged."""
        remove_tree(self.path(digest))
        remove_tree(self.incoming(digest))

    def collect(self, keep: Collection[str], incoming: Collection[str] = ()) -> int:
        """Throws away what no slot uses and what is on its way for nothing; says how many bytes."""
        freed = 0
        for path in self._all():
            kept = incoming if path.parent == self._incoming else keep
            if path.name not in kept:
                with suppress(FileNotFoundError):
                    freed += path.stat().st_size
                remove_tree(path)
        return freed

    def _all(self) -> list[Path]:
        folders = [one for one in self._folder.glob("*") if one.is_dir()]
        return sorted(path for folder in folders for path in folder.iterdir())
