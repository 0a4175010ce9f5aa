"""A server before SQLite and before PostgreSQL, and devices and operators that ask it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from skerry.sync.server.app import Server
from skerry.sync.server.state import Fleet, opened
from tests import postgres
from tests.sync.server.asking import World

_NUMBERS = itertools.count()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    if not postgres.is_installed():
        pytest.skip("no PostgreSQL server is installed (initdb, postgres)")
    with postgres.running() as url:
        yield url


def empty(request: pytest.FixtureRequest, folder: Path) -> str:
    """An empty state, of the kind that the fixture's parameter names."""
    if request.param == "sqlite":
        return str(folder / "fleet.db")
    import psycopg

    url: str = request.getfixturevalue("postgres_url")
    name = f"fleet{next(_NUMBERS)}"
    with psycopg.connect(url, autocommit=True) as link:
        link.execute(f"CREATE DATABASE {name}")
    return url.replace("/postgres", f"/{name}")


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a state is kept: an empty one."""
    return empty(request, tmp_path)


@pytest.fixture
def fleet(place: str) -> Iterator[Fleet]:
    one = opened(place)
    yield one
    one.close()


@pytest.fixture
def world(place: str) -> Iterator[World]:
    server = Server(place, every_s=0.02, poll_s=60)
    with TestClient(server.app) as client:
        yield World(client, server)
