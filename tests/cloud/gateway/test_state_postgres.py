"""The state in a PostgreSQL database, on a real server where there is one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from skerry.cloud.gateway.config import Role
from skerry.cloud.gateway.errors import StateError
from skerry.cloud.gateway.keys import made
from skerry.cloud.gateway.state import State, opened
from tests import postgres
from tests.cloud.gateway.collections_conformance import CollectionConformance
from tests.cloud.gateway.state_conformance import Conformance

psycopg = pytest.importorskip("psycopg")
pytestmark = pytest.mark.skipif(
    not postgres.is_installed(),
    reason="no PostgreSQL server is installed (initdb, postgres)",
)
TABLES = "keys, usage, drained, gateways, collections, collection_members, collection_parts CASCADE"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with postgres.running() as url:
        opened(url, Path()).close()  # makes the tables
        yield url


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
