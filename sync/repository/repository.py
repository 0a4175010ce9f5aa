"""A repository on the operator's disk: drafts, signatures, and the release of what is complete.

Every change goes one way: `draft` makes the next version of a role, `sign` adds a signature, and
`release` takes what has enough of them, makes snapshot and timestamp, and serves it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from securesystemslib.signer import Key, Signer
from tuf.api.metadata import (
    Metadata,
    MetaFile,
    Root,
    Snapshot,
    Targets,
    Timestamp,
)

from skerry.sync.durable import locked
from skerry.sync.errors import KeyFault, RepositoryFault
from skerry.sync.names import METADATA
from skerry.sync.repository import settings as settings_file
from skerry.sync.repository.keys import Secrets, open_signer
from skerry.sync.repository.roles import ONLINE, Roles, expires_in, kind_of
from skerry.sync.repository.settings import Settings
from skerry.sync.repository.store import Store, open_store

T = TypeVar("T", Root, Snapshot, Targets, Timestamp)


class Repository:
    """The repository in `folder`.

    Args:
        folder: made by `create`.
        settings: its `repository.json`.
        secrets: gives passphrases and PINs; asked once for each key.
        store: what serves it; None takes the one that the settings name.
    """

    def __init__(
        self, folder: Path, settings: Settings, secrets: Secrets, store: Store | None = None
    ) -> None:
        self.folder = folder
        self.settings = settings
        self.roles = Roles(folder)
        self.store = store or open_store(settings.store, folder / "public")
        self._secrets = secrets
        self._signers: dict[str, Signer] = {}

    def root(self) -> Root:
        return self.roles.required(Root.type, Root).signed

    def targets(self, role: str = Targets.type) -> Targets:
        """What the newest signed version of a role holds."""
        return self.roles.required(role, Targets).signed

    def channels(self) -> list[str]:
        """Delegated roles, the first to be asked first."""
        found = self.targets().delegations
        return list(found.roles or {}) if found else []

    def until(self, role: str) -> datetime:
        """When the newest signatures of a role run out."""
        expires: datetime = self.roles.required(role, kind_of(role)).signed.expires
        return expires

    def delegator(self, role: str) -> Root | Targets:
        """Whose metadata says which keys sign for `role`; of drafts where there is one."""
        top = {Root.type, Targets.type, *ONLINE}
        name = Root.type if role in top else Targets.type
        drafted = self.roles.draft(name)
        signed = drafted.signed if drafted else self.roles.required(name, kind_of(name)).signed
        assert isinstance(signed, Root | Targets)
        return signed

    def keys_of(self, role: str) -> dict[str, Key]:
        """The public keys of a role by their ids."""
        above = self.delegator(role)
        try:
            ids = above.get_delegated_role(role).keyids
        except ValueError:
            what = f"the repository has no role '{role}'"
            hint = f"it has: {', '.join(('root', 'targets', *ONLINE, *self.channels()))}"
            raise RepositoryFault(what, hint=hint) from None
        return {one: above.get_key(one) for one in ids}

    @contextmanager
    def draft(self, role: str, kind: type[T]) -> Iterator[T]:
        """The next version of a role, to be changed; kept as a draft without signatures.

        A draft that is there is changed further. Nothing is kept where the block raises.
        """
        metadata = self.roles.draft(role) or self._next(role, kind)
        signed = metadata.signed
        assert isinstance(signed, kind)
        yield signed
        signed.expires = expires_in(self.settings.expiry_days.days(role))
        metadata.signatures.clear()
        self.roles.save_draft(role, metadata)

    def _next(self, role: str, kind: type[T]) -> Metadata[T]:
        found = self.roles.current(role, kind)
        if found is None:
            return Metadata(kind())
        found.signed.version += 1
        return found

    def sign(self, role: str) -> int:
        """Signs the draft of `role` with the keys that can be had here; says how many were."""
        metadata = self.roles.draft(role)
        if metadata is None:
            raise RepositoryFault(f"there is no draft of '{role}'", hint="see `skerry sync sign`")
        signed = self._sign(role, metadata)
        self.roles.save_draft(role, metadata)
        return signed

    def _sign(self, role: str, metadata: Metadata[Any]) -> int:
        keys = self._signing_keys(role)
        done = 0
        for key_id, key in keys.items():
            if key_id in self.settings.keys and (signer := self._signer(key_id, key)) is not None:
                metadata.sign(signer, append=True)
                done += 1
        return done

    def _signing_keys(self, role: str) -> dict[str, Key]:
        """Of a role; of root those of the version before, too, which must agree."""
        keys = self.keys_of(role)
        if role == Root.type and (before := self.roles.current(Root.type, Root)):
            ids = before.signed.roles[Root.type].keyids
            keys |= {one: before.signed.keys[one] for one in ids}
        return keys

    def _signer(self, key_id: str, key: Key) -> Signer | None:
        """None where the file is not here: it is kept elsewhere."""
        if key_id not in self._signers:
            uri = self.settings.keys[key_id]
            scheme, _, path = uri.partition(":")
            if scheme == "encrypted":
                if not (self.folder / path).is_file():
                    return None
                uri = f"{scheme}:{self.folder / path}"
            self._signers[key_id] = open_signer(uri, key, self._secrets)
        return self._signers[key_id]

    def missing(self, role: str) -> int:
        """How many signatures the draft of `role` still needs."""
        metadata = self.roles.draft(role)
        assert metadata is not None, "a draft is there"
        return self._missing(role, metadata)

    def _missing(self, role: str, metadata: Metadata[Any]) -> int:
        data, signatures = metadata.signed_bytes, metadata.signatures
        if role == Root.type:
            before = self.roles.current(Root.type, Root)
            old = before.signed if before else None
            found = metadata.signed.get_root_verification_result(old, data, signatures)
            return int(max(found.first.missing, found.second.missing))
        delegator = self.delegator(role)
        return int(delegator.get_verification_result(role, data, signatures).missing)

    def release(self) -> list[str]:
        """Takes every draft, when all of them have enough signatures; serves the result.

        Returns:
            The roles that have a new version, in order.

        Raises:
            KeyFault: a draft, or the snapshot or timestamp, lacks signatures. Nothing was served.
            StoreFault: the store did not take it; the same call goes on later.
        """
        released = self.roles.drafted()
        for role in released:
            if lacking := self.missing(role):
                raise _lacking(role, lacking)
        if Snapshot.type not in released:
            released += self._online()
        for role in [*released]:
            if (metadata := self.roles.draft(role)) is not None:
                self.roles.keep(role, metadata)
        self.serve()
        return released

    def refresh(self) -> list[str]:
        """Signs snapshot and timestamp anew, so that they do not run out; serves them."""
        self._online()
        for role in ONLINE:
            draft = self.roles.draft(role)
            assert draft is not None, "it was drafted"
            self.roles.keep(role, draft)
        self.serve()
        return [*ONLINE]

    def _online(self) -> list[str]:
        """Drafts and signs the next snapshot and timestamp, of what is signed or drafted."""
        for role in ONLINE:
            self.roles.drop_draft(role)
        with self.draft(Snapshot.type, Snapshot) as snapshot:
            # a role that was taken away stays listed: devices refuse a snapshot that lacks one
            snapshot.meta |= {f"{role}.json": self._meta(role) for role in self._target_roles()}
        with self.draft(Timestamp.type, Timestamp) as timestamp:
            timestamp.snapshot_meta = MetaFile(snapshot.version)
        for role in ONLINE:
            self.sign(role)
            if lacking := self.missing(role):
                raise _lacking(role, lacking)
        return [*ONLINE]

    def _target_roles(self) -> list[str]:
        delegations = self.delegator("").delegations  # type: ignore[union-attr]
        return [Targets.type, *(delegations.roles or {} if delegations else {})]

    def _meta(self, role: str) -> MetaFile:
        metadata = self.roles.draft(role) or self.roles.required(role, Targets)
        return MetaFile(metadata.signed.version)

    def serve(self) -> None:
        """Puts all signed metadata into the store, timestamp last. May be run again."""
        for version in self.roles.versions(Root.type):
            self._put(f"{version}.root.json", self.roles.path(Root.type, version))
        snapshot = self.roles.required(Snapshot.type, Snapshot).signed
        for file, meta in snapshot.meta.items():
            role = file.removesuffix(".json")
            self._put(f"{meta.version}.{file}", self.roles.path(role, meta.version))
        path = self.roles.path(Snapshot.type, snapshot.version)
        self._put(f"{snapshot.version}.snapshot.json", path)
        newest = self.roles.versions(Timestamp.type)[-1]
        self.store.put(
            f"{METADATA}/timestamp.json", self.roles.path(Timestamp.type, newest).read_bytes()
        )

    def _put(self, name: str, path: Path) -> None:
        """Versions never change, so that one that is there is left alone."""
        data = path.read_bytes()
        if self.store.get(f"{METADATA}/{name}") != data:
            self.store.put(f"{METADATA}/{name}", data)

    def save_settings(self, settings: Settings) -> None:
        settings_file.write(self.folder, settings)
        self.settings = settings


@contextmanager
def open_repository(
    folder: Path, secrets: Secrets, store: Store | None = None
) -> Iterator[Repository]:
    """The repository in `folder`, for this process alone.

    Raises:
        RepositoryFault: there is none, it cannot be used, or another process changes it.
    """
    folder = folder.resolve()
    settings = settings_file.read(folder)
    with locked(folder / ".lock") as mine:
        if not mine:
            what = f"another process changes the repository '{folder}'"
            raise RepositoryFault(what, hint="wait for it to end")
        yield Repository(folder, settings, secrets, store)


def _lacking(role: str, count: int) -> KeyFault:
    what = f"'{role}' needs {count} more signature{'s' if count > 1 else ''}"
    return KeyFault(what, hint="carry the draft to its keys: `skerry sync sign --help`")
