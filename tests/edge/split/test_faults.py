"""What a device is left with when the network or the cloud fails: an error that says so, in bounded
time, and what was verified until then."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from skerry.cloud.engines.base import Pass, Target, Verifier
from skerry.cloud.errors import RequestError, TargetError
from skerry.cloud.gateway.config import Role
from skerry.cloud.gateway.keys import made
from skerry.cloud.hints.frames import VERSION, Choosing, Open, Opened, Tokens
from skerry.cloud.hints.frames import Fault as FaultFrame
from skerry.cloud.hints.tree import Tree
from skerry.cloud.service import Service
from skerry.cloud.simulate.conditions import Conditions, Fault, FaultKind
from skerry.cloud.simulate.link import linked
from skerry.cloud.simulate.paced import Pace, PacedVerifier
from skerry.edge.errors import CloudError, CloudRefused, CloudUnavailable
from skerry.edge.escalate.options import Secret
from skerry.edge.split import exchange
from skerry.edge.split.client import SplitGeneration
from skerry.edge.split.link import Ways
from skerry.edge.split.options import SplitOptions
from tests.cloud.gateway.configured import configured
from tests.cloud.gateway.test_split import OWN
from tests.cloud.gateway.upstreams import gateway
from tests.cloud.serving import KEY, served
from tests.cloud.simulated import VOCABULARY, SimulatedVerifier, alone
from tests.edge.split.test_client import Knowing, Mute, Scripted

PROMPT = (3, 1, 4, 1, 5)
CHOOSING = Choosing(temperature=1.0, seed=3)
COUNT = 150
SAID = alone(PROMPT, CHOOSING.sampling(), COUNT)
BOUND_S = 30.0
"""Far more than any of these takes, and far less than for ever."""
LATE = 400
"""Bytes to the device: the handshake, and some tokens."""
ENDS = [FaultKind.CUT, FaultKind.TRUNCATE, FaultKind.RESET, FaultKind.FLAP]


def slow(pass_ms: float = 4.0) -> PacedVerifier:
    return PacedVerifier(SimulatedVerifier(), Pace(pass_ms=pass_ms))


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with served(slow()) as url:
        yield url


def generation(
    url: str, said: Sequence[int] = (), *, asked: Open | None = None, deadline_s: float = BOUND_S,
    key: str = KEY, resumes: int = 0, **limits: float,
) -> SplitGeneration:  # fmt: skip
    """Over one connection, where `resumes` does not say otherwise."""
    options = SplitOptions(
        base_url=url, api_key=Secret(key), transport="websocket", resumes=resumes, **limits
    )  # type: ignore[arg-type]  # fmt: skip
    ways = Ways(options)
    asked = asked or Open(VERSION, "", VOCABULARY, PROMPT, CHOOSING, max_tokens=COUNT)
    drafter = Knowing(said, wrong_every=2) if said else Mute()
    return SplitGeneration(
        options, asked, drafter, connect=lambda left: ways.connect(options.headers(), left),
        deadline_s=deadline_s, cancel=threading.Event(),
    )  # fmt: skip


def test_the_answer_is_long_enough_for_a_fault() -> None:
    assert len(SAID) == COUNT


def broken(one: SplitGeneration) -> CloudError:
    """The error that a generation ends with; what was verified before it is the target's."""
    began = time.monotonic()
    with pytest.raises(CloudError) as caught:
        list(one)
    assert time.monotonic() - began < BOUND_S
    assert caught.value.hint
    assert one.ahead.generated == SAID[: len(one.ahead.generated)]
    assert one.done is None
    return caught.value


# The network


@pytest.mark.parametrize("drafts", [False, True], ids=["alone", "with drafts"])
@pytest.mark.parametrize("kind", ENDS)
def test_a_connection_that_ends_in_mid_answer(url: str, kind: FaultKind, drafts: bool) -> None:
    fault = Fault(kind=kind, after_bytes=LATE, lasts_s=0.1)
    with linked(url, Conditions(delay_ms=1), [fault]) as far:
        one = generation(far, SAID if drafts else ())
        error = broken(one)
    assert isinstance(error, CloudUnavailable)
    assert error.retryable
    assert 0 < len(one.ahead.generated) < COUNT


@pytest.mark.parametrize("kind", ENDS)
def test_a_connection_that_ends_is_made_anew(url: str, kind: FaultKind) -> None:
    """The fault is of every connection that has brought so much: the rest takes some of them."""
    fault = Fault(kind=kind, after_bytes=LATE, lasts_s=0.1)
    with linked(url, Conditions(delay_ms=1), [fault]) as far:
        one = generation(far, SAID, resumes=20)
        assert [token for frame in one for token in frame.tokens] == SAID
    assert one.resumed > 0


def test_a_network_that_dies_in_mid_answer(url: str) -> None:
    with linked(url, None, [Fault(kind=FaultKind.STALL, after_bytes=LATE)]) as far:
        one = generation(far, idle_s=0.4)
        assert "silent" in broken(one).what
    assert 0 < len(one.ahead.generated) < COUNT


def test_a_network_that_only_stalls_loses_nothing(url: str) -> None:
    with linked(url, None, [Fault(kind=FaultKind.STALL, after_bytes=LATE, lasts_s=0.3)]) as far:
        one = generation(far, SAID, idle_s=BOUND_S)
        assert [token for frame in one for token in frame.tokens] == SAID


@pytest.mark.parametrize("said", [(), SAID], ids=["alone", "with drafts"])
def test_a_bad_network_changes_no_token(url: str, said: Sequence[int]) -> None:
    bad = Conditions(delay_ms=5, jitter_ms=20, kbit_per_s=500, loss=0.1, again_ms=30, seed=1)
    with linked(url, bad) as far:
        one = generation(far, said)
        assert [token for frame in one for token in frame.tokens] == SAID


@pytest.mark.parametrize("kind", FaultKind)
def test_a_connection_that_fails_before_it_is_open(url: str, kind: FaultKind) -> None:
    with linked(url, None, [Fault(kind=kind, lasts_s=BOUND_S)]) as far:
        one = generation(far, connect_s=0.4)
        assert isinstance(broken(one), CloudUnavailable)
    assert one.ahead.generated == []


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("403 Forbidden", CloudRefused),
        ("404 Not Found", CloudRefused),
        ("200 OK", CloudRefused),
        ("429 Too Many Requests", CloudUnavailable),
        ("502 Bad Gateway", CloudUnavailable),
        ("503 Service Unavailable", CloudUnavailable),
    ],
)
def test_a_server_that_answers_otherwise(status: str, kind: type[CloudError]) -> None:
    with saying(f"HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n".encode()) as url:
        assert isinstance(broken(generation(url)), kind)


@pytest.mark.parametrize("answer", [b"", b"220 mail.example.org ESMTP\r\n"], ids=["none", "mail"])
def test_a_server_of_something_else(answer: bytes) -> None:
    with saying(answer) as url:
        broken(generation(url))


@contextmanager
def saying(answer: bytes) -> Iterator[str]:
    """A server that says one thing to whoever comes, and hangs up."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):  # nobody came before it was closed
            one, _ = listening.accept()
            with one:
                one.recv(4_096)
                one.sendall(answer)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    with listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    thread.join(BOUND_S)


def test_after_a_flap_the_rest_is_had_from_where_it_broke(url: str) -> None:
    with linked(url, None, [Fault(kind=FaultKind.FLAP, after_bytes=LATE, lasts_s=0.1)]) as far:
        one = generation(far)
        broken(one)
        kept = one.ahead.generated
        rest = first_that_connects(far, resumed(kept))
    assert [*kept, *rest] == SAID


def resumed(kept: Sequence[int]) -> Open:
    """What asks for the tokens after those that were verified."""
    left = COUNT - len(kept)
    tokens = (*PROMPT, *kept)
    return Open(VERSION, "", VOCABULARY, tokens, CHOOSING, max_tokens=left, generated=len(kept))


def first_that_connects(url: str, asked: Open) -> list[int]:
    until = time.monotonic() + BOUND_S
    while time.monotonic() < until:
        one = generation(url, asked=asked)
        try:
            return [token for frame in one for token in frame.tokens]
        except CloudUnavailable:
            time.sleep(0.02)
    pytest.fail("it never came back")


# The device


def test_a_device_that_slept_for_a_minute_keeps_what_was_verified(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Stepped()
    monkeypatch.setattr(exchange, "time", clock)
    one = generation(url, deadline_s=50)
    frames = iter(one)
    kept = [token for _ in range(5) for token in next(frames).tokens]
    clock.ahead_s += 60
    with pytest.raises(CloudUnavailable, match="too slow"):
        list(frames)
    assert one.ahead.generated[: len(kept)] == kept
    assert one.ahead.generated == SAID[: len(one.ahead.generated)]


class Stepped:
    """A clock that a test moves on; stands in for the module `time`."""

    ahead_s = 0.0

    def monotonic(self) -> float:
        return time.monotonic() + self.ahead_s

    def perf_counter(self) -> float:
        return time.perf_counter() + self.ahead_s


def test_a_device_that_vanishes_frees_its_place() -> None:
    verifier = SimulatedVerifier()
    paced = PacedVerifier(verifier, Pace(pass_ms=4))
    with served(paced, places=2) as url:
        with linked(url, None, [Fault(kind=FaultKind.RESET, after_bytes=LATE)]) as far:
            broken(generation(far))
        eventually(lambda: verifier.opened[-1].closed)
        whole = [token for frame in generation(url) for token in frame.tokens]
    assert whole == SAID


def test_a_device_whose_network_died_frees_its_place() -> None:
    """Nothing tells the cloud: the answer is said to nobody, to its end."""
    verifier = SimulatedVerifier()
    with (
        served(PacedVerifier(verifier, Pace(pass_ms=4))) as url,
        linked(url, None, [Fault(kind=FaultKind.STALL, after_bytes=LATE)]) as far,
    ):
        broken(generation(far, idle_s=0.2))
        eventually(lambda: verifier.opened[-1].closed)


def eventually(happens: object) -> None:
    until = time.monotonic() + BOUND_S
    while time.monotonic() < until:
        if happens():  # type: ignore[operator]
            return
        time.sleep(0.01)
    pytest.fail("it never happened")


# The cloud


@contextmanager
def moving() -> Iterator[tuple[str, MovingCloud]]:
    """A cloud behind one address, whichever server runs behind it now."""
    cloud = MovingCloud()
    cloud.start()
    try:
        with linked(cloud.url) as far:
            yield far, cloud
    finally:
        cloud.stop()


class MovingCloud:
    """A cloud that can be stopped and started on one port."""

    def __init__(self) -> None:
        self._port = 0
        self._held: object = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        self._held = served(slow(), port=self._port, grace_s=0)
        url = self._held.__enter__()
        self._port = int(url.rsplit(":", 1)[1])

    def stop(self) -> None:
        self._held.__exit__(None, None, None)  # type: ignore[attr-defined]


def test_a_cloud_that_restarts_gives_the_rest() -> None:
    with moving() as (url, cloud):
        one = generation(url)
        frames = iter(one)
        next(frames)
        cloud.stop()
        with pytest.raises(CloudUnavailable):
            list(frames)
        kept = one.ahead.generated
        assert 0 < len(kept) < COUNT
        assert isinstance(broken(generation(url)), CloudUnavailable)  # nobody is there
        cloud.start()
        rest = first_that_connects(url, resumed(kept))
    assert [*kept, *rest] == SAID


def test_a_cloud_that_is_full_says_so() -> None:
    with served(slow(20), places=1) as url:
        first = iter(generation(url))
        next(first)
        error = broken(generation(url))
        assert list(first)
    assert isinstance(error, CloudUnavailable)
    assert "under way" in error.what


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("busy", CloudUnavailable),
        ("rate_limit_exceeded", CloudUnavailable),
        ("stopping", CloudUnavailable),
        ("insufficient_quota", CloudRefused),
        ("key_revoked", CloudRefused),
        ("of another version", CloudRefused),
    ],
)
def test_what_passes_over_is_told_from_what_does_not(code: str, kind: type[CloudError]) -> None:
    opened = Opened(VERSION, "m", len(PROMPT), 16)
    first = Tokens(0, tuple(SAID[:2]), 0)
    with Scripted([opened, first, FaultFrame(code, "no")]) as url:
        one = generation(url)
        assert type(broken(one)) is kind
    assert one.ahead.generated == SAID[:2]


def test_a_key_that_is_revoked_in_mid_answer(tmp_path: Path) -> None:
    services = {"own": Service(slow(40))}
    with gateway(configured(OWN), tmp_path, services) as running:
        key, kept = made("clinic", Role.USER)
        running.state.add_key(kept)
        eventually(lambda: kept.id in running.parts.gate.keys.ids)
        one = generation(running.url, key=key)
        frames = iter(one)
        next(frames)
        running.state.revoke_key(kept.id, time.time())
        with pytest.raises(CloudRefused, match="revoked"):
            list(frames)
        with pytest.raises(CloudRefused, match="serves no split inference"):
            list(generation(running.url, key=key))
    assert one.ahead.generated == SAID[: len(one.ahead.generated)]


@pytest.mark.parametrize("fault", ["engine", "context"])
def test_a_target_that_fails_in_mid_answer(fault: str) -> None:
    with served(Failing(SimulatedVerifier(), fault)) as url:
        one = generation(url)
        error = broken(one)
    assert isinstance(error, CloudRefused)
    assert len(one.ahead.generated) == 10


class Failing:
    """A verifier whose targets fail after ten passes."""

    def __init__(self, verifier: Verifier, fault: str) -> None:
        self._verifier, self._fault = verifier, fault
        self.facts = verifier.facts

    async def open(self, *args: object, **options: object) -> FailingTarget:
        target = await self._verifier.open(*args, **options)  # type: ignore[arg-type]
        return FailingTarget(target, self._fault)

    async def close(self) -> None:
        await self._verifier.close()


class FailingTarget:
    cached = 0

    def __init__(self, target: Target, fault: str) -> None:
        self._target, self._left = target, 10
        self._error = {
            "engine": TargetError("the engine failed", hint="look into its log"),
            "context": RequestError("the target's context is full", hint="ask with less"),
        }[fault]

    async def look(self, tree: Tree) -> Pass:
        self._left -= 1
        if self._left < 0:
            raise self._error
        return await self._target.look(tree)

    async def close(self) -> None:
        await self._target.close()
