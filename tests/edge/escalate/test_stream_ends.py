"""The cloud tier against real sockets: trying again, deadlines, cancelling, the open circuit."""

from __future__ import annotations

import gc
import queue
import subprocess
import sys
import threading
import time
from concurrent.futures import Future

import pytest

from skerry.edge.engines.base import FinishReason
from skerry.edge.errors import CloudRefused, CloudUnavailable
from skerry.edge.escalate import CircuitState, CloudStream
from skerry.edge.escalate.meter import Meter
from tests.edge.escalate.conftest import (
    GOOD,
    WELL,
    Connection,
    Make,
    Script,
    Serve,
    ask,
    drip,
    fail,
    hang,
    head,
    say,
    text_of,
)


def test_tries_again_before_the_first_token(serve: Serve, make_tier: Make) -> None:
    server = serve(fail(503), say(), say(GOOD))
    stream = ask(make_tier(server.url))
    assert text_of(stream) == "Every morning."
    bodies = [request.body for request in server.requests]
    assert len(bodies) == stream.egress.attempts == 3
    assert len(set(bodies)) == 1
    assert stream.egress.bytes_sent == sum(map(len, bodies))


def test_never_tries_again_after_text_was_given_out(serve: Serve, make_tier: Make) -> None:
    server = serve(say(WELL), say(GOOD))
    stream = ask(make_tier(server.url))
    assert next(stream).text == "Well, "
    with pytest.raises(CloudUnavailable):
        next(stream)
    assert len(server.requests) == 1


def test_waits_as_long_as_the_server_asks(serve: Serve, make_tier: Make) -> None:
    server = serve(fail(429, retry_after="1"), say(GOOD))
    started = time.monotonic()
    assert text_of(ask(make_tier(server.url))) == "Every morning."
    assert 1.0 <= time.monotonic() - started < 3


def test_does_not_wait_past_the_deadline(serve: Serve, make_tier: Make) -> None:
    server = serve(fail(429, retry_after="3"), say(GOOD))
    started = time.monotonic()
    with pytest.raises(CloudUnavailable, match="429"):
        text_of(ask(make_tier(server.url), deadline_s=2.5))
    assert time.monotonic() - started < 2


@pytest.mark.parametrize("script", [hang(), hang(WELL), drip], ids=["head", "text", "comments"])
def test_the_deadline_is_over_everything(serve: Serve, make_tier: Make, script: Script) -> None:
    stream = ask(make_tier(serve(script).url, ttft_s=9, idle_s=9), deadline_s=0.4)
    started = time.monotonic()
    with pytest.raises(CloudUnavailable, match=r"deadline of 0\.4 s"):
        text_of(stream)
    assert time.monotonic() - started < 3


def test_total_s_caps_the_callers_deadline(serve: Serve, make_tier: Make) -> None:
    stream = ask(make_tier(serve(hang()).url, total_s=0.3), deadline_s=1e9)
    with pytest.raises(CloudUnavailable, match=r"deadline of 0\.3 s"):
        text_of(stream)


def test_a_dead_exchange_is_not_waited_for() -> None:
    """Such as after a fork, whose child has no thread to fill the queue."""
    late = CloudUnavailable("overdue")
    stream = CloudStream(queue.SimpleQueue(), Future(), Meter("x"), late, 0.05)
    with pytest.raises(CloudUnavailable, match="overdue"):
        next(stream)


def watched(closed: queue.SimpleQueue[float], *parts: bytes) -> Script:
    def script(connection: Connection) -> None:
        for part in parts:
            connection.send(part)
        connection.wait_for_close()
        closed.put(time.monotonic())

    return script


@pytest.mark.parametrize("parts", [(), (head(),), (WELL,)], ids=["nothing", "head", "text"])
@pytest.mark.parametrize("way", ["cancel", "close", "drop", "tier"])
def test_cancelling_closes_the_connection_at_once(
    serve: Serve, make_tier: Make, parts: tuple[bytes, ...], way: str
) -> None:
    closed: queue.SimpleQueue[float] = queue.SimpleQueue()
    server = serve(watched(closed, *parts))
    cancel = threading.Event()
    tier = make_tier(server.url, ttft_s=9, idle_s=9)
    stream = ask(tier, cancel=cancel)
    while not server.requests:
        time.sleep(0.01)
    if parts == (WELL,):
        assert next(stream).text == "Well, "
    asked = time.monotonic()
    if way == "cancel":
        cancel.set()
        assert [piece.finish for piece in stream] == [FinishReason.CANCELLED]
    elif way == "close":
        stream.close()
        stream.close()
        assert list(stream) == []
    elif way == "tier":
        tier.close()
        assert [piece.finish for piece in stream] == [FinishReason.CANCELLED]
    else:
        del stream
        gc.collect()
    assert closed.get(timeout=5) - asked < 1


def test_cancelled_before_it_began(serve: Serve, make_tier: Make) -> None:
    server = serve(say(GOOD))
    cancel = threading.Event()
    cancel.set()
    stream = ask(make_tier(server.url), cancel=cancel)
    assert [piece.finish for piece in stream] == [FinishReason.CANCELLED]
    assert (server.connections, stream.egress.attempts) == ([], 0)


def test_cancelling_while_waiting_to_try_again(serve: Serve, make_tier: Make) -> None:
    server = serve(fail(429, retry_after="5"), say(GOOD))
    cancel = threading.Event()
    stream = ask(make_tier(server.url), cancel=cancel)
    threading.Timer(0.2, cancel.set).start()
    started = time.monotonic()
    assert [piece.finish for piece in stream] == [FinishReason.CANCELLED]
    assert time.monotonic() - started < 3
    assert len(server.requests) == 1


def test_a_closed_tier_says_so(serve: Serve, make_tier: Make) -> None:
    tier = make_tier(serve(say(GOOD)).url)
    text_of(ask(tier))
    tier.close()
    tier.close()
    with pytest.raises(RuntimeError, match="closed"):
        ask(tier)


def test_going_offline_stops_the_next_try(serve: Serve, make_tier: Make) -> None:
    server = serve(fail(503))
    tier = make_tier(server.url, offline=lambda: bool(server.requests))
    assert tier.available()
    with pytest.raises(CloudUnavailable, match="offline"):
        text_of(ask(tier))
    assert len(server.requests) == 1
    assert not tier.available()


def test_the_circuit_opens_and_closes(serve: Serve, make_tier: Make) -> None:
    server = serve(fail(500), fail(500), say(GOOD))
    tier = make_tier(server.url, breaker_failures=2, breaker_cooldown_s=1.0)
    for _ in range(2):
        assert tier.available()
        with pytest.raises(CloudUnavailable):
            text_of(ask(tier))
    assert tier.circuit is CircuitState.OPEN
    assert not tier.available()
    with pytest.raises(CloudUnavailable, match="failed too often"):
        ask(tier)
    assert len(server.requests) == 2
    time.sleep(1.0)
    assert tier.available()
    assert text_of(ask(tier)) == "Every morning."
    assert tier.circuit is CircuitState.CLOSED


def test_a_refusal_does_not_open_the_circuit(serve: Serve, make_tier: Make) -> None:
    tier = make_tier(serve(fail(400)).url, breaker_failures=1)
    for _ in range(2):
        with pytest.raises(CloudRefused):
            text_of(ask(tier))
    assert tier.available()


def test_a_cancelled_or_slow_answer_does_not_open_the_circuit(
    serve: Serve, make_tier: Make
) -> None:
    tier = make_tier(serve(hang(WELL)).url, breaker_failures=1, idle_s=9)
    with pytest.raises(CloudUnavailable, match="deadline"):
        text_of(ask(tier, deadline_s=0.8))
    cancel = threading.Event()
    cancel.set()
    text_of(ask(tier, cancel=cancel))
    assert tier.available()


STUCK = """
import socket, sys, threading, time
socket.getaddrinfo = lambda *args, **more: time.sleep(60)  # a name server that never replies
from skerry.edge.engines.base import Sampling
from skerry.edge.errors import CloudUnavailable
from skerry.edge.escalate import CloudOptions, CloudTier

tier = CloudTier(CloudOptions(base_url="https://cloud.invalid", model="m"))
stream = tier.generate(
    [{"role": "user", "content": "hello"}],
    sampling=Sampling(), max_tokens=8, deadline_s=0.5, cancel=threading.Event(),
)
try:
    list(stream)
except CloudUnavailable as error:
    print(error.what)
"""


def test_a_name_server_that_never_replies_holds_nothing_up() -> None:
    """Neither the caller beyond the deadline, nor the end of the process."""
    started = time.monotonic()
    ran = subprocess.run(
        [sys.executable, "-c", STUCK], check=True, timeout=30, capture_output=True, text=True
    )
    assert "deadline of 0.5 s" in ran.stdout
    assert time.monotonic() - started < 15
