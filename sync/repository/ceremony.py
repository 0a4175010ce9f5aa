"""Keys come and go, roles are given away, and drafts are signed where the keys are.

An offline key never meets the repository: a draft is carried to it as a file, read there, signed,
and carried back; only signatures are taken from what comes back.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
from securesystemslib.signer import SSlibKey
from tuf.api.metadata import Metadata, Root, Targets

from skerry.sync.durable import write_file
from skerry.sync.errors import KeyFault, RepositoryFault
from skerry.sync.names import word
from skerry.sync.repository.create import RESERVED, check_role, delegate, make_key
from skerry.sync.repository.keys import Secrets, import_token, load_file
from skerry.sync.repository.repository import Repository
from skerry.sync.repository.roles import ONLINE, kind_of, load


def add_key(repository: Repository, role: str, secrets: Secrets, uri: str = "") -> str:
    """Drafts that a further key signs for `role`: a new file, or the key on a token that `uri`
    names. Gives its id.

    Raises:
        RepositoryFault: there is no such role.
        KeyFault: the key cannot be had.
    """
    repository.keys_of(role)  # raises where there is no such role
    where, key = import_token(uri, secrets) if uri else _new_file(repository, role, secrets)
    _remember(repository, where, key)
    _change(repository, role, add=key)
    return key.keyid


def revoke_key(repository: Repository, role: str, key_id: str) -> str:
    """Drafts that a key, by the beginning of its id, signs for `role` no more. Gives its id.

    Raises:
        RepositoryFault: the role would have fewer keys than must sign.
        KeyFault: it has no such key, or several.
    """
    found = [one for one in repository.keys_of(role) if one.startswith(key_id)]
    if len(found) != 1 or not key_id:
        what = f"'{role}' has {len(found) or 'no'} keys that begin with '{key_id}'"
        raise KeyFault(what, hint="see `skerry sync keys`")
    _change(repository, role, revoke=found[0])
    return found[0]


def rotate_key(
    repository: Repository, role: str, key_id: str, secrets: Secrets, uri: str = ""
) -> str:
    """Drafts that a new key takes the place of an old one. Gives the new one's id."""
    made = add_key(repository, role, secrets, uri)
    revoke_key(repository, role, key_id)
    return made


def set_threshold(repository: Repository, role: str, threshold: int) -> None:
    """Drafts how many keys of `role` must sign.

    Raises:
        RepositoryFault: it has fewer keys than that.
    """
    keys = len(repository.keys_of(role))
    if not 1 <= threshold <= keys:
        what = f"'{role}' cannot need {threshold} of {keys} keys"
        raise RepositoryFault(what, hint="add keys first: `skerry sync keys add`")
    _change(repository, role, threshold=threshold)


def add_role(
    repository: Repository, role: str, secrets: Secrets, *, bundles: str = "*", uri: str = ""
) -> str:
    """Drafts a channel, or a device class of one (`CHANNEL.CLASS`) that signs for the bundles whose
    names match `bundles`. Gives the id of its key.

    Raises:
        RepositoryFault: there is one of that name, or it is no name for one.
    """
    check_role(role)
    if role in repository.channels():
        raise RepositoryFault(f"the repository has a role '{role}' already")
    if "." in role and role.split(".", 1)[0] not in repository.channels():
        raise RepositoryFault(f"there is no channel '{role.split('.', 1)[0]}' for '{role}'")
    word(bundles.replace("*", "") or "any", "pattern of bundles")
    where, key = import_token(uri, secrets) if uri else _new_file(repository, role, secrets)
    _remember(repository, where, key)
    with repository.draft(Targets.type, Targets) as targets:
        delegate(targets, role, [key], 1, bundles)
    with repository.draft(role, Targets):
        pass
    return key.keyid


def sign_file(path: Path, key: Path, secrets: Secrets) -> str:
    """Adds the signature of an encrypted key file to a draft that was carried here. Gives the key's
    id.

    Raises:
        RepositoryFault: it is no draft.
        KeyFault: the key cannot be opened.
    """
    metadata = read_draft(path)
    signer = load_file(key, secrets)
    metadata.sign(signer, append=True)
    write_file(path, metadata.to_bytes())
    return signer.public_key.keyid


def read_draft(path: Path) -> Metadata[Any]:
    """A draft that was carried here."""
    return load(path, kind_of(_role_of(path)))


def bring_back(repository: Repository, path: Path) -> int:
    """Takes the signatures of a draft that was carried away; says how many are new.

    Raises:
        RepositoryFault: there is no such draft any more, or it has changed since.
    """
    role = _role_of(path)
    draft, brought = repository.roles.draft(role), read_draft(path)
    if draft is None or draft.signed_bytes != brought.signed_bytes:
        what = f"'{path}' is not the draft of '{role}' that the repository has"
        raise RepositoryFault(what, hint="carry the present draft away again")
    keys = repository._signing_keys(role)
    new = 0
    for key_id, signature in brought.signatures.items():
        if key_id in keys and key_id not in draft.signatures:
            try:
                keys[key_id].verify_signature(signature, draft.signed_bytes)
            except Exception as error:  # each kind of key has errors of its own
                raise KeyFault(f"the signature of {key_id[:12]} is wrong: {error}") from error
            draft.signatures[key_id] = signature
            new += 1
    repository.roles.save_draft(role, draft)
    return new


def _role_of(path: Path) -> str:
    return path.name.removesuffix(".json")


def _new_file(repository: Repository, role: str, secrets: Secrets) -> tuple[str, SSlibKey]:
    number = 1
    while (repository.folder / "keys" / f"{role}-{number}.pem").exists():
        number += 1
    return make_key(repository.folder, f"{role}-{number}", secrets)


def _remember(repository: Repository, uri: str, key: SSlibKey) -> None:
    settings = repository.settings
    keys = {**settings.keys, key.keyid: uri}
    repository.save_settings(msgspec.structs.replace(settings, keys=keys))


def _change(
    repository: Repository,
    role: str,
    *,
    add: SSlibKey | None = None,
    revoke: str = "",
    threshold: int = 0,
) -> None:
    """Drafts it where the keys of `role` are named, and `role` anew: its old signatures may not do
    any more."""
    name = Root.type if role in RESERVED else Targets.type
    with repository.draft(name, kind_of(name)) as above:
        assert isinstance(above, Root | Targets)
        if add:
            above.add_key(add, role)
        if revoke:
            above.revoke_key(revoke, role)
        found = above.get_delegated_role(role)
        found.threshold = threshold or found.threshold
        if len(found.keyids) < found.threshold:
            what = f"'{role}' would have {len(found.keyids)} keys, and needs {found.threshold}"
            raise RepositoryFault(what, hint="add a key first, or lower the threshold")
    if role not in (Root.type, *ONLINE):
        with repository.draft(role, Targets):
            pass
