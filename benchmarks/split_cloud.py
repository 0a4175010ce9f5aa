"""The far end of the benchmark of split inference: recorded targets behind slow links, in a process
of their own."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import socket
import statistics
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection

import uvicorn

from skerry.cloud.app import app
from skerry.cloud.engines.base import TargetFacts
from skerry.cloud.hints.frames import MOST_BYTES
from skerry.cloud.service import Service
from skerry.cloud.simulate.conditions import Conditions
from skerry.cloud.simulate.link import Link, precise_loop
from skerry.cloud.simulate.paced import Pace, PacedVerifier
from skerry.cloud.simulate.recorded import RecordedVerifier, Recording

KEY = "sk-skerry-benchmark"
_TICK_S = 0.01
_PLACES = 256

Far = tuple[float, float]
"""A round trip and a pass [ms]."""


@dataclass(frozen=True, slots=True)
class Lag:
    """How much later than it wished an event loop woke [ms], and passes that were too late."""

    p50_ms: float
    p99_ms: float
    late_passes: int = 0


class Clouds:
    """`urls` are those of the clouds by round trip and pass; `lag` is there after the end."""

    def __init__(self, urls: dict[Far, str]) -> None:
        self.urls = urls
        self.lag = Lag(0.0, 0.0)


@contextmanager
def far_clouds(
    facts: TargetFacts, recordings: Sequence[Recording], fars: Sequence[Far], hint_ms: float
) -> Iterator[Clouds]:
    """A cloud for each of `fars`; a hint costs `hint_ms` in a pass."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    job = (theirs, facts, tuple(recordings), tuple(fars), hint_ms)
    process = context.Process(target=_serve, args=job, daemon=True)
    process.start()
    theirs.close()
    try:
        clouds = Clouds(ours.recv())
        yield clouds
        ours.send("stop")
        clouds.lag = ours.recv()
    finally:
        ours.close()
        process.join(timeout=10)
        process.kill()


def _serve(
    ours: Connection, facts: TargetFacts, recordings: Sequence[Recording], fars: Sequence[Far],
    hint_ms: float,
) -> None:  # fmt: skip
    with asyncio.Runner(loop_factory=precise_loop) as runner:
        runner.run(_run(ours, RecordedVerifier(facts, recordings), fars, hint_ms))


async def _run(
    ours: Connection, verifier: RecordedVerifier, fars: Sequence[Far], hint_ms: float
) -> None:
    lags: list[float] = []
    async with AsyncExitStack() as held:
        paces = {pace: PacedVerifier(verifier, Pace(pass_ms=pace, hint_ms=hint_ms))
                 for pace in {pass_ms for _, pass_ms in fars}}  # fmt: skip
        ports = {pace: await held.enter_async_context(_served(one)) for pace, one in paces.items()}
        urls = {}
        for rtt, pace in fars:
            link = Link("127.0.0.1", ports[pace], Conditions(delay_ms=rtt / 2))
            urls[rtt, pace] = (await held.enter_async_context(link)).url
        watching = asyncio.create_task(_watch(lags))
        ours.send(urls)
        with contextlib.suppress(EOFError):
            await asyncio.to_thread(ours.recv)
        watching.cancel()
        ours.send(lag_of(lags, sum(one.late for one in paces.values())))


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.asynccontextmanager
async def _served(verifier: PacedVerifier) -> AsyncIterator[int]:
    """The port."""
    bound = socket.create_server(("127.0.0.1", 0))
    bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # asyncio does not, for such a one
    config = uvicorn.Config(
        app(Service(verifier), KEY, places=_PLACES), access_log=False, log_config=None,
        ws="websockets-sansio", ws_max_size=MOST_BYTES, ws_per_message_deflate=False,
        timeout_graceful_shutdown=1,
    )  # fmt: skip
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[bound]))
    await server.ready.wait()
    try:
        yield bound.getsockname()[1]
    finally:
        server.should_exit = True
        await serving


async def _watch(lags: list[float]) -> None:
    loop = asyncio.get_running_loop()
    while True:
        wanted = loop.time() + _TICK_S
        await asyncio.sleep(_TICK_S)
        lags.append((loop.time() - wanted) * 1e3)


def lag_of(lags: Sequence[float], late_passes: int = 0) -> Lag:
    cuts = statistics.quantiles(lags, n=100) if len(lags) > 1 else [0.0] * 99
    return Lag(cuts[49], cuts[98], late_passes)
