"""What serves a repository: anything that keeps bytes by name. A folder is one; so is a bucket.

The store is not trusted: devices compare every byte with signed digests. Names are those of
`skerry.sync.names`.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Protocol

from skerry.sync.durable import make_folder, sync_file, sync_folder, write_file
from skerry.sync.errors import StoreFault


class Store(Protocol):
    """Keeps bytes by name. All methods raise StoreFault where the store does not do it."""

    def put(self, name: str, data: bytes) -> None:
        """Puts `data` in the place of what is there."""
        ...

    def put_file(self, name: str, path: Path) -> None:
        """Puts a file of any size."""
        ...

    def get(self, name: str) -> bytes | None:
        """The bytes; None where there are none."""
        ...

    def file(self, name: str, out: Path) -> Path:
        """A file on this machine with these bytes: the store's own, or else `out`, written anew."""
        ...

    def size(self, name: str) -> int | None:
        """How many bytes there are; None where there are none."""
        ...

    def names(self, prefix: str) -> list[str]:
        """Names that begin with the folder `prefix`, sorted."""
        ...

    def delete(self, name: str) -> None:
        """Removes it; nothing where it is not there."""
        ...


class FolderStore:
    """A folder that a web server or a stick carries."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, name: str, data: bytes) -> None:
        try:
            make_folder((self.folder / name).parent)
            write_file(self.folder / name, data)
        except OSError as error:
            raise self._fault(name, error) from error

    def put_file(self, name: str, path: Path) -> None:
        target = self.folder / name
        partial = target.with_name(f".{target.name}.new")
        try:
            make_folder(target.parent)
            try:
                shutil.copyfile(path, partial)
                sync_file(partial)
                partial.replace(target)
            finally:
                partial.unlink(missing_ok=True)
            sync_folder(target.parent)
        except OSError as error:
            raise self._fault(name, error) from error

    def get(self, name: str) -> bytes | None:
        try:
            return (self.folder / name).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._fault(name, error) from error

    def file(self, name: str, out: Path) -> Path:
        del out
        path = self.folder / name
        if not path.is_file():
            raise StoreFault(f"'{name}' is not in '{self.folder}'", hint="publish it again")
        return path

    def size(self, name: str) -> int | None:
        try:
            return (self.folder / name).stat().st_size
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._fault(name, error) from error

    def names(self, prefix: str) -> list[str]:
        found = (path for path in (self.folder / prefix).rglob("*") if path.is_file())
        return sorted(path.relative_to(self.folder).as_posix() for path in found)

    def delete(self, name: str) -> None:
        try:
            (self.folder / name).unlink(missing_ok=True)
        except OSError as error:
            raise self._fault(name, error) from error

    def _fault(self, name: str, error: OSError) -> StoreFault:
        what = f"'{name}' in '{self.folder}': {error.strerror or error}"
        return StoreFault(what, hint="check the disk's room and rights, and run it again")


def open_store(url: str, public: Path) -> Store:
    """The store at `url`; the folder `public` where it is empty.

    Raises:
        StoreFault: there is no such kind of store, or its library is missing.
    """
    if not url:
        return FolderStore(public)
    if "://" not in url:
        return FolderStore(Path(url))
    from skerry.sync.repository.object_store import ObjectStore

    return ObjectStore.at(url)
