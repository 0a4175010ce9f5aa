"""The OpenAI-compatible server under load: tokens per second and time to the first, by real clients
over real sockets.

Peer: `llama_cpp.server` (the server of llama-cpp-python) with the same model file, threads and
prompts. Both stream; a token is a chunk with text, for both. The clients share the machine.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import psutil

from benchmarks.contract import Figure, Options
from skerry.edge.engines.models import catalogue
from skerry.edge.server import bind

KEYS = ("tokens_per_s_1", "tokens_per_s_4", "tokens_per_s_16", "ttft_ms_p50_4")

PEER = "llama_cpp.server"
_OURS = "skerry"
_MODEL = "smollm2"
_CLIENTS = (1, 4, 16)
_CONTEXT_TOKENS = 512
_READY_SECONDS = 60.0
_NOUNS = "lighthouse ferry storm island seal harbour rope lantern gull tide map anchor".split()


@dataclass(frozen=True, slots=True)
class Target:
    """A server that is ready. `headers` hold its key."""

    name: str
    url: str
    headers: dict[str, str]
    process: psutil.Process

    @property
    def memory_mb(self) -> float:
        every = [self.process, *self.process.children(recursive=True)]
        return sum(process.memory_info().rss for process in every) / 2**20


@dataclass(frozen=True, slots=True)
class Reading:
    """One stream: seconds to its first token, and how many there were."""

    ttft_s: float
    tokens: int


@dataclass(frozen=True, slots=True)
class Round:
    """What a number of clients at once got out of a server."""

    tokens_per_s: float
    ttft_ms: float


@dataclass(frozen=True, slots=True)
class Load:
    rounds: int
    max_tokens: int


def run(options: Options) -> dict[str, Figure]:
    load = Load(1, 24) if options.quick else Load(5, 64)
    threads = max(1, (psutil.cpu_count(logical=False) or 1))
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        targets = [stack.enter_context(_ours(Path(folder), threads))]
        if importlib.util.find_spec("sse_starlette") is not None:
            targets.append(stack.enter_context(_peer(threads)))
        results = _measure(targets, load, random.Random(options.seed))
        memory = ", ".join(f"{target.name} {target.memory_mb:.0f} MB" for target in targets)
    note = f"{threads} threads, {load.max_tokens} tokens an answer; resident: {memory}"
    if len(targets) == 1:
        note += f"; no peer: pip install 'llama-cpp-python[server]' brings {PEER}"
    return _figures(results, note)


Results = dict[tuple[str, int], list[Round]]


def _measure(targets: list[Target], load: Load, draw: random.Random) -> Results:
    """Rounds of every number of clients, the servers taking turns within a round."""
    results: Results = {}
    for target in targets:
        asyncio.run(_round(target, _prompts(4, draw), load.max_tokens))  # warm-up
    for _ in range(load.rounds):
        for clients in _CLIENTS:
            prompts = _prompts(max(clients, 4), draw)
            for target in targets:
                took = asyncio.run(_round(target, prompts, load.max_tokens, clients))
                results.setdefault((target.name, clients), []).append(took)
    return results


def _figures(results: Results, note: str) -> dict[str, Figure]:
    figures = {
        f"tokens_per_s_{clients}": Figure(
            _median(results, _OURS, clients, "tokens_per_s"),
            "tokens/s",
            "higher",
            peers=_peers(results, clients, "tokens_per_s"),
            note=note,
        )
        for clients in _CLIENTS
    }
    figures["ttft_ms_p50_4"] = Figure(
        _median(results, _OURS, 4, "ttft_ms"),
        "ms",
        "lower",
        peers=_peers(results, 4, "ttft_ms"),
        note="of 4 clients at once",
    )
    return figures


def _peers(results: Results, clients: int, what: str) -> dict[str, float]:
    return {PEER: _median(results, PEER, clients, what)} if (PEER, clients) in results else {}


def _median(results: Results, name: str, clients: int, what: str) -> float:
    return statistics.median(getattr(one, what) for one in results[name, clients])


def _prompts(count: int, draw: random.Random) -> list[str]:
    """Prompts that no two requests share, so that no cache answers instead of the model."""
    return [
        f"Tell a long story about a {' and a '.join(draw.sample(_NOUNS, 3))} in the year "
        f"{draw.randrange(1000, 3000)}. Use plain words and many sentences."
        for _ in range(count)
    ]


async def _round(target: Target, prompts: list[str], max_tokens: int, clients: int = 4) -> Round:
    """`clients` at once work through the prompts."""
    queue = list(prompts)
    async with httpx2.AsyncClient(base_url=target.url, headers=target.headers, timeout=300) as http:

        async def client() -> list[Reading]:
            return [
                await _stream(http, queue.pop(), max_tokens) for _ in range(len(prompts) // clients)
            ]

        start = time.perf_counter()
        readings = await asyncio.gather(*(client() for _ in range(clients)))
        seconds = time.perf_counter() - start
    every = [reading for several in readings for reading in several]
    return Round(
        sum(reading.tokens for reading in every) / seconds,
        statistics.median(reading.ttft_s for reading in every) * 1e3,
    )


async def _stream(http: httpx2.AsyncClient, prompt: str, max_tokens: int) -> Reading:
    body = {
        "model": _MODEL,
        "messages": [{"role": "user", "content": prompt}],
        "max_tokens": max_tokens,
        "temperature": 0,
        "stream": True,
    }
    start, first, tokens = time.perf_counter(), 0.0, 0
    async with http.stream("POST", "/v1/chat/completions", json=body) as answer:
        answer.raise_for_status()
        async for line in answer.aiter_lines():
            if _has_text(line):
                first = first or time.perf_counter()
                tokens += 1
    return Reading(first - start, tokens)


def _has_text(line: str) -> bool:
    if not line.startswith("data: {"):
        return False
    choices = json.loads(line.removeprefix("data: "))["choices"]
    return bool(choices and choices[0]["delta"].get("content"))


@contextmanager
def _ours(folder: Path, threads: int) -> Iterator[Target]:
    places = {"SKERRY_STATE": "state", "SKERRY_INDEX": "index", "SKERRY_API_KEY_FILE": "key"}
    variables = {name: str(folder / file) for name, file in places.items()}
    process = subprocess.Popen(
        [sys.executable, "-m", "skerry.edge.cli", "serve", "--json", "--lazy", "--offline",
         "--port", "0", "--threads", str(threads), "--parallel", str(max(_CLIENTS)),
         "--context-tokens", str(_CONTEXT_TOKENS)],
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    with _stopping(process):
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        key = Path(ready["key_file"]).read_text().strip()
        headers = {"authorization": f"Bearer {key}"}
        yield Target(_OURS, ready["url"], headers, psutil.Process(process.pid))


@contextmanager
def _peer(threads: int) -> Iterator[Target]:
    with bind("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", PEER, "--model", str(catalogue(Path("none")).find(_MODEL).path),
         "--port", str(port), "--n_threads", str(threads), "--n_threads_batch", str(threads),
         "--n_ctx", str(_CONTEXT_TOKENS), "--interrupt_requests", "False", "--verbose", "False"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    with _stopping(process):
        url = f"http://127.0.0.1:{port}"
        _wait_for(f"{url}/v1/models", process)
        yield Target(PEER, url, {}, psutil.Process(process.pid))


@contextmanager
def _stopping(process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> Iterator[None]:
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _READY_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            httpx2.get(url, timeout=2).raise_for_status()
        except httpx2.HTTPError:
            time.sleep(0.2)
        else:
            return
    raise RuntimeError(f"{PEER} did not start")
