"""The gateway: what passing through it costs, and how many devices can draft at once.

Pass-through: the same requests, in turn, straight to a server that answers at once and through
`skerry cloud serve --config`; the difference of the medians. Sessions: WebSockets of one process,
each a generation that drafts, to a gateway in another, whose model is simulated. A frame's time is
from a draft's leaving to its verdict's coming, less the simulated pass.
"""

from __future__ import annotations

import asyncio
import gc
import json
import math
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import psutil
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from benchmarks.contract import Figure, Options
from skerry.cloud.engines.simulated import VOCABULARY, next_token
from skerry.cloud.gateway.keys import PREFIX, digest
from skerry.cloud.hints.frames import (
    SUBPROTOCOL,
    VERSION,
    Draft,
    Mode,
    Open,
    Opened,
    Tokens,
    read_cloud_frame,
    written,
)
from skerry.cloud.hints.trace import trace

KEYS = ("passthrough_overhead_ms_p50", "sessions", "frame_ms_p99")

_KEY = f"{PREFIX}benchmark-0123456789"
_SESSIONS = 1_000
_PASS_MS = 20.0
_THINKS_S = 1.0
_DRAFTED = 4
_PROMPT = (1, 2, 3)
_CONFIG = f"""format = "skerry.gateway/1"
[limits]
places = 2000
waiting = 2000
deadline_seconds = 3600.0
[models.mid]
tier = "mid"
template = "bench-1"
PLACE
[tenants.bench]
places = 2000
requests_per_minute = 1000000
burst = 100000
keys = [{{ digest = "{digest(_KEY)}" }}]
"""
_CHAT = {
    "model": "mid",
    "messages": [{"role": "user", "content": "Tell me of the sea. " * 100}],
    "max_tokens": 200,
}


def run(options: Options) -> dict[str, Figure]:
    figures = asyncio.run(_passing(300 if options.quick else 3_000))
    seconds = 8.0 if options.quick else 60.0
    return {**figures, **asyncio.run(_drafting(seconds, random.Random(options.seed)))}


async def _passing(count: int) -> dict[str, Figure]:
    with ExitStack() as stack:
        upstream = stack.enter_context(_server("benchmarks.gateway_servers", "upstream"))[0]
        config = _configured(stack, f'replicas = ["{upstream}/v1"]')
        command = ("skerry.edge.cli", "cloud", "serve", "--json", "--port", "0")
        line, _ = stack.enter_context(_server(*command, "--config", str(config)))
        gateway = json.loads(line)["url"]
        async with httpx2.AsyncClient(timeout=30, trust_env=False) as http:
            times = await _in_turn(http, {"direct": upstream, "gateway": gateway}, count)
    direct, through = (statistics.median(times[name]) * 1e3 for name in ("direct", "gateway"))
    worst = statistics.quantiles(times["gateway"], n=100)[98] * 1e3
    return {
        KEYS[0]: Figure(
            through - direct,
            "ms",
            "lower",
            target=3,
            note=f"medians of {count} requests one after the other: directly {direct:.2f} ms, "
            f"through the gateway {through:.2f} ms (p99 {worst:.2f})",
        )
    }


async def _in_turn(
    http: httpx2.AsyncClient, urls: dict[str, str], count: int
) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {name: [] for name in urls}
    headers = {"authorization": f"Bearer {_KEY}"}
    for i in range(count + 50):
        for name, url in urls.items():
            start = time.perf_counter()
            answer = await http.post(f"{url}/v1/chat/completions", json=_CHAT, headers=headers)
            answer.raise_for_status()
            if i >= 50:  # warm
                times[name].append(time.perf_counter() - start)
    return times


@dataclass(slots=True)
class Seen:
    """What sessions saw. `active`: those that had a verdict in the last part of the run; `cpu_s`:
    the gateway's processor time when they began."""

    frames: list[float] = field(default_factory=list)
    settled: int = 0
    active: set[int] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)
    cpu_s: float = 0.0
    begins: float = math.inf
    ends: float = math.inf


async def _drafting(seconds: float, draw: random.Random) -> dict[str, Figure]:
    with ExitStack() as stack:
        config = _configured(stack, 'path = "simulated"\nplaces = 2000')
        url, process = stack.enter_context(
            _server("benchmarks.gateway_servers", "sessions", str(config), str(_PASS_MS))
        )
        server = psutil.Process(process.pid)
        with _uncollected():
            seen = await _sessions(url.replace("http", "ws"), seconds, draw, _cpu(server))
        cpu_ms = (next(_cpu(server)) - seen.cpu_s) / max(1, len(seen.frames)) * 1e3
        memory = server.memory_info().rss / 2**20
    per_s = len(seen.frames) / seconds
    note = (
        f"each drafts {_DRAFTED} tokens, and thinks for {_THINKS_S:g} s on average: "
        f"{per_s:.0f} verdicts/s; passes of {_PASS_MS:g} ms; of the gateway {memory:.0f} MB "
        f"and {cpu_ms:.2f} ms of processor time for each verdict"
    )
    if seen.faults:
        note += f"; {len(seen.faults)} failed, first: {seen.faults[0]}"
    worst = statistics.quantiles(seen.frames, n=100) if len(seen.frames) > 1 else [float("nan")]
    return {
        "sessions": Figure(len(seen.active), "sessions", "higher", target=_SESSIONS, note=note),
        "frame_ms_p99": Figure(
            worst[-1] * 1e3,
            "ms",
            "lower",
            target=20,
            note=f"median {worst[len(worst) // 2] * 1e3:.2f} ms, of {len(seen.frames)} verdicts",
        ),
    }


async def _sessions(url: str, seconds: float, draw: random.Random, cpu: Iterator[float]) -> Seen:
    """They connect a few at a time, and draft from then on; measured are `seconds` from when all
    are there."""
    seen, gate, settled = Seen(), asyncio.Semaphore(20), asyncio.Event()

    def settle() -> None:
        seen.settled += 1
        if seen.settled == _SESSIONS:
            settled.set()

    async def session(number: int) -> None:
        think = [draw.uniform(0.5, 1.5) * _THINKS_S for _ in range(16)]
        try:
            async with gate:
                socket = await _opened(url)
            settle()
            async with socket:
                await _draft(socket, number, think, seen)
        except (OSError, TimeoutError, WebSocketException, ValueError) as error:
            seen.faults.append(f"{type(error).__name__}: {error}"[:100])
            settle()

    tasks = [asyncio.create_task(session(number)) for number in range(_SESSIONS)]
    await settled.wait()
    seen.cpu_s = next(cpu)
    seen.begins = time.perf_counter()
    seen.ends = seen.begins + seconds
    await asyncio.gather(*tasks)
    return seen


async def _opened(url: str) -> ClientConnection:
    socket = await connect(
        f"{url}/v1/split",
        subprotocols=[SUBPROTOCOL],
        additional_headers={"authorization": f"Bearer {_KEY}"},
        compression=None,
        ping_interval=None,
        open_timeout=60,
        close_timeout=1,
    )
    asked = Open(
        VERSION,
        "mid",
        VOCABULARY,
        _PROMPT,
        mode=Mode.THRIFT,
        patience_ms=10_000,
        max_tokens=131_072,
    )
    await socket.send(written(asked))
    opened = read_cloud_frame(_bytes(await socket.recv()))
    if not isinstance(opened, Opened):
        raise ValueError(f"not opened: {opened}")
    return socket


async def _draft(socket: ClientConnection, number: int, think: list[float], seen: Seen) -> None:
    """Drafts what the target will say, waits for the verdict, thinks, and so on."""
    position, before, turn = len(_PROMPT), _PROMPT[-1], 0
    while (start := time.perf_counter()) < seen.ends:
        drafted = list[int]()
        for i in range(_DRAFTED):
            drafted.append(next_token(position + i, drafted[-1] if drafted else before))
        await socket.send(written(Draft(position - len(_PROMPT), tuple(drafted), trace(before))))
        frame = read_cloud_frame(_bytes(await asyncio.wait_for(socket.recv(), 30)))
        took = time.perf_counter() - start
        if not isinstance(frame, Tokens) or frame.drafted != _DRAFTED:
            raise ValueError(f"no verdict of the draft: {frame}")
        if start >= seen.begins:
            seen.frames.append(took - _PASS_MS / 1e3)
        if seen.ends - start < 4 * _THINKS_S:
            seen.active.add(number)
        position, before, turn = position + len(frame.tokens), frame.tokens[-1], turn + 1
        await asyncio.sleep(think[turn % len(think)])


@contextmanager
def _uncollected() -> Iterator[None]:
    """The clients' own looks at cycles are not the gateway's time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _cpu(process: psutil.Process) -> Iterator[float]:
    """Seconds of processor time so far, each time that it is asked."""
    while True:
        times = process.cpu_times()
        yield times.user + times.system


def _bytes(data: str | bytes) -> bytes:
    if isinstance(data, str):
        raise ValueError("a text frame")
    return data


def _configured(stack: ExitStack, place: str) -> Path:
    path = Path(stack.enter_context(tempfile.TemporaryDirectory()), "gateway.toml")
    path.write_text(_CONFIG.replace("PLACE", place))
    return path


@contextmanager
def _server(module: str, *arguments: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The first line that `python -m module …` prints."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SKERRY_")}
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments], stdout=subprocess.PIPE, text=True, env=clean
    )
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip(), process
    finally:
        process.terminate()
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
