"""The state in an SQLite file."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from skerry.cloud.gateway.config import Role
from skerry.cloud.gateway.errors import StateError
from skerry.cloud.gateway.keys import made
from skerry.cloud.gateway.state import State, opened
from tests.cloud.gateway.collections_conformance import CollectionConformance
from tests.cloud.gateway.state_conformance import Conformance


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    made_here = opened("gateway.db", tmp_path)
    yield made_here
    made_here.close()


class TestSqlite(Conformance, CollectionConformance):
    def test_it_is_private_and_stays(self, state: State, tmp_path: Path) -> None:
        assert {one.stat().st_mode & 0o077 for one in tmp_path.glob("gateway.db*")} == {0}
        state.add_key(made("clinic", Role.USER)[1])
        again = opened(str(tmp_path / "gateway.db"), Path("elsewhere"))
        assert again.keys() == state.keys()
        again.close()


def test_what_is_no_state_is_said_and_left(tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    other.write_text("somebody else's")
    for path in (other, tmp_path, tmp_path / "none" / "x.db"):
        with pytest.raises(StateError, match="cannot be used"):
            opened(str(path), tmp_path)
    assert other.read_text() == "somebody else's"


def test_postgres_without_its_driver_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    monkeypatch.delitem(sys.modules, "skerry.cloud.gateway.state.postgres", raising=False)
    with pytest.raises(StateError, match="psycopg") as error:
        opened("postgresql://nowhere", tmp_path)
    assert "skerry[postgres]" in error.value.hint
