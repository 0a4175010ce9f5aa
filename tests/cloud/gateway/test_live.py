"""A gateway that reads its file again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from starlette.types import Receive, Scope, Send

from skerry.cloud.connections import Connection, Socket
from skerry.cloud.gateway.live import Live
from skerry.cloud.gateway.load import load
from skerry.cloud.gateway.state import opened
from skerry.cloud.service import Service
from tests.cloud.gateway.configured import BASE, USER
from tests.cloud.gateway.upstreams import FakeUpstream, on_a_port, upstream
from tests.cloud.simulated import SimulatedVerifier

CHAT = "/v1/chat/completions"
ASKED = {"model": "mid", "messages": [], "stream": True}
OWN = '[models.own]\ntier = "large"\ntemplate = "b"\npath = "x.gguf"\n'


@dataclass
class Running:
    path: Path
    live: Live
    client: httpx2.Client
    fake: FakeUpstream
    loop: asyncio.AbstractEventLoop

    def write(self, text: str) -> None:
        self.path.write_text(text.replace("http://127.0.0.1:1/v1", self.fake.url))

    @property
    def models(self) -> list[str]:
        return [one["id"] for one in self.client.get("/v1/models").json()["data"]]


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    path = tmp_path / "gateway.toml"
    with upstream() as fake:
        path.write_text((BASE + OWN).replace("http://127.0.0.1:1/v1", fake.url))
        state = opened("gateway.db", tmp_path)
        live = Live(path, load(path), state, {"own": Service(SimulatedVerifier())})
        shown = {"authorization": f"Bearer {USER}"}
        loops = list[asyncio.AbstractEventLoop]()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            loops.append(asyncio.get_running_loop())
            await live(scope, receive, send)

        with (
            on_a_port(app, http=Connection, ws=Socket) as url,
            httpx2.Client(base_url=url, headers=shown, timeout=20) as client,
        ):
            assert client.get("/health").status_code == 200
            yield Running(path, live, client, fake, loops[0])


def _until(true: Callable[[], object]) -> None:
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.01)


def _reload(running: Running) -> None:
    """As SIGHUP does, which comes to a main thread only."""
    loop = running.loop
    asyncio.run_coroutine_threadsafe(running.live.reload(), loop).result(20)


def test_a_model_is_swapped_while_answers_are_under_way(running: Running) -> None:
    running.fake.endless = True
    with running.client.stream("POST", CHAT, json=ASKED) as answer:
        lines = answer.iter_lines()
        assert next(lines).startswith("data: ")
        running.write((BASE + OWN).replace('tier = "mid"', 'tier = "mid"\nupstream_model = "new"'))
        _reload(running)
        for _ in range(20):
            next(lines)
        running.fake.endless = False
        list(lines)
    running.client.post(CHAT, json=ASKED)
    assert running.fake.last["model"] == "new"
    _until(lambda: len(running.live._running) == 1)
    _until(lambda: running.live._state.usage(""))


def test_a_file_that_is_wrong_or_changes_engines_is_not_taken(
    running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    for text, what in (
        (BASE + OWN + "foo = 1\n", "there is no such key"),
        (BASE + OWN.replace("x.gguf", "y.gguf"), "models.own cannot change"),
        (BASE + OWN + OWN.replace("own", "more"), "models.more cannot change"),
        ('state = "b.db"\n' + BASE + OWN, "state cannot change"),
    ):
        running.write(text)
        _reload(running)
        assert what in caplog.text
        assert running.models == ["mid", "own"]


def test_an_engine_that_the_file_names_no_more_is_not_offered(running: Running) -> None:
    running.write(BASE)
    _reload(running)
    assert running.models == ["mid"]
    running.write(BASE + OWN)
    _reload(running)
    assert running.models == ["mid", "own"]
    assert running.live.current.services


def test_it_stays_one_gateway_that_knows_what_it_was_asked(running: Running) -> None:
    """Two would have half of a tenant's rate each, for as long as an old answer is under way."""
    running.fake.endless = True
    with running.client.stream("POST", CHAT, json=ASKED) as answer:
        lines = answer.iter_lines()
        next(lines)
        rates = running.live.current.gate.rates
        running.write(BASE + OWN)
        _reload(running)
        assert len(running.live._running) == 2
        assert running.live.current.gate.gateways == 1
        assert running.live.current.gate.rates is rates
        running.fake.endless = False
        list(lines)
