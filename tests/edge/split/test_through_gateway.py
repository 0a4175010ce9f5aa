"""A device's half through a gateway: by WebSocket, and by plain HTTP where that does not pass."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from skerry.cloud.hints.frames import VERSION, Open
from skerry.cloud.service import Service
from skerry.edge.errors import CloudRefused, CloudUnavailable
from skerry.edge.split.options import Transport
from tests.cloud.gateway.configured import USER, configured
from tests.cloud.gateway.upstreams import Running, gateway
from tests.cloud.simulated import VOCABULARY, SimulatedVerifier, alone
from tests.edge.split.test_client import PROMPT, Knowing, generation

OWN = '[models.own]\ntier = "large"\ntemplate = "b"\npath = "x.gguf"\n'
WAYS: tuple[Transport, ...] = ("websocket", "http")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("gateway")
    services = {"own": Service(SimulatedVerifier())}
    with gateway(configured(OWN), folder, services) as one:
        yield one


@pytest.mark.parametrize("transport", WAYS)
def test_the_answer_is_the_targets(running: Running, transport: Transport) -> None:
    asked = Open(VERSION, "own", VOCABULARY, PROMPT, max_tokens=40)
    said = alone(PROMPT, asked.choosing.sampling(), 40)
    one = generation(running.url, Knowing(said), asked, api_key=USER, transport=transport)
    before = sum(use.requests for use in running.state.usage(""))
    assert [token for frame in one for token in frame.tokens] == said
    assert one.opened is not None
    assert one.opened.model == "own"
    end = time.monotonic() + 20
    while sum(use.requests for use in running.state.usage("")) == before:
        assert time.monotonic() < end
        time.sleep(0.02)
    assert running.parts.gate.under_way == 0


@pytest.mark.parametrize("transport", WAYS)
def test_refusals_reach_the_device(running: Running, transport: Transport) -> None:
    unknown = Open(VERSION, "none", VOCABULARY, PROMPT)
    with pytest.raises((CloudRefused, CloudUnavailable), match="no such model"):
        list(generation(running.url, Knowing(()), unknown, api_key=USER, transport=transport))
    with pytest.raises(CloudRefused):
        list(generation(running.url, Knowing(()), api_key="wrong", transport=transport))
