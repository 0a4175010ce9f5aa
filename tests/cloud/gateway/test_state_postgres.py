"""The state in a PostgreSQL database, on a real server where there is one."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from skerry.cloud.gateway.config import Role
from skerry.cloud.gateway.errors import StateError
from skerry.cloud.gateway.keys import made
from skerry.cloud.gateway.state import State, opened
from tests.cloud.gateway.collections_conformance import CollectionConformance
from tests.cloud.gateway.state_conformance import Conformance

psycopg = pytest.importorskip("psycopg")
pytestmark = pytest.mark.skipif(
    shutil.which("initdb") is None or shutil.which("postgres") is None,
    reason="no PostgreSQL server is installed (initdb, postgres)",
)
TABLES = "keys, usage, drained, gateways, collections, collection_members, collection_parts CASCADE"
_NOBODY = 65_534


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A server of its own; PostgreSQL does not run as root."""
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
            place = f"postgresql://skerry@127.0.0.1:{port}/postgres"
            _wait_for(place)
            yield place
        finally:
            server.terminate()
            server.wait(timeout=30)


def _wait_for(place: str) -> None:
    for _ in range(300):
        try:
            opened(place, Path()).close()
        except StateError:
            time.sleep(0.1)
        else:
            return
    pytest.fail("PostgreSQL did not start")


@pytest.fixture
def state(url: str) -> Iterator[State]:
    with psycopg.connect(url, autocommit=True) as link:
        link.execute(f"TRUNCATE {TABLES}")
    made_here = opened(url, Path())
    yield made_here
    made_here.close()


class TestPostgres(Conformance, CollectionConformance):
    def test_a_connection_that_was_lost_is_made_again(self, state: State, url: str) -> None:
        state.add_key(made("clinic", Role.USER)[1])
        with psycopg.connect(url, autocommit=True) as link:
            others = "pid <> pg_backend_pid() AND application_name = 'skerry'"
            link.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}")
        with pytest.raises(StateError):
            state.keys()
        assert len(state.keys()) == 1

    def test_several_share_it(self, state: State, url: str) -> None:
        other = opened(url, Path())
        state.add_key(made("clinic", Role.USER)[1])
        assert other.keys() == state.keys()
        other.close()


def test_a_server_that_is_not_there_is_an_error_without_its_password() -> None:
    with pytest.raises(StateError, match="cannot be used") as error:
        opened("postgresql://skerry:secret@127.0.0.1:1/x", Path())
    assert "secret" not in str(error.value)
