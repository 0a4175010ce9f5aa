"""Devices that draft, through a gateway."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
from msgspec.structs import replace as replaced
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from skerry.cloud.errors import Busy, CloudTierError, RequestError, TargetError
from skerry.cloud.gateway.config import Role
from skerry.cloud.gateway.keys import made
from skerry.cloud.hints.frames import (
    SUBPROTOCOL,
    VERSION,
    Done,
    Fault,
    Open,
    Opened,
    read_cloud_frame,
    written,
)
from skerry.cloud.hints.lengths import Frames
from skerry.cloud.service import Service
from tests.cloud.gateway.configured import BASE, USER, configured
from tests.cloud.gateway.upstreams import Running, gateway
from tests.cloud.simulated import VOCABULARY, SimulatedVerifier

OWN = '[models.own]\ntier = "large"\ntemplate = "b"\npath = "x.gguf"\nprice_out = 1000.0\n'
OPEN = Open(VERSION, "own", VOCABULARY, (1, 2, 3), max_tokens=8)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    with gateway(configured(OWN), tmp_path, {"own": Service(SimulatedVerifier())}) as one:
        yield one


@contextmanager
def _connected(running: Running, key: str = USER, **headers: str) -> Iterator[ClientConnection]:
    url = running.url.replace("http", "ws") + "/v1/split"
    shown = {"authorization": f"Bearer {key}", **headers}
    with connect(url, subprotocols=[SUBPROTOCOL], additional_headers=shown) as one:
        yield one


def _next(socket: ClientConnection) -> object:
    data = socket.recv(timeout=20)
    assert isinstance(data, bytes)
    return read_cloud_frame(data)


def _all(socket: ClientConnection, opening: Open = OPEN) -> list[object]:
    with suppress(ConnectionClosed):  # refused before it was asked: the fault is there to read
        socket.send(written(opening))
    frames = [_next(socket)]
    while not isinstance(frames[-1], Done | Fault):
        frames.append(_next(socket))
    return frames


def _until(true: Callable[[], Any]) -> Any:
    end = time.monotonic() + 20
    while not (found := true()):
        assert time.monotonic() < end, "it never came"
        time.sleep(0.01)
    return found


def test_a_generation_and_what_it_used(running: Running) -> None:
    with _connected(running) as socket:
        frames = _all(socket)
    assert isinstance(frames[0], Opened)
    assert frames[0].model == "own", "the internal name, not the engine's"
    done = frames[-1]
    assert isinstance(done, Done)
    (use,) = _until(lambda: running.state.usage(""))
    assert (use.tenant, use.model, use.requests) == ("clinic", "own", 1)
    assert (use.prompt_tokens, use.completion_tokens) == (3, done.tokens)
    assert use.cost == done.tokens


def test_the_same_over_plain_http(running: Running) -> None:
    url = f"{running.url}/v1/split/http"
    headers = {"authorization": f"Bearer {USER}"}
    answer = httpx2.post(url, content=written(OPEN), headers=headers)
    opened, *_, done = [read_cloud_frame(one) for one in Frames().feed(answer.content)]
    assert isinstance(opened, Opened)
    assert isinstance(done, Done)
    (use,) = _until(lambda: running.state.usage(""))
    assert (use.tenant, use.completion_tokens) == ("clinic", done.tokens)
    other = Open(VERSION, "none", VOCABULARY, (1, 2, 3))
    answer = httpx2.post(url, content=written(other), headers=headers)
    (fault,) = [read_cloud_frame(one) for one in Frames().feed(answer.content)]
    assert isinstance(fault, Fault)
    assert fault.code == "model_not_found"
    assert httpx2.post(url, content=written(OPEN)).status_code == 401


@pytest.mark.parametrize(
    ("opening", "headers", "code"),
    [
        (Open(VERSION, "mid", b"", (1,)), {}, "model_not_found"),
        (Open(VERSION, "simulated", b"", (1,)), {}, "model_not_found"),
        (OPEN, {"x-skerry-template": "a"}, "template_changed"),
        (OPEN, {"x-skerry-deadline-ms": "0"}, "invalid_value"),
    ],
)
def test_what_is_refused_is_a_fault(
    running: Running, opening: Open, headers: dict[str, str], code: str
) -> None:
    with _connected(running, **headers) as socket:
        (fault,) = _all(socket, opening)
    assert isinstance(fault, Fault)
    assert fault.code == code
    assert running.state.usage("") == []


@pytest.mark.parametrize(
    ("model", "headers", "answers"),
    [
        ("", {}, "own"),
        ("", {"x-skerry-class": "deep"}, "thinks"),
        ("", {"x-skerry-class": "quick"}, "own"),
        ("", {"x-skerry-class": "one of the device's own router"}, "own"),
        ("reasoning", {}, "thinks"),
        ("own", {"x-skerry-class": "deep"}, "own"),
    ],
)
def test_which_model_verifies(
    tmp_path: Path, model: str, headers: dict[str, str], answers: str
) -> None:
    more = '[models.thinks]\ntier = "reasoning"\ntemplate = "b"\nreplicas = ["http://a"]\n'
    classes = '[classes.deep]\ntier = "reasoning"\n[classes.quick]\ntier = "mid"\n'
    services = {name: Service(SimulatedVerifier()) for name in ("own", "thinks")}
    config = configured(OWN + more + classes)
    with (
        gateway(config, tmp_path, services) as running,
        _connected(running, **headers) as socket,
    ):
        opened = _all(socket, Open(VERSION, model, b"", (1,), max_tokens=2))[0]
    assert isinstance(opened, Opened)
    assert opened.model == answers


def test_a_canary_has_its_share_of_sessions_and_keeps_them(tmp_path: Path) -> None:
    canary = 'canary = { model = "new", share = 0.5 }\n'
    config = configured(OWN + canary + OWN.replace("models.own", "models.new"))
    services = {name: Service(SimulatedVerifier()) for name in ("own", "new")}
    with gateway(config, tmp_path, services) as running:

        def answered(session: str) -> str:
            with _connected(running) as socket:
                opened = _all(socket, Open(VERSION, "own", VOCABULARY, (1,), session=session))[0]
            assert isinstance(opened, Opened)
            return opened.model

        first = [answered(str(one)) for one in range(12)]
        assert [answered(str(one)) for one in range(12)] == first
        assert set(first) == {"own", "new"}
        assert answered("") == "own"
        services["new"].verifier.facts = replace(services["new"].verifier.facts, vocabulary=b"x")
        assert {answered(str(one)) for one in range(12)} == {"own"}


class Refusing(SimulatedVerifier):
    """Lets nobody in."""

    def __init__(self, why: CloudTierError) -> None:
        super().__init__()
        self.why = why

    async def open(self, *_: Any, **__: Any) -> Any:
        raise self.why


SPARE = 'fallback = ["spare"]\n' + OWN.replace("models.own", "models.spare")
WHYS = [Busy("no room"), TargetError("it broke")]


@contextmanager
def _with_a_spare(
    tmp_path: Path, why: CloudTierError, *, base: str = BASE, **facts: object
) -> Iterator[Running]:
    spare = SimulatedVerifier()
    spare.facts = replace(spare.facts, **facts)  # type: ignore[arg-type]
    services = {"own": Service(Refusing(why)), "spare": Service(spare)}
    with gateway(configured(OWN + SPARE, base=base), tmp_path, services) as running:
        yield running


@pytest.mark.parametrize("why", WHYS, ids=lambda one: one.code)
def test_a_model_of_the_same_tokens_takes_the_place_of_one_that_lets_nobody_in(
    tmp_path: Path, why: CloudTierError
) -> None:
    with _with_a_spare(tmp_path, why) as running, _connected(running) as socket:
        opened, *_, done = _all(socket)
        assert isinstance(opened, Opened)
        assert opened.model == "spare"
        assert isinstance(done, Done)
        (use,) = _until(lambda: running.state.usage(""))
        assert (use.model, use.requests, use.completion_tokens) == ("spare", 1, done.tokens)


NO_SPARE: dict[str, tuple[Open, dict[str, Any]]] = {
    "it has other tokens": (OPEN, {"vocabulary": b"x" * 32}),
    "nobody knows its tokens": (OPEN, {"vocabulary": b""}),
    "its context is shorter": (OPEN, {"context_tokens": 3}),
    "the answer has begun": (replaced(OPEN, generated=1), {}),
    "it is not the tenant's": (OPEN, {"base": BASE.replace(
        "[tenants.clinic]\n", '[tenants.clinic]\nmodels = ["own"]\n')}),
}  # fmt: skip


@pytest.mark.parametrize(("opening", "given"), NO_SPARE.values(), ids=NO_SPARE)
def test_no_other_takes_its_place_where(
    tmp_path: Path, opening: Open, given: dict[str, Any]
) -> None:
    with (
        _with_a_spare(tmp_path, Busy("no room"), **given) as running,
        _connected(running) as socket,
    ):
        (fault,) = _all(socket, opening)
    assert isinstance(fault, Fault)
    assert (fault.code, fault.what) == ("busy", "no room")


def test_what_is_wrong_with_a_request_is_no_other_models_business(tmp_path: Path) -> None:
    with (
        _with_a_spare(tmp_path, RequestError("too odd")) as running,
        _connected(running) as socket,
    ):
        (fault,) = _all(socket)
    assert isinstance(fault, Fault)
    assert fault.code == "bad_request"


def test_what_is_too_long_does_not_wait_for_a_place(tmp_path: Path) -> None:
    few = "[limits]\nplaces = 1\nwait_seconds = 60.0\n"
    services = {"own": Service(SimulatedVerifier())}
    with gateway(configured(few + OWN), tmp_path, services) as running:
        endless = Open(VERSION, "own", b"", (1, 2, 3), max_tokens=100_000)
        with _connected(running) as one, _connected(running) as two:
            one.send(written(endless))
            assert isinstance(_next(one), Opened)
            most = services["own"].verifier.facts.context_tokens
            (fault,) = _all(two, replaced(OPEN, tokens=(1,) * most))
            assert isinstance(fault, Fault)
            assert "context" in fault.what
            one.close_timeout = 0.1


def test_a_wrong_key_is_answered_before_anything_is_opened(running: Running) -> None:
    with pytest.raises(InvalidStatus, match="403"), _connected(running, "wrong"):
        pass


def test_nonsense_is_a_fault(running: Running) -> None:
    for nonsense in ("text", b"\xff\xff", b""):
        with _connected(running) as socket:
            socket.send(nonsense)
            fault = _next(socket)
        assert isinstance(fault, Fault)
        assert fault.code == "bad_frame"


def test_one_tenant_leaves_places_to_the_others(tmp_path: Path) -> None:
    few = "[limits]\nplaces = 3\nwaiting = 4\nwait_seconds = 0.2\n"
    base = BASE.replace("[tenants.clinic]\n", "[tenants.clinic]\nplaces = 2\n")
    services = {"own": Service(SimulatedVerifier())}
    with gateway(configured(few + OWN, base=base), tmp_path, services) as running:
        endless = Open(VERSION, "own", b"", (1, 2, 3), max_tokens=100_000)
        with _connected(running) as one, _connected(running) as two, _connected(running) as three:
            for socket in (one, two):
                socket.send(written(endless))
                assert isinstance(_next(socket), Opened)
            assert [type(frame) for frame in _all(three)] == [Fault]
            one.close_timeout = two.close_timeout = 0.1


def test_thousands_of_connections_of_one_tenant(tmp_path: Path) -> None:
    few = "[limits]\nplaces = 2\nwaiting = 2\n"
    base = BASE.replace("[tenants.clinic]\n", "[tenants.clinic]\nplaces = 1\nburst = 9999\n")
    services = {"own": Service(SimulatedVerifier())}
    with ExitStack() as stack:
        running = stack.enter_context(gateway(configured(few + OWN, base=base), tmp_path, services))
        sockets = [stack.enter_context(_connected(running)) for _ in range(3)]
        fault = _next(sockets[2])
    assert isinstance(fault, Fault)
    assert fault.code == "queue_full"


def test_a_revoked_key_ends_a_generation(running: Running) -> None:
    key, kept = made("clinic", Role.USER)
    running.state.add_key(kept)
    _until(lambda: kept.id in running.parts.gate.keys.ids)
    with _connected(running, key) as socket:
        running.state.revoke_key(kept.id, time.time())
        fault = _next(socket)
    assert isinstance(fault, Fault)
    assert fault.code == "key_revoked"
