"""A repository and a device to try things on: real signatures, small bundles, no network."""

from __future__ import annotations

import functools
import shutil
import tempfile
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from skerry.bundles import Bundle, Role
from skerry.sync.client import Client, Enrolment, Means, enroll, open_client
from skerry.sync.repository import Layout, Published, Repository, create, open_repository, publish
from skerry.sync.repository.deltas import changes, make_deltas
from tests.bundles.making import CONTENT, Content, make

NAME = "tiny"
NOW = 1_900_000_000.0
"""Where a test needs a clock of its own."""


def secrets(_name: str) -> str:
    return "a long passphrase"


def content(version: str, size: int = 4000) -> Content:
    """The content of a version: one variant and the policy differ from every other version's."""
    own = (version.encode() * size)[:size]
    return {
        **CONTENT,
        "variants/gguf-q4_0/model.gguf": (Role.VARIANT, b"GGUF" + own),
        "parts/policy/policy.toml": (Role.POLICY, f'version = "{version}"\n'.encode()),
    }


@functools.cache
def _made() -> Path:
    """An empty repository; keys are made once."""
    folder = Path(tempfile.mkdtemp(prefix="skerry-fleet-"))
    create(folder / "repo", Layout(), secrets)
    return folder / "repo"


class Fleet:
    """A repository at `folder/repo`, and devices beside it."""

    def __init__(self, folder: Path, repo: Path | None = None) -> None:
        self.folder = folder
        self.repo = folder / "repo"
        shutil.copytree(repo or _made(), self.repo)

    @property
    def public(self) -> Path:
        return self.repo / "public"

    @property
    def root(self) -> bytes:
        return (self.repo / "metadata" / "1.root.json").read_bytes()

    def opened(self) -> AbstractContextManager[Repository]:
        return open_repository(self.repo, secrets)

    def bundle(self, version: str, size: int = 4000) -> Bundle:
        place = self.folder / f"bundle-{version}"
        if place.is_dir():
            shutil.rmtree(place)
        return make(self.folder / f"sources-{version}", place, content(version, size))

    def publish(self, version: str, **options: Any) -> Published:
        """Publishes a version, signs and serves it."""
        size, deltas = options.pop("size", 4000), options.pop("deltas", 0)
        with self.opened() as repository:
            done = publish(
                repository, self.bundle(version, size).folder, "stable", version=version, **options
            )
            list(make_deltas(repository, changes(repository, done, deltas)))
            repository.sign("stable")
            repository.release()
        return done

    def enrol(self, name: str = "device", **fields: Any) -> Path:
        """A device that follows the repository's folder."""
        given: dict[str, Any] = {
            "device": name, "source": str(self.public), "channel": "stable", "bundle": NAME,
            "probation_s": 0.0, **fields,
        }  # fmt: skip
        enroll(self.folder / name, Enrolment(**given), self.root)
        return self.folder / name

    def client(
        self, name: str = "device", *, verify: bool = False, **means: Any
    ) -> AbstractContextManager[Client]:
        return open_client(self.folder / name, Means(**means), verify=verify)

    def apply(self, name: str = "device", **means: Any) -> str:
        """One `apply`; the version that runs then."""
        with self.client(name, **means) as client:
            client.apply()
            return running(client)


def running(client: Client) -> str:
    found = client.state.running()
    return found.version if found else ""
