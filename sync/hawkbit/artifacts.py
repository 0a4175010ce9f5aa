"""Tars of versions, made ready in the background: their hashes need every byte once."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from skerry.sync.errors import SyncError
from skerry.sync.hawkbit.contents import NotPublished, signed_of, tar_of
from skerry.sync.hawkbit.tar import VirtualTar
from skerry.sync.names import METADATA
from skerry.sync.rollouts.plan import Version
from skerry.sync.server.state.ddi import Artifact, DdiStore

_log = logging.getLogger("skerry.fleet")


class Artifacts:
    def __init__(
        self, repository: Path, store: DdiStore, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._repository, self._store, self._clock = repository, store, clock
        self._ready: dict[str, Artifact] = {}
        self._making: dict[str, asyncio.Task[None]] = {}
        self._signed: dict[str, tuple[int, dict[str, bytes], str]] = {}

    async def ready(self, version: Version) -> Artifact | None:
        """The artifact of a version with what is signed now; None: it is being made, or cannot be."""
        try:
            signed, digest = await asyncio.to_thread(self._current, version)
        except (NotPublished, OSError) as error:
            _log.warning("no artifact of '%s': %s", version.target, error)
            return None
        key = hashlib.sha256(f"{version.digest}{digest}".encode()).hexdigest()[:32]
        if key not in self._ready and key not in self._making:
            task = asyncio.create_task(self._make(key, version, signed))
            self._making[key] = task
            task.add_done_callback(lambda _: self._making.pop(key, None))
        return self._ready.get(key)

    async def get(self, key: str) -> Artifact | None:
        """One that was made, by this process or another."""
        if key not in self._ready:
            found = await asyncio.to_thread(self._store.artifact, key)
            if found is None:
                return None
            self._ready[key] = found
        return self._ready[key]

    def tar(self, artifact: Artifact) -> VirtualTar:
        """Raises NotPublished: the repository has not all of it any more."""
        return tar_of(self._repository, artifact.version, artifact.signed)

    async def _make(self, key: str, version: Version, signed: Mapping[str, bytes]) -> None:
        try:
            found = await asyncio.to_thread(self._store.artifact, key)
            if found is None:
                hashes = await asyncio.to_thread(
                    lambda: tar_of(self._repository, version, signed).hashes()
                )
                found = Artifact(key, version, hashes, signed)
                await asyncio.to_thread(self._store.add_artifact, found, self._clock())
            self._ready[key] = found
        except (NotPublished, OSError, ValueError, SyncError) as error:
            _log.warning("no artifact of '%s': %s", version.target, error)

    def _current(self, version: Version) -> tuple[dict[str, bytes], str]:
        """What is signed now, and a digest of it."""
        changed = (self._repository / METADATA / "timestamp.json").stat().st_mtime_ns
        known = self._signed.get(version.target)
        if known is None or known[0] != changed:
            content = signed_of(self._repository, version)
            whole = hashlib.sha256()
            for path in sorted(content):
                whole.update(path.encode() + b"\0" + hashlib.sha256(content[path]).digest())
            known = changed, content, whole.hexdigest()
            self._signed[version.target] = known
        return known[1], known[2]
