"""Makes a repository: keys, the first root, roles of channels, snapshot and timestamp."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from securesystemslib.signer import SSlibKey
from tuf.api.metadata import DelegatedRole, Delegations, Root, Snapshot, Targets, Timestamp

from skerry.sync.durable import make_folder
from skerry.sync.errors import RepositoryFault
from skerry.sync.names import word
from skerry.sync.repository import settings as settings_file
from skerry.sync.repository.keys import Secrets, import_token, make_file
from skerry.sync.repository.repository import Repository
from skerry.sync.repository.settings import Expiry, Settings
from skerry.sync.repository.store import Store

TOP = (Root.type, Targets.type, Snapshot.type, Timestamp.type)
RESERVED = frozenset(TOP)


@dataclass(frozen=True, slots=True)
class Layout:
    """What a new repository is like. `keys` and `threshold` count by role, one each by default;
    `tokens` names keys on PKCS#11 tokens by role, which take the place of files."""

    channels: tuple[str, ...] = ("stable",)
    keys: dict[str, int] = field(default_factory=dict)
    threshold: dict[str, int] = field(default_factory=dict)
    tokens: dict[str, tuple[str, ...]] = field(default_factory=dict)
    expiry_days: Expiry = field(default_factory=Expiry)
    store: str = ""


def create(
    folder: Path, layout: Layout, secrets: Secrets, *, store: Store | None = None
) -> Repository:
    """Makes the repository in `folder` and serves it, empty.

    Raises:
        RepositoryFault: there is something at `folder`, or the layout cannot be.
        KeyFault: a key cannot be made.
        StoreFault: the store does not take it.
        OSError: the folder cannot be written.
    """
    _check(folder, layout)
    make_folder(folder)
    folder = folder.resolve()
    repository = Repository(folder, Settings(store=layout.store), secrets, store)
    made = {role: _make_keys(repository, role, layout, secrets) for role in _roles(layout)}
    uris = {key.keyid: uri for keys in made.values() for uri, key in keys}
    settings = Settings(keys=uris, expiry_days=layout.expiry_days, store=layout.store)
    repository.settings = settings
    with repository.draft(Root.type, Root) as root:
        root.consistent_snapshot = True
        for role in TOP:
            for _, key in made[role]:
                root.add_key(key, role)
            root.roles[role].threshold = layout.threshold.get(role, 1)
    with repository.draft(Targets.type, Targets) as targets:
        for channel in layout.channels:
            keys = [key for _, key in made[channel]]
            delegate(targets, channel, keys, layout.threshold.get(channel, 1))
    for channel in layout.channels:
        with repository.draft(channel, Targets):
            pass
    for role in repository.roles.drafted():
        repository.sign(role)
    repository.release()
    settings_file.write(folder, settings)  # last: a folder without it is no repository
    return repository


def delegate(
    targets: Targets, role: str, keys: list[SSlibKey], threshold: int, bundles: str = "*"
) -> None:
    """Lets `role` sign versions of bundles.

    `role` is a channel, or `CHANNEL.CLASS` for a device class: the bundles of that channel whose
    names match `bundles`, for which the channel's own role is then not asked.
    """
    channel = role.split(".", 1)[0]
    if targets.delegations is None:
        targets.delegations = Delegations({}, {})
    paths = [f"{channel}/{bundles}/*/bundle.json", f"{channel}/{bundles}/latest.json"]
    delegated = DelegatedRole(role, [], threshold, terminating=True, paths=paths)
    known = targets.delegations.roles or {}
    narrow = {role: delegated} if "." in role else {}
    wide = {} if "." in role else {role: delegated}
    targets.delegations.roles = {**narrow, **known, **wide}
    for key in keys:
        targets.add_key(key, role)


def _roles(layout: Layout) -> tuple[str, ...]:
    return (*TOP, *layout.channels)


def _make_keys(
    repository: Repository, role: str, layout: Layout, secrets: Secrets
) -> list[tuple[str, SSlibKey]]:
    """By role: where each key is, and its public half."""
    if tokens := layout.tokens.get(role, ()):
        return [import_token(uri, secrets) for uri in tokens]
    count = range(1, layout.keys.get(role, 1) + 1)
    return [make_key(repository.folder, f"{role}-{number}", secrets) for number in count]


def make_key(folder: Path, name: str, secrets: Secrets) -> tuple[str, SSlibKey]:
    """A new key in the folder `keys/`: where it is, and its public half."""
    make_folder(folder / "keys")
    path = f"keys/{name}.pem"
    return f"encrypted:{path}", make_file(folder / path, secrets)


def _check(folder: Path, layout: Layout) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        what = f"there is something at '{folder}' already"
        raise RepositoryFault(what, hint="give a folder that does not exist yet")
    if not layout.channels:
        raise RepositoryFault("a repository needs a channel", hint="give --channel NAME")
    for channel in layout.channels:
        check_role(channel)
        if "." in channel:
            raise RepositoryFault(f"'{channel}' is the name of a device class, not of a channel")
    for role, threshold in layout.threshold.items():
        have = len(layout.tokens.get(role, ())) or layout.keys.get(role, 1)
        if not 1 <= threshold <= have:
            what = f"'{role}' cannot need {threshold} of {have} keys"
            raise RepositoryFault(what, hint="give it more keys, or a lower threshold")
    days = msgspec.to_builtins(layout.expiry_days)
    if wrong := [role for role, count in days.items() if not 1 <= count <= 36500]:
        raise RepositoryFault(f"the expiry of '{wrong[0]}' is not from 1 to 36500 days")


def check_role(role: str) -> None:
    """Raises RepositoryFault where a delegated role may not have that name."""
    word(role, "channel")
    if role.split(".", 1)[0] in RESERVED:
        raise RepositoryFault(f"'{role}' is the name of one of the repository's own roles")
