"""Runs: who begins them, what is passed on, and every way in which they break."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
from websockets.asyncio.client import connect as opened
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from skerry.cloud.engines.completions.options import EndpointOptions
from skerry.cloud.engines.vllm import wire
from skerry.cloud.engines.vllm.plugin.asked import Asked
from skerry.cloud.engines.vllm.plugin.routes import HintRoutes
from skerry.cloud.engines.vllm.plugin.runs import Runs
from skerry.cloud.engines.vllm.running import Forgotten, NoSocket, Run
from skerry.cloud.engines.vllm.verifier import VllmVerifier, connect
from skerry.cloud.errors import RequestError, TargetError
from skerry.cloud.hints.choice import Sampling
from skerry.cloud.hints.frames import VERSION, Choosing, Done, Draft, Mode, Open, Wait
from skerry.cloud.hints.matcher import Hint
from skerry.cloud.hints.trace import trace
from skerry.cloud.hints.tree import Tree, chain
from skerry.cloud.service import Service
from tests.cloud.fake_completions import tokenizer_json
from tests.cloud.fake_vllm import FakeEngine, plugged
from tests.cloud.simulated import ListChannel, alone

PROMPT = (5, 6, 7)
COUNT = 24
SAID = alone(PROMPT, Sampling(), COUNT)
LOOK = wire.Look("a", 0, PROMPT, ())


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def served(engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, HintRoutes]]:
    with plugged(engine, monkeypatch) as found:
        yield found


@pytest.fixture
def verifier(served: tuple[str, HintRoutes], tmp_path: Path) -> Iterator[VllmVerifier]:
    made, why = connect(EndpointOptions(url=served[0]), tokenizer_json(tmp_path))
    assert isinstance(made, VllmVerifier), why
    yield made
    asyncio.run(made.close())


def true(at: int, count: int = 4) -> Draft:
    return Draft(at, tuple(SAID[at : at + count]), trace(SAID[at - 1] if at else PROMPT[-1]))


def asked(verifier: VllmVerifier, **changed: Any) -> Open:
    opening = Open(VERSION, "", verifier.facts.vocabulary, PROMPT, max_tokens=COUNT)
    return msgspec.structs.replace(opening, **changed)


def generated(verifier: VllmVerifier, *frames: Any) -> Done:
    channel = ListChannel(frames)
    asyncio.run(Service(verifier).serve(channel))
    tokens = [token for frame in channel.sent[1:-1] for token in frame.tokens]  # type: ignore[union-attr]
    assert tokens == SAID
    done = channel.sent[-1]
    assert isinstance(done, Done)
    return done


def test_a_generation_is_one_request_to_the_server(
    verifier: VllmVerifier, engine: FakeEngine
) -> None:
    before = len(engine.prompts)
    generated(verifier, asked(verifier))
    assert engine.began == len(engine.prompts) - before == 1
    assert not len(engine.runs)


def test_hints_that_come_meanwhile_reach_it(verifier: VllmVerifier, engine: FakeEngine) -> None:
    frames = [asked(verifier), *(true(at) for at in range(0, len(SAID), 4))]
    done = generated(verifier, *frames)
    assert engine.began == 1
    assert done.passes < len(SAID) / 2
    assert done.accepted > len(SAID) / 2


def test_a_device_whose_cloud_waits_has_it_look(verifier: VllmVerifier, engine: FakeEngine) -> None:
    waits = asked(verifier, mode=Mode.THRIFT, patience_ms=1)
    generated(verifier, waits, true(0))
    assert engine.began == 0
    generated(verifier, waits, true(0), Wait(0))
    assert engine.began == 1


def test_one_that_does_not_draft_is_streamed(verifier: VllmVerifier, engine: FakeEngine) -> None:
    generated(verifier, asked(verifier, vocabulary=b""), true(0))
    assert (engine.began, engine.heard) == (1, 0)


def test_a_run_that_is_left_is_ended(verifier: VllmVerifier, engine: FakeEngine) -> None:
    async def left() -> int:
        target = await verifier.open(PROMPT, Sampling())
        await target.following(Tree(), 400)
        running = len(engine.runs)
        await target.close()
        target.hear(Hint(1, chain([1]), 0))
        await _until(lambda: not len(engine.runs))
        return running

    assert asyncio.run(left()) == 1


async def _until(so: Callable[[], bool]) -> None:
    async with asyncio.timeout(9):
        while not so():  # noqa: ASYNC110  it is another thread that changes it
            await asyncio.sleep(0.01)


def test_a_session_that_was_forgotten_is_sent_again(
    verifier: VllmVerifier, served: tuple[str, HintRoutes]
) -> None:
    async def continued() -> list[int]:
        target = await verifier.open(PROMPT, Sampling())
        said = list((await target.look(Tree())).tokens)
        served[1]._contexts = type(served[1]._contexts)()
        while len(said) < 5:
            said += (await target.following(Tree(), 5 - len(said))).tokens
        await target.close()
        return said

    assert asyncio.run(continued()) == SAID[:5]


def test_a_full_context_is_told(verifier: VllmVerifier) -> None:
    async def full() -> None:
        target = await verifier.open([1] * (verifier.facts.context_tokens - 2), Sampling())
        try:
            for _ in range(4):
                await target.following(Tree(), 100)
        finally:
            await target.close()

    with pytest.raises(RequestError, match="full"):
        asyncio.run(full())


def test_a_closed_engine_ends_what_runs(verifier: VllmVerifier) -> None:
    async def closed() -> None:
        target = await verifier.open(PROMPT, Sampling())
        await target.following(Tree(), 400)
        await verifier.close()
        while True:
            await target.following(Tree(), 400)

    with pytest.raises(TargetError, match="closed"):
        asyncio.run(closed())


BAD_RUNS = {
    "nothing": (b"", 4_400),
    "nonsense": (b"\xff" * 40, 4_400),
    "a look": (wire.packed(LOOK), 4_400),
    "a session that is not held": (
        wire.packed(wire.Run(wire.Look("b", 9, PROMPT, ()), 0, 5)), 4_409,
    ),
    "too long a prompt": (wire.packed(wire.Run(wire.Look("b", 0, (1,) * 600, ()), 0, 5)), 4_400),
}  # fmt: skip


@pytest.mark.parametrize(("data", "code"), BAD_RUNS.values(), ids=BAD_RUNS)
def test_a_run_that_is_none(
    verifier: VllmVerifier, served: tuple[str, HintRoutes], data: bytes, code: int
) -> None:
    assert asyncio.run(_closed(served[0], data)) == code


@pytest.mark.parametrize("hint", [b"", b"\xff", wire.packed(wire.Heard(0, (1, 2), 0, (-1,)))])
def test_a_hint_that_is_none(
    verifier: VllmVerifier, served: tuple[str, HintRoutes], engine: FakeEngine, hint: bytes
) -> None:
    run = wire.packed(wire.Run(LOOK, 0, 400))
    assert asyncio.run(_closed(served[0], run, hint)) == 4_400
    assert not len(engine.runs)


async def _closed(url: str, *frames: bytes) -> int:
    """The code with which the plugin closes."""
    async with opened(url.replace("http", "ws") + "/v1/skerry/run") as connection:
        for frame in frames:
            await connection.send(frame)
        with suppress(ConnectionClosed):
            async for _ in connection:
                pass
    assert connection.close_code is not None
    return connection.close_code


Served = Callable[[ServerConnection], Awaitable[None]]


async def breaks_off(connection: ServerConnection) -> None:
    await connection.recv()
    connection.transport.abort()


async def talks_nonsense(connection: ServerConnection) -> None:
    await connection.recv()
    await connection.send(b"\xff")


async def talks_text(connection: ServerConnection) -> None:
    await connection.recv()
    await connection.send("words")


async def counts_wrong(connection: ServerConnection) -> None:
    await connection.recv()
    await connection.send(wire.packed(wire.Seen((1,), 2, ended=False)))


async def sends_too_much(connection: ServerConnection) -> None:
    await connection.recv()
    await connection.send(bytes(1 << 20))


async def is_silent(connection: ServerConnection) -> None:
    await connection.wait_closed()


async def is_busy(connection: ServerConnection) -> None:
    await connection.close(4_503, "busy")


BREAKS: dict[Served, str] = {
    breaks_off: "broke off",
    talks_nonsense: "did not answer like",
    talks_text: "did not answer like",
    counts_wrong: "counted drafts",
    sends_too_much: "broke off",
    is_silent: "was not done within",
    is_busy: "answered 503: busy",
}


@pytest.mark.parametrize(("served_by", "what"), BREAKS.items(), ids=lambda one: str(one)[:24])
def test_a_server_that_breaks(served_by: Served, what: str) -> None:
    async def run() -> None:
        async with _serving(served_by) as options:
            one = Run(options, wire.Run(LOOK, 0, 5))
            try:
                await one.following()
            finally:
                await one.close()

    with pytest.raises(Exception, match=what) as found:
        asyncio.run(run())
    assert type(found.value).__name__ in {"TargetError", "Busy"}


def test_a_server_that_forgot() -> None:
    async def forgets(connection: ServerConnection) -> None:
        await connection.close(4_409)

    async def run() -> None:
        async with _serving(forgets) as options:
            one = Run(options, wire.Run(LOOK, 0, 5))
            try:
                await one.following()
            finally:
                await one.close()

    with pytest.raises(Forgotten):
        asyncio.run(run())


def test_nobody_is_there() -> None:
    options = EndpointOptions(url="http://127.0.0.1:9", connect_s=1)
    with pytest.raises(TargetError, match=r"127\.0\.0\.1:9"):
        asyncio.run(Run(options, wire.Run(LOOK, 0, 5)).following())


def test_a_server_without_the_route(verifier: VllmVerifier) -> None:
    options = EndpointOptions(url=f"{verifier.endpoint.options.url}/elsewhere")
    with pytest.raises(NoSocket, match="answered 40"):
        asyncio.run(Run(options, wire.Run(LOOK, 0, 5)).following())


def test_where_a_proxy_stops_web_sockets_each_pass_is_a_request(
    served: tuple[str, HintRoutes], engine: FakeEngine, tmp_path: Path
) -> None:
    """And none is tried for each pass."""

    async def run() -> tuple[list[int], list[bool]]:
        async with _proxied(served[0]) as (url, upgrades):
            tokenizer = tokenizer_json(tmp_path)
            made, _ = await asyncio.to_thread(connect, EndpointOptions(url=url), tokenizer)
            assert isinstance(made, VllmVerifier)
            target = await made.open(PROMPT, Sampling())
            said: list[int] = []
            while len(said) < COUNT and (not said or said[-1] not in made.facts.ends):
                draft = chain(SAID[len(said) : len(said) + 3])
                found = await target.following(draft, COUNT - len(said))
                said += found.tokens
            await target.close()
            await made.close()
            return said, upgrades

    said, upgrades = asyncio.run(run())
    assert said == SAID
    assert (engine.began, len(upgrades)) == (0, 1)


@asynccontextmanager
async def _proxied(url: str) -> AsyncIterator[tuple[str, list[bool]]]:
    """A proxy that lets requests pass and no WebSocket, and what it did not let pass."""
    host, port = url.removeprefix("http://").split(":")
    stopped: list[bool] = []

    async def passed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            if b"upgrade: websocket" in head.lower():
                stopped.append(True)
                writer.write(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n")
                await writer.drain()
            else:
                behind = await asyncio.open_connection(host, int(port))
                behind[1].write(head)
                await asyncio.gather(_copied(reader, behind[1]), _copied(behind[0], writer))
        writer.close()

    async with await asyncio.start_server(passed, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", stopped


async def _copied(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
        writer.write_eof()


@asynccontextmanager
async def _serving(by: Served) -> AsyncIterator[EndpointOptions]:
    async with serve(by, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        yield EndpointOptions(url=f"http://127.0.0.1:{port}", deadline_s=0.5)


def test_hints_of_a_run_that_is_over_are_no_use() -> None:
    runs, first = Runs(), Asked((1, 2), Choosing(), run="a", at=7)
    runs.begin("request", first)
    assert runs.draft("request", 9) == [1, 2]
    runs.hear("a", Hint(9, chain([3, 4]), 2))
    runs.hear("another", Hint(9, chain([8]), 2))
    assert runs.draft("request", 3) == [1, 2, 3]
    runs.advance("request", [1, 2])
    assert runs.draft("request", 9) == [3, 4]
    runs.end("request", first)
    runs.hear("a", Hint(9, chain([3]), 2))
    runs.advance("request", [3])
    assert runs.draft("request", 9) == []
    assert not len(runs)


def test_a_tree_travels_as_it_is() -> None:
    for tree in (chain([1, 2, 3]), Tree((1, 2, 3), (-1, 0, 0))):
        hint = Hint(4, tree, 9)
        heard = msgspec.msgpack.decode(wire.packed(wire.Heard.of(hint)), type=wire.Heard)
        assert heard.hint() == hint
