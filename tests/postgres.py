"""A real PostgreSQL server for tests, where one is installed."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_NOBODY = 65_534


def is_installed() -> bool:
    return shutil.which("initdb") is not None and shutil.which("postgres") is not None


@contextmanager
def running() -> Iterator[str]:
    """Its URL. It does not run as root, and waits for no disk."""
    psycopg = pytest.importorskip("psycopg")
    user = {"user": _NOBODY, "group": _NOBODY} if os.geteuid() == 0 else {}
    with tempfile.TemporaryDirectory() as folder, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
        free.close()
        if user:
            os.chown(folder, _NOBODY, _NOBODY)
        data = str(Path(folder, "data"))
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder}
        subprocess.run(
            ["initdb", "-D", data, "-U", "skerry", "-A", "trust", "--no-sync"],
            check=True, **user, **quiet,
        )  # fmt: skip
        server = subprocess.Popen(
            ["postgres", "-D", data, "-p", port, "-k", folder, "-c", "fsync=off"], **user, **quiet
        )
        try:
            url = f"postgresql://skerry@127.0.0.1:{port}/postgres"
            for _ in range(600):
                try:
                    psycopg.connect(url, connect_timeout=5).close()
                    break
                except psycopg.OperationalError:
                    time.sleep(0.1)
            else:
                pytest.fail("PostgreSQL did not start")
            yield url
        finally:
            server.terminate()
            server.wait(timeout=30)
