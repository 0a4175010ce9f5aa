"""What the tar of a version holds: what `skerry sync import` needs, as the repository serves it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from skerry.sync.hawkbit.tar import Member, VirtualTar
from skerry.sync.names import METADATA, OBJECTS, hashed, object_path
from skerry.sync.rollouts.plan import Version

_VERSIONED = re.compile(r"(\d+)\.(.+)\.json")
_HEX = re.compile(r"[0-9a-f]{64}")
_MOST_METADATA = 8 << 20
_MOST_BUNDLE = 4 << 20


class NotPublished(Exception):
    """The repository has not all of the version."""


def signed_of(repository: Path, version: Version) -> dict[str, bytes]:
    """What changes when something is signed anew, by path: every root, the newest metadata of each
    other role, and which version of the bundle is the latest.

    Raises:
        NotPublished: there is none.
    """
    newest: dict[str, int] = {}
    chosen = []
    for path in sorted((repository / METADATA).glob("*.json")):
        found = _VERSIONED.fullmatch(path.name)
        if found is None or found[2] == "root":
            chosen.append(path.name)
        else:
            newest[found[2]] = max(int(found[1]), newest.get(found[2], 0))
    chosen += [f"{number}.{role}.json" for role, number in newest.items()]
    if "timestamp.json" not in chosen:
        raise NotPublished(f"'{repository}' is no repository")
    folder = (repository / hashed(version.target, version.digest)).parent.parent
    paths = [repository / METADATA / name for name in chosen]
    paths += folder.glob("*.latest.json")
    return {path.relative_to(repository).as_posix(): _small(path, _MOST_METADATA) for path in paths}


def tar_of(repository: Path, version: Version, signed: Mapping[str, bytes]) -> VirtualTar:
    """The tar of a version, with what was signed when it was first asked for (`signed_of`).

    Raises:
        NotPublished: a file of the version is not there.
    """
    return VirtualTar(list(_members(repository, version, signed)))


def _members(repository: Path, version: Version, signed: Mapping[str, bytes]) -> Iterator[Member]:
    for path, content in sorted(signed.items()):
        yield Member(path, content, len(content))
    target = hashed(version.target, version.digest)
    content = _small(repository / target, _MOST_BUNDLE)
    yield Member(target, content, len(content))
    for digest in _digests(content):
        file = repository / object_path(digest)
        if not file.is_file():
            raise NotPublished(
                f"the content {digest[:12]} of '{version.target}' is not in {OBJECTS}"
            )
        yield Member(object_path(digest), file, file.stat().st_size)


def _digests(bundle: bytes) -> list[str]:
    try:
        found = sorted({str(one["sha256"]) for one in json.loads(bundle)["files"]})
    except (ValueError, KeyError, TypeError, RecursionError):
        raise NotPublished("its bundle.json is none") from None
    if not all(_HEX.fullmatch(one) for one in found):
        raise NotPublished("its bundle.json names what is no digest")
    return found


def _small(path: Path, most: int) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(most + 1)
    except OSError as error:
        raise NotPublished(f"'{path.name}' cannot be read: {error.strerror}") from None
    if len(content) > most:
        raise NotPublished(f"'{path.name}' is too large")
    return content
