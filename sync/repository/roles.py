"""The signed metadata of a repository on the operator's disk, every version, and drafts of more.

A draft is the next version of a role while it waits for signatures; it is a plain TUF file, so that
it can be carried to where a key is and back. Nothing here signs or decides.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, Root, Signed, Snapshot, Targets, Timestamp
from tuf.api.serialization import DeserializationError

from skerry.sync.durable import make_folder, write_file
from skerry.sync.errors import RepositoryFault

ONLINE = (Snapshot.type, Timestamp.type)

T = TypeVar("T", Root, Snapshot, Targets, Timestamp)


class Roles:
    """The metadata below `folder`."""

    def __init__(self, folder: Path) -> None:
        self.signed = folder / "metadata"
        self.drafts = folder / "drafts"

    def versions(self, role: str) -> list[int]:
        """Versions that were signed, oldest first."""
        found = (path.name.split(".", 1) for path in self.signed.glob(f"*.{role}.json"))
        return sorted(int(number) for number, rest in found if rest == f"{role}.json")

    def path(self, role: str, version: int) -> Path:
        return self.signed / f"{version}.{role}.json"

    def current(self, role: str, kind: type[T]) -> Metadata[T] | None:
        """The newest signed version of a role; None where there is none."""
        versions = self.versions(role)
        return load(self.path(role, versions[-1]), kind) if versions else None

    def required(self, role: str, kind: type[T]) -> Metadata[T]:
        """The newest signed version; raises RepositoryFault where there is none."""
        found = self.current(role, kind)
        if found is None:
            what = f"the repository has no signed '{role}' yet"
            raise RepositoryFault(what, hint="sign the drafts: `skerry sync sign`")
        return found

    def draft(self, role: str) -> Metadata[Any] | None:
        """What waits for signatures; None where nothing does."""
        path = self.draft_path(role)
        return load(path, kind_of(role)) if path.is_file() else None

    def draft_path(self, role: str) -> Path:
        return self.drafts / f"{role}.json"

    def drafted(self) -> list[str]:
        """Roles that have a draft, in the order in which they are released."""
        found = [path.stem for path in self.drafts.glob("*.json") if not path.name.startswith(".")]
        return sorted(found, key=lambda role: (role != Root.type, role != Targets.type, role))

    def save_draft(self, role: str, metadata: Metadata[Any]) -> None:
        make_folder(self.drafts)
        write_file(self.draft_path(role), metadata.to_bytes())

    def keep(self, role: str, metadata: Metadata[Any]) -> None:
        """Takes a version whose signatures are complete; its draft goes."""
        make_folder(self.signed)
        write_file(self.path(role, metadata.signed.version), metadata.to_bytes())
        self.drop_draft(role)

    def drop_draft(self, role: str) -> None:
        self.draft_path(role).unlink(missing_ok=True)


def load(path: Path, kind: type[T]) -> Metadata[T]:
    """A metadata file of that kind.

    Raises:
        RepositoryFault: it cannot be read, or is none of that kind.
    """
    try:
        found: Metadata[Any] = Metadata.from_bytes(path.read_bytes())
    except (OSError, DeserializationError, RepositoryError) as error:
        raise RepositoryFault(f"'{path}' is no metadata that can be used: {error}") from error
    if not isinstance(found.signed, kind):
        raise RepositoryFault(f"'{path}' is {found.signed.type} metadata, not {kind.type}")
    return found


def kind_of(role: str) -> type[Any]:
    """What metadata a role signs; every delegated role signs targets."""
    kinds: dict[str, type[Signed]] = {one.type: one for one in (Root, Snapshot, Timestamp)}
    return kinds.get(role, Targets)


def expires_in(days: int) -> datetime:
    """The moment that many days from now, to the second."""
    return (datetime.now(UTC) + timedelta(days=days)).replace(microsecond=0)
