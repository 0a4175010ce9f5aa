"""What every state must do; a module subclasses `Conformance` with its own `state` fixture."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from skerry.cloud.gateway.config import Role
from skerry.cloud.gateway.errors import StateError
from skerry.cloud.gateway.keys import made
from skerry.cloud.gateway.state import State
from skerry.cloud.gateway.state.base import Use

USE = Use("2026-11-28", "clinic", "lookup", "mid", 1, 10, 5, 0, 4, 3, 0.25)


class Conformance:
    def test_keys_are_kept_and_revoked_once(self, state: State) -> None:
        first, second = made("clinic", Role.USER)[1], made("other", Role.ADMIN)[1]
        state.add_key(first)
        state.add_key(second)
        assert state.keys() == [first, second]
        assert state.revoke_key(first.id, 5.0)
        assert not state.revoke_key(first.id, 6.0)
        assert not state.revoke_key("none' OR '1'='1", 6.0)
        assert state.keys() == [replace(first, revoked_at=5.0), second]

    def test_a_key_is_not_kept_twice(self, state: State) -> None:
        kept = made("clinic", Role.USER)[1]
        state.add_key(kept)
        with pytest.raises(StateError):
            state.add_key(replace(kept, id="another"))
        assert state.keys() == [kept]

    def test_usage_adds_up(self, state: State) -> None:
        later = replace(USE, day="2026-11-29", tenant="other")
        state.add_usage([USE, later])
        state.add_usage([USE, replace(USE, model="large")])
        twice = Use("2026-11-28", "clinic", "lookup", "mid", 2, 20, 10, 0, 8, 6, 0.5)
        assert state.usage("2026-11-28") == [replace(USE, model="large"), twice, later]
        assert state.usage("2026-11-29") == [later]
        assert state.usage("2026-11-28", tenant="other") == [later]
        assert state.spent("2026-11-28") == {"clinic": 45}
        assert state.spent("2026-11-27") == {}
        state.add_usage([])

    def test_usage_that_is_half_wrong_is_not_taken(self, state: State) -> None:
        with pytest.raises(StateError):
            state.add_usage([USE, replace(USE, requests=None)])  # type: ignore[arg-type]
        assert state.usage("2026-11-28") == []

    def test_usage_from_several_threads(self, state: State) -> None:
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(lambda _: state.add_usage([USE]), range(20)))
        assert state.usage("")[0].requests == 20

    def test_drained_replicas(self, state: State) -> None:
        state.drain("mid", "http://a", on=True)
        state.drain("mid", "http://a", on=True)
        state.drain("mid", "http://b", on=True)
        state.drain("mid", "http://b", on=False)
        assert state.drained() == {("mid", "http://a")}

    def test_gateways_that_are_alive(self, state: State) -> None:
        assert state.beat("a", 100.0, within_s=10) == 1
        assert state.beat("b", 105.0, within_s=10) == 2
        assert state.beat("b", 112.0, within_s=10) == 1
        assert state.beat("c", 20.0, within_s=10) == 1, "the clock was set back"

    def test_closed_twice(self, state: State) -> None:
        state.close()
        state.close()
        with pytest.raises(StateError):
            state.keys()
