"""The fleet server before PostgreSQL with 100,000 devices, and a rollout over a million.

Check-ins: whole requests, signed by Ed25519, over kept connections, to `skerry sync serve` in one
process. `checkins_per_s` is what that process answers in a second of its own processor time, that
is per core; beside it, uvicorn with an app that answers the same bytes and does nothing. The time
of a check-in is measured at 400 a second, from when it was due. `publish_to_offer_s` is from the
request that starts a rollout of 5 % to the first device that is offered it, under that load.

`halted_at_fraction`: a simulated fleet of 1,000,000 in which a version breaks 3 % of one class; the
share that was told to take it when it was halted, the worst of several classes and seeds.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import random
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import psutil
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchmarks.contract import Figure, Options
from skerry.sync.offers import DeviceFacts
from skerry.sync.rollouts.plan import Plan, Version
from skerry.sync.rollouts.simulate import PROFILES, Bundle, fleet, simulate
from skerry.sync.rollouts.states import RolloutState
from skerry.sync.server.operator_client import OperatorClient
from skerry.sync.server.roles import Role, made
from skerry.sync.server.signing import sign
from skerry.sync.server.state import opened

KEYS = ("checkins_per_s", "checkin_ms_p99", "publish_to_offer_s", "halted_at_fraction")

_DEVICES = 100_000
_CONNECTIONS = 32
_PACED = 400
_OLD, _NEW = "1" * 64, "2" * 64
_VERSION = {"target": "stable/bench/2/bundle.json", "version": "2", "digest": _NEW}
_STAGES = [{"name": "5%", "percent": 5}, {"name": "all", "percent": 100}]
_TENANT = "bench"


def run(options: Options) -> dict[str, Figure]:
    figures = _halted(options)
    if shutil.which("postgres") is None or shutil.which("initdb") is None:
        why = "no PostgreSQL server is installed (initdb, postgres)"
        none = {key: Figure(None, "", "higher", note=why) for key in KEYS[:3]}
        return {**none, **figures}
    seconds = 6.0 if options.quick else 30.0
    return {**_served(options, seconds), **figures}


def _halted(options: Options) -> dict[str, Figure]:
    devices = fleet(1_000_000)
    cases = [("workstation", options.seed)]
    if not options.quick:
        cases = [(profile, options.seed + i) for profile in PROFILES for i in range(3)]
    found, missed = [], 0
    for profile, seed in cases:
        plan = Plan(f"bench-{seed}", "stable", Version("t", "2", _NEW), Version("t", "1", _OLD))
        result = simulate(plan, devices, Bundle(breaks={profile: 0.03}), seed=seed)
        found.append(result.fraction)
        missed += result.rollout.state is not RolloutState.STOPPED
    note = f"{len(cases)} rollouts, median {statistics.median(found):.4f}"
    note += f"; {missed} were not halted" if missed else "; every one was halted"
    if not options.quick:
        note += f"; {_false_alarms(options.seed)}"
    worst = 1.0 if missed else max(found)
    return {KEYS[3]: Figure(worst, "of the fleet", "lower", target=0.01, note=note)}


def _false_alarms(seed: int) -> str:
    """Good versions, at the failure rate that is allowed, over fleets of 5,000."""
    devices, halted, runs = fleet(5_000), 0, 100
    for i in range(runs):
        plan = Plan(f"good-{seed + i}", "stable", Version("t", "2", _NEW))
        bundle = Bundle(failure_rate=plan.limits.failure_rate)
        result = simulate(plan, devices, bundle, seed=seed + i)
        halted += result.rollout.state is RolloutState.STOPPED
    return f"of {runs} good ones {halted} were"


@dataclass(frozen=True, slots=True)
class _Device:
    id: str
    key: Ed25519PrivateKey

    def request(self, host: str) -> bytes:
        facts = DeviceFacts(device=self.id, profile="phone", digest=_OLD, version="1")
        body = msgspec.json.encode(facts)
        headers = sign(self.key, self.id, "POST", "/v1/checkin", body, created=int(time.time()))
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = f"POST /v1/checkin HTTP/1.1\r\nhost: {host}\r\ncontent-length: {len(body)}\r\n"
        return f"{head}{lines}\r\n".encode() + body


@dataclass(slots=True)
class _Load:
    """`times`: seconds of each answer, from when it was due; `offers`: when one was in it."""

    times: list[float] = field(default_factory=list)
    offers: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def _served(options: Options, seconds: float) -> dict[str, Figure]:
    draw = random.Random(options.seed)
    with ExitStack() as stack:
        place = stack.enter_context(_postgres())
        devices = _enrolled(place)
        url, process = stack.enter_context(_server(place))
        client = _operator(place, url)
        stack.callback(client.close)
        server = psutil.Process(process.pid)
        asyncio.run(_closed(url, devices, draw, 2.0))  # warm
        before, start = _cpu(server), time.perf_counter()
        load = asyncio.run(_closed(url, devices, draw, seconds))
        wall, spent = time.perf_counter() - start, _cpu(server) - before
        paced, to_offer = asyncio.run(_paced(url, devices, draw, seconds, client))
    peer = _plain(devices, draw, seconds / 3)
    rate = len(load.times) / spent
    note = (
        f"{len(load.times) / wall:.0f} a second by the clock on {os.cpu_count()} cores that also "
        f"run PostgreSQL and the devices, {spent / wall:.0%} of a core; {_DEVICES:,} devices"
    )
    faults = load.faults + paced.faults
    if faults:
        note += f"; {len(faults)} failed, first: {faults[0]}"
    cuts = statistics.quantiles(paced.times, n=100)
    return {
        KEYS[0]: Figure(
            rate, "1/s", "higher", target=800, peers={"uvicorn alone": peer}, note=note
        ),
        KEYS[1]: Figure(
            cuts[98] * 1e3, "ms", "lower", target=100,
            note=f"at {_PACED} a second; median {cuts[49] * 1e3:.1f} ms, of {len(paced.times)}",
        ),
        KEYS[2]: Figure(to_offer, "s", "lower", target=2),
    }  # fmt: skip


async def _closed(
    url: str, devices: Sequence[_Device], draw: random.Random, seconds: float
) -> _Load:
    """As fast as it goes: each connection asks when it was answered."""
    load, ends = _Load(), time.perf_counter() + seconds
    await asyncio.gather(*(_ask(url, devices, draw, load, ends) for _ in range(_CONNECTIONS)))
    return load


async def _ask(
    url: str, devices: Sequence[_Device], draw: random.Random, load: _Load, ends: float
) -> None:
    host = urlsplit(url).netloc
    link = await _Link.opened(url)
    while (start := time.perf_counter()) < ends:
        await link.once(draw.choice(devices).request(host), start, load)
    link.close()


async def _paced(
    url: str, devices: Sequence[_Device], draw: random.Random, seconds: float,
    client: OperatorClient,
) -> tuple[_Load, float | None]:  # fmt: skip
    """A request when one is due, whether the ones before were answered or not."""
    load, host = _Load(), urlsplit(url).netloc
    free: asyncio.Queue[_Link] = asyncio.Queue()
    for _ in range(4 * _CONNECTIONS):
        free.put_nowait(await _Link.opened(url))
    first, tasks = time.perf_counter(), set[asyncio.Task[None]]()
    starts = asyncio.create_task(_started(client, seconds / 3))

    async def one(due: float) -> None:
        link = await free.get()
        await link.once(draw.choice(devices).request(host), due, load)
        free.put_nowait(link)

    for i in range(int(seconds * _PACED)):
        due = first + i / _PACED
        if (wait := due - time.perf_counter()) > 0:
            await asyncio.sleep(wait)
        task = asyncio.create_task(one(due))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    started = await starts
    await asyncio.gather(*tasks)
    after = [at - started for at in load.offers if at >= started]
    return load, min(after, default=None)


async def _started(client: OperatorClient, wait: float) -> float:
    """Plans and starts a rollout after `wait` seconds; when the request to start it left."""
    body = {"version": _VERSION, "stages": _STAGES, "gates": [], "approvals": 0}
    planned = await asyncio.to_thread(client.ask, "POST", "rollouts", body=body)
    await asyncio.sleep(wait)
    at = time.perf_counter()
    await asyncio.to_thread(client.ask, "POST", "rollouts", planned["id"], "start")
    return at


class _Link:
    """A kept connection; as little as makes a request and reads the answer."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def opened(cls, url: str) -> _Link:
        parts = urlsplit(url)
        return cls(*await asyncio.open_connection(parts.hostname, parts.port))

    async def once(self, request: bytes, due: float, load: _Load) -> None:
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        body = await self._reader.readexactly(length)
        now = time.perf_counter()
        load.times.append(now - due)
        if not head.startswith(b"HTTP/1.1 200"):
            load.faults.append(body.decode(errors="replace")[:100])
        elif b'"offer":null' not in body:
            load.offers.append(now)

    def close(self) -> None:
        self._writer.close()


def _enrolled(place: str) -> list[_Device]:
    devices = []
    for i in range(_DEVICES):
        key = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"%d" % i).digest())
        devices.append(_Device(f"device-{i}", key))
    opened(place).close()  # makes the tables
    import psycopg

    with psycopg.connect(place) as link, link.cursor() as cursor:
        sql = (
            "COPY devices (id, tenant, name, public_key, profile, channel, fleet_group, tags,"
            " enrolled_at, signed_at, digest, version, free_bytes, signals, signals_digest,"
            " changed_at) FROM STDIN"
        )
        with cursor.copy(sql) as copy:
            for one in devices:
                public = one.key.public_key().public_bytes_raw().hex()
                copy.write_row(
                    (one.id, _TENANT, one.id, public, "phone", "stable", "", "[]", 1.0, 0, _OLD,
                     "1", 0, "{}", "", 0.0)
                )  # fmt: skip
    return devices


def _operator(place: str, url: str) -> OperatorClient:
    key, kept = made(_TENANT, "bench", Role.ADMIN, time.time())
    state = opened(place)
    state.people.add_key(kept)
    state.close()
    return OperatorClient(url, key)


def _plain(devices: Sequence[_Device], draw: random.Random, seconds: float) -> float:
    """The same requests to an app that does nothing: answers in a second of processor time."""
    with _process(sys.executable, "-m", "benchmarks.fleet_plain") as (line, process):
        server = psutil.Process(process.pid)
        asyncio.run(_closed(line, devices, draw, 1.0))
        before = _cpu(server)
        load = asyncio.run(_closed(line, devices, draw, seconds))
        return len(load.times) / (_cpu(server) - before)


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


@contextmanager
def _server(place: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    command = ("sync", "serve", "--json", "--port", "0", "--state", place)
    with _process(sys.executable, "-m", "skerry.edge.cli", *command) as (line, process):
        yield json.loads(line)["url"], process


@contextmanager
def _process(*command: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The first line that it prints, and the process."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SKERRY_")}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=clean)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip(), process
    finally:
        process.terminate()
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()


@contextmanager
def _postgres() -> Iterator[str]:
    """A server of its own, which waits for its disk as it does by default."""
    import psycopg

    nobody = 65_534
    user = {"user": nobody, "group": nobody} if os.geteuid() == 0 else {}
    with tempfile.TemporaryDirectory() as folder, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
        free.close()
        if user:
            os.chown(folder, nobody, nobody)
        data = str(Path(folder, "data"))
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder}
        make = ["initdb", "-D", data, "-U", "skerry", "-A", "trust"]
        subprocess.run(make, check=True, **user, **quiet)  # type: ignore[call-overload]
        command = ["postgres", "-D", data, "-p", port, "-k", folder]
        server = subprocess.Popen(command, **user, **quiet)  # type: ignore[call-overload]
        try:
            url = f"postgresql://skerry@127.0.0.1:{port}/postgres"
            for _ in range(600):
                try:
                    psycopg.connect(url, connect_timeout=5).close()
                    break
                except psycopg.OperationalError:
                    time.sleep(0.1)
            yield url
        finally:
            server.terminate()
            server.wait(timeout=60)
