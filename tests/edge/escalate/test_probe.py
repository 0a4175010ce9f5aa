from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from skerry.edge.escalate import CloudTier
from tests.edge.escalate.conftest import KEY, Script, ScriptedServer, fail, hang, head, say

Serve = Callable[..., ScriptedServer]
Make = Callable[..., CloudTier]


def listing(*names: str) -> Script:
    data = [{"id": name, "object": "model"} for name in names]
    return fail(200, json.dumps({"object": "list", "data": data}))


def test_a_good_service(serve: Serve, make_tier: Make) -> None:
    server = serve(listing("m", "n"))
    found = make_tier(server.url).probe()
    assert found.ok
    assert (found.models, found.status) == (("m", "n"), 200)
    assert found.latency_ms is not None
    (request,) = server.requests
    assert request.head.startswith("GET /v1/models HTTP/1.1\r\n")
    assert request.header("authorization") == f"Bearer {KEY}"
    assert request.body == b""


@dataclass(frozen=True)
class Case:
    name: str
    script: Script
    problem: str
    hint: str = ""
    options: dict[str, Any] = field(default_factory=dict)


JSON = "application/json"
CASES = [
    Case("other models", listing("x", "y"), "does not list the model m", "x, y"),
    Case("no models", listing(), "does not list the model m", "none"),
    Case("no thinker", listing("m"), "does not list the model t", options={"reasoning_model": "t"}),
    Case("wrong key", fail(401, f'{{"error": "no {KEY}"}}'), "401: no ***", "API key"),
    Case("not there", fail(404), "404", "base_url"),
    Case("busy", fail(503), "503"),
    Case("page", fail(200, "<html>", "text/html"), "text/html", "sign-in page"),
    Case("not JSON", fail(200, "{"), "cannot be read"),
    Case("no list", fail(200, '{"data": {"id": 5}}'), "cannot be read"),
    Case("deep", fail(200, "[" * 100_000), "cannot be read"),
    Case("endless", say(head(200, JSON) + b" " * 2_000_000), "no end"),
    Case("closes", say(), "broke"),
    Case("stalls", hang(), "within 0.5 s"),
    Case("stalls later", hang(head(200, JSON)), "within 0.5 s"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_problems(serve: Serve, make_tier: Make, case: Case) -> None:
    started = time.monotonic()
    found = make_tier(serve(case.script).url, **case.options).probe(limit_s=0.5)
    assert not found.ok
    assert case.problem in found.problem
    assert case.hint in found.hint
    assert KEY not in repr(found)
    assert time.monotonic() - started < 3


def test_a_probe_leaves_the_circuit_alone(serve: Serve, make_tier: Make) -> None:
    tier = make_tier(serve(fail(500)).url, breaker_failures=1)
    tier.probe()
    assert tier.available()
