"""A fleet server in a process of its own, as `skerry sync serve` starts it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from skerry.sync.server.operator_client import OperatorClient
from skerry.sync.server.roles import Role, made
from skerry.sync.server.state import opened


@contextmanager
def served(place: str, *arguments: str) -> Iterator[str]:
    """Its URL."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SKERRY_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "skerry.edge.cli", "sync", "serve", "--json", "--port", "0",
         "--state", place, *arguments],
        stdout=subprocess.PIPE, text=True, env=clean,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        url: str = json.loads(process.stdout.readline())["url"]
        yield url
    finally:
        process.terminate()
        assert process.wait(timeout=30) == 0


def operator(
    place: str, url: str, *, tenant: str = "clinic", role: Role = Role.ADMIN
) -> OperatorClient:
    key, kept = made(tenant, "ada", role, time.time())
    fleet = opened(place)
    fleet.people.add_key(kept)
    fleet.close()
    return OperatorClient(url, key)
