"""Checks before a rollout starts that the server can make itself, from the published repository.

`deltas`: devices are never offered a version whose deltas are still to be made. The folder or the
base URL of the repository is laid out as docs/sync.md says; what is read is not trusted for more
than this check. Other gates, such as `evaluation`, are told by whoever ran them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

from skerry.sync.names import DELTA_FROM_BYTES, delta_path
from skerry.sync.rollouts.plan import Plan, Version
from skerry.sync.rollouts.rollout import GateResult
from skerry.sync.server.errors import Refusal

DELTAS = "deltas"
_BY = "server"
_MOST_BYTES = 4 << 20
_TIMEOUT_S = 10.0


class Repository(Protocol):
    """Reads what is published. Raises OSError where it cannot be asked."""

    def read(self, path: str) -> bytes | None:
        """A small file; None: it is not there."""
        ...

    def has(self, path: str) -> bool: ...


class Folder:
    """A repository on this machine."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def read(self, path: str) -> bytes | None:
        try:
            with (self._root / path).open("rb") as file:
                return file.read(_MOST_BYTES)
        except FileNotFoundError:
            return None

    def has(self, path: str) -> bool:
        return (self._root / path).is_file()


class Web:
    """A repository behind a URL."""

    def __init__(self, base: str) -> None:
        self._base = base.rstrip("/")

    def read(self, path: str) -> bytes | None:
        import httpx2

        try:
            answer = httpx2.get(f"{self._base}/{path}", timeout=_TIMEOUT_S, follow_redirects=True)
        except httpx2.HTTPError as error:
            raise OSError(f"{self._base} cannot be asked: {error}") from error
        if answer.status_code == 404:
            return None
        if answer.status_code != 200:
            raise OSError(f"{self._base}/{path}: HTTP {answer.status_code}")
        return answer.content[:_MOST_BYTES]

    def has(self, path: str) -> bool:
        import httpx2

        try:
            answer = httpx2.head(f"{self._base}/{path}", timeout=_TIMEOUT_S, follow_redirects=True)
        except httpx2.HTTPError as error:
            raise OSError(f"{self._base} cannot be asked: {error}") from error
        return answer.status_code == 200


class Gates:
    """Those that can be checked here; with no repository, none."""

    def __init__(self, repository: Repository | None = None) -> None:
        self._repository = repository

    def check(self, plan: Plan, now: float) -> Iterator[tuple[str, GateResult]]:
        """The gates of the plan that the server checks, with what it found."""
        if DELTAS not in plan.gates or self._repository is None:
            return
        try:
            missing = _missing(self._repository, plan)
        except (OSError, ValueError) as error:
            yield DELTAS, GateResult(False, f"cannot be checked: {error}"[:300], _BY, now)
            return
        what = "every file that changed has its delta"
        if missing:
            what = f"{len(missing)} deltas are missing, first: {missing[0]}"
        yield DELTAS, GateResult(not missing, what[:300], _BY, now)


def _missing(repository: Repository, plan: Plan) -> list[str]:
    """Paths of files that changed since the version before, and have no delta."""
    new = _files(repository, plan.version)
    old = _files(repository, plan.previous) if plan.previous is not None else {}
    return [
        path
        for path, (now, size) in new.items()
        if path in old and size >= DELTA_FROM_BYTES
        if (before := old[path][0]) != now and not repository.has(delta_path(before, now))
    ]


def _files(repository: Repository, version: Version) -> Mapping[str, tuple[str, int]]:
    """SHA-256 and bytes of each file of a version, by path."""
    folder, _, name = version.target.rpartition("/")
    paths = (f"targets/{folder}/{version.digest}.{name}", version.target)
    content = next((found for path in paths if (found := repository.read(path)) is not None), None)
    if content is None:
        raise ValueError(f"'{version.target}' is not published")
    try:
        files = json.loads(content)["files"]
        return {str(one["path"]): (str(one["sha256"]), int(one["size"])) for one in files}
    except (KeyError, TypeError, ValueError, RecursionError):
        raise ValueError(f"'{version.target}' is no bundle.json") from None


def of(place: str | None) -> Gates:
    """Of a repository at a folder or `https://…`; None: no gate is checked here.

    Raises:
        Refusal: it is neither.
    """
    if place is None:
        return Gates()
    if place.startswith(("http://", "https://")):
        return Gates(Web(place))
    if not Path(place).is_dir():
        raise Refusal(400, "repository", f"'{place}' is no folder")
    return Gates(Folder(Path(place)))
