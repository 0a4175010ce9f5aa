"""The gateway's own routes."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest

from skerry.cloud import connections
from skerry.cloud.gateway.bodies import Room
from skerry.cloud.gateway.errors import Refusal
from skerry.cloud.gateway.ledger import day_of
from skerry.cloud.gateway.state.base import Use
from tests.cloud.gateway.configured import ADMIN, OPERATOR, USER, configured
from tests.cloud.gateway.upstreams import Running, gateway

URL = "http://127.0.0.1:1/v1"


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    with gateway(configured(), tmp_path) as one:
        yield one


def _client(running: Running, key: str = USER) -> httpx2.Client:
    return httpx2.Client(
        base_url=running.url, headers={"authorization": f"Bearer {key}"}, timeout=20
    )


def test_models_are_those_of_the_tenant(tmp_path: Path) -> None:
    more = '[models.own]\ntier = "large"\ntemplate = "b"\npath = "x.gguf"\n'
    base_more = f'{more}[tenants.some]\nmodels = ["own"]\n'
    with gateway(configured(base_more), tmp_path) as running, _client(running) as client:
        listed = client.get("/v1/models").json()["data"]
        assert client.get("/v1/models/own").json() == listed[1]
        assert client.get("/v1/models/none").status_code == 404
    assert [one["id"] for one in listed] == ["mid", "own"]
    assert listed[1]["skerry"] == {"tier": "large", "template": "b", "split": True}


def test_usage_is_a_tenants_own_and_an_operators_all(running: Running) -> None:
    today = Use(day_of(time.time()), "clinic", "default", "mid", 1, 10, 5, cost=0.5)
    running.state.add_usage([today, replace(today, tenant="other")])
    running.state.add_usage([replace(today, day="2020-01-01")])
    with _client(running) as client:
        assert [one["tenant"] for one in client.get("/v1/usage").json()["data"]] == ["clinic"]
        assert client.get("/v1/usage?tenant=other").status_code == 403
        for days in ("0", "-1", "x", "367", "9" * 30):
            assert client.get(f"/v1/usage?days={days}").status_code == 400
    with _client(running, OPERATOR) as client:
        assert len(client.get("/v1/usage?days=1").json()["data"]) == 2
        assert len(client.get("/v1/usage?tenant=other").json()["data"]) == 1


def test_replicas_are_for_operators(running: Running) -> None:
    with _client(running) as client:
        assert client.get("/admin/replicas").status_code == 403
        assert client.post("/admin/replicas", json={}).status_code == 403
    asked = {"model": "mid", "replica": URL, "drained": True}
    with _client(running, ADMIN) as client:
        (drained,) = client.post("/admin/replicas", json=asked).json()["data"]
        assert drained["drained"]
        assert running.state.drained() == {("mid", URL)}
        again = client.post("/admin/replicas", json={**asked, "drained": False}).json()["data"]
        assert not again[0]["drained"]
        for wrong in ({**asked, "model": "none"}, {**asked, "replica": "http://x"}):
            assert client.post("/admin/replicas", json=wrong).status_code == 404
        assert client.post("/admin/replicas", json={"model": 1}).status_code == 400
        assert client.post("/admin/replicas", content=b"x" * 5_000).status_code == 413
    with _client(running, "none") as client:
        assert client.post("/admin/replicas", content=b"x" * 5_000).status_code == 401


def test_keys_are_made_and_revoked_by_admins(running: Running) -> None:
    with _client(running, OPERATOR) as client:
        assert client.get("/admin/keys").status_code == 403
    with _client(running, ADMIN) as client:
        made = client.post("/admin/keys", json={"tenant": "clinic", "role": "operator"}).json()
        listed = client.get("/admin/keys").json()["data"]
        assert [(one["id"], one["role"]) for one in listed] == [(made["id"], "operator")]
        assert made["key"] not in str(listed)
        with _client(running, made["key"]) as other:
            assert other.get("/admin/replicas").status_code == 200
            assert client.delete(f"/admin/keys/{made['id']}").status_code == 200
            assert other.get("/admin/replicas").status_code == 401
        assert client.delete(f"/admin/keys/{made['id']}").status_code == 404
        for wrong in ({"tenant": "nobody"}, {"tenant": "clinic", "role": "king"}, [], {}):
            assert client.post("/admin/keys", json=wrong).status_code == 400


def test_a_state_that_cannot_be_used_is_told_and_stops_nobody(running: Running) -> None:
    with _client(running) as client:
        assert client.get("/health").json() == {"status": "ok"}
        running.state.close()
        end = time.monotonic() + 20
        while (said := client.get("/health")).status_code == 200:
            assert time.monotonic() < end
        assert said.json() == {"status": "degraded", "why": "state"}
        assert client.get("/v1/models").status_code == 200
        broken = client.get("/v1/usage")
    assert broken.status_code == 503
    assert "gateway.db" not in broken.text, "a tenant is not told of files"


def test_a_head_that_does_not_come_ends_the_connection(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "HEAD_S", 0.2)
    host, port = running.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as slow:
        slow.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n")
        assert slow.recv(100) == b""


def test_bodies_together_have_an_end() -> None:
    room = Room(10)
    with room.held() as take:
        take(6)
        with room.held() as other:
            other(4)
            with pytest.raises(Refusal) as refused:
                other(1)
        assert refused.value.status == 503
        take(4)
    assert room.free == 10
