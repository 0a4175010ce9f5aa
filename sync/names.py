"""Where things lie in a published repository: the same on disk, in a bucket and behind a URL.

```
metadata/        root, targets, snapshot, timestamp and the roles of channels, signed
targets/         bundle.json of every version, by path and digest
objects/ab/…     content of bundles, by SHA-256
deltas/OLD/…     from one content to another, by both digests
```
"""

from __future__ import annotations

import re

from skerry.sync.errors import RepositoryFault

METADATA = "metadata"
TARGETS = "targets"
OBJECTS = "objects"
DELTAS = "deltas"
LATEST = "latest.json"

_WORD = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$")


def object_path(sha256: str) -> str:
    """Where the content of that digest lies."""
    return f"{OBJECTS}/{sha256[:2]}/{sha256}"


def delta_path(old: str, new: str) -> str:
    """Where the delta between two contents lies."""
    return f"{DELTAS}/{old}/{new}.skd"


def version_target(channel: str, name: str, version: str) -> str:
    """The target of a version of a bundle."""
    return f"{channel}/{name}/{version}/bundle.json"


def latest_target(channel: str, name: str) -> str:
    """The target whose metadata says which version the channel has now."""
    return f"{channel}/{name}/{LATEST}"


def hashed(target: str, sha256: str) -> str:
    """Where a target's content lies: with its digest before its name (consistent snapshots)."""
    folder, _, name = target.rpartition("/")
    return f"{TARGETS}/{folder}/{sha256}.{name}"


def word(text: str, what: str) -> str:
    """`text`, where it may be a part of a path.

    Raises:
        RepositoryFault: it may not.
    """
    if not _WORD.match(text):
        hint = "use letters, digits, '.', '_', '+' and '-', at most 64"
        raise RepositoryFault(f"'{text[:80]}' cannot be a {what}", hint=hint)
    return text
