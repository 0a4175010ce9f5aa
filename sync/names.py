"""Where things lie in a published repository: the same on disk, in a bucket and behind a URL.

```
metadata/        root, targets, snapshot, timestamp and the roles of channels, signed
targets/         bundle.json of every version, by path and digest
objects/ab/…     content of bundles, by SHA-256
deltas/OLD/…     from one content to another, by both digests
deltas/NEW.json  which deltas lead to a content
```
"""

from __future__ import annotations

import re
from typing import Annotated

from msgspec import Meta, Struct

from skerry.sync.errors import RepositoryFault

METADATA = "metadata"
TARGETS = "targets"
OBJECTS = "objects"
DELTAS = "deltas"
LATEST = "latest.json"
DELTA_FROM_BYTES = 64 << 10
"""Smaller files are fetched whole."""

Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
Bytes = Annotated[int, Meta(ge=0, le=1 << 50)]


class Deltas(Struct, frozen=True, forbid_unknown_fields=True):
    """Which deltas lead to a content of `size` bytes: the bytes of each, by the old content's
    SHA-256. Not signed: see `skerry.sync.client.deltas`."""

    size: Bytes
    sources: dict[Sha256, Bytes]


_WORD = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$")


def object_path(sha256: str) -> str:
    """Where the content of that digest lies."""
    return f"{OBJECTS}/{sha256[:2]}/{sha256}"


def delta_path(old: str, new: str) -> str:
    """Where the delta between two contents lies."""
    return f"{DELTAS}/{old}/{new}.skd"


def delta_index(new: str) -> str:
    """Where it is said which deltas lead to that content: see `Deltas`."""
    return f"{DELTAS}/{new}.json"


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
