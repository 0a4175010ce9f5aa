"""The cloud tier against real sockets: good answers, and every way in which one can go wrong."""

from __future__ import annotations

import gc
import itertools
import json
import logging
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skerry.edge.engines.base import FinishReason, Piece, Sampling
from skerry.edge.errors import CloudError, CloudRefused, CloudUnavailable
from skerry.edge.escalate import CircuitState, CloudStream, CloudTier, RemoteStream, RemoteTier
from skerry.edge.escalate.meter import UNKNOWN_SEED, Meter
from tests.edge.escalate.conftest import (
    DONE,
    GOOD,
    KEY,
    USAGE,
    Connection,
    Script,
    ScriptedServer,
    ask,
    delta,
    event,
    fail,
    hang,
    head,
    say,
    text_of,
)

Serve = Callable[..., ScriptedServer]
Make = Callable[..., CloudTier]


def test_a_good_answer(serve: Serve, make_tier: Make) -> None:
    server = serve(say(GOOD))
    tier = make_tier(server.url)
    assert isinstance(tier, RemoteTier)
    stream = ask(tier)
    assert isinstance(stream, RemoteStream)
    pieces = list(stream)
    assert [piece.text for piece in pieces] == ["Every ", "morning.", ""]
    assert [piece.finish for piece in pieces] == [None, None, FinishReason.STOP]
    usage = pieces[-1].usage
    assert usage is not None
    assert (usage.prompt_tokens, usage.cached_tokens, usage.completion_tokens) == (12, 8, 3)
    assert usage.seed == UNKNOWN_SEED
    assert min(usage.queued_ms, usage.prefill_ms, usage.decode_ms) >= 0
    assert list(stream) == []


def test_the_request(serve: Serve, make_tier: Make) -> None:
    server = serve(say(GOOD))
    sampling = Sampling(temperature=0.5, top_k=9, frequency_penalty=0.1, seed=7)
    stream = ask(make_tier(server.url), sampling=sampling, max_tokens=9, stop=["\n"])
    pieces = list(stream)
    (request,) = server.requests
    assert request.head.startswith("POST /v1/chat/completions HTTP/1.1\r\n")
    assert request.header("authorization") == f"Bearer {KEY}"
    assert request.header("accept-encoding") == "identity"
    assert json.loads(request.body) == {
        "model": "m",
        "messages": [{"role": "user", "content": "How often is the trolley checked?"}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": 9,
        "temperature": 0.5,
        "top_p": 1.0,
        "frequency_penalty": 0.1,
        "seed": 7,
        "stop": ["\n"],
    }
    assert pieces[-1].usage is not None
    assert pieces[-1].usage.seed == 7
    assert stream.egress.bytes_sent == len(request.body)
    assert stream.egress.bytes_received == len(GOOD.partition(b"\r\n\r\n")[2])
    assert stream.egress.destination == f"127.0.0.1:{server.port}"
    assert stream.egress.attempts == 1


def test_a_reasoning_request(serve: Serve, make_tier: Make) -> None:
    thoughts = delta(reasoning_content="hm") + delta("7")
    server = serve(say(head() + thoughts + delta(finish="stop") + DONE))
    tier = make_tier(server.url, reasoning_model="thinker")
    assert text_of(ask(tier, reasoning=True, max_tokens=99)) == "7"
    sent = json.loads(server.requests[0].body)
    assert (sent["model"], sent["max_completion_tokens"]) == ("thinker", 99)
    assert not {"max_tokens", "temperature", "top_p"} & set(sent)


def test_hidden_thoughts_may_take_longer_than_ttft(serve: Serve, make_tier: Make) -> None:
    def think(connection: Connection) -> None:
        time.sleep(0.5)
        connection.send(GOOD)

    server = serve(think)
    tier = make_tier(server.url, reasoning_model="thinker", ttft_s=0.2)
    assert text_of(ask(tier, reasoning=True)) == "Every morning."
    with pytest.raises(CloudUnavailable, match=r"no text within 0\.2 s"):
        text_of(ask(tier))


def test_without_a_reasoning_model_the_model_reasons(serve: Serve, make_tier: Make) -> None:
    server = serve(say(GOOD))
    text_of(ask(make_tier(server.url), reasoning=True))
    sent = json.loads(server.requests[0].body)
    assert (sent["model"], sent["max_tokens"], sent["temperature"]) == ("m", 32, 0.0)


LENIENT = {
    "no [DONE]": head() + delta("Yes.") + delta(finish="stop"),
    "no finish reason": head() + delta("Yes.") + DONE,
    "no usage": head() + delta("Yes.") + delta(finish="stop") + DONE,
    "finish with the text": head() + delta("Yes.", finish="stop") + DONE,
    "pings and comments": head()
    + b": wait\n\n"
    + delta("Ye")
    + event({"type": "ping"})
    + b": wait\n\n"
    + delta("s.")
    + delta(finish="stop")
    + DONE,
    "CRLF": head() + (delta("Yes.") + delta(finish="stop") + DONE).replace(b"\n", b"\r\n"),
    "no space after the colon": head() + (delta("Yes.") + DONE).replace(b"data: ", b"data:"),
    "event names and ids": head() + b"event: x\nid: 1\n" + delta("Yes.") + DONE,
    "media type in capitals": head(kind="Text/Event-Stream; charset=utf-16") + delta("Yes.") + DONE,
    "text after the end": head() + delta("Yes.", finish="stop") + delta(" No.") + DONE,
    "broken after the end": head() + delta("Yes.", finish="stop") + event("{"),
}


@pytest.mark.parametrize("answer", LENIENT.values(), ids=LENIENT.keys())
def test_servers_differ(serve: Serve, make_tier: Make, answer: bytes) -> None:
    pieces = list(ask(make_tier(serve(say(answer)).url)))
    assert "".join(piece.text for piece in pieces) == "Yes."
    assert pieces[-1].finish is FinishReason.STOP
    assert pieces[-1].usage is not None


def test_a_stall_after_the_end_loses_nothing(serve: Serve, make_tier: Make) -> None:
    server = serve(hang(head() + delta("Yes.", finish="length")))
    pieces = list(ask(make_tier(server.url, idle_s=0.2)))
    assert (pieces[0].text, pieces[-1].finish) == ("Yes.", FinishReason.LENGTH)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    text=st.text(
        st.characters(codec="utf-8", exclude_categories=["Cc", "Cf"]), min_size=1, max_size=40
    ),
    cuts=st.lists(st.integers(1, 400), max_size=6),
)
def test_text_survives_any_cut_of_the_stream(
    serve: Serve, make_tier: Make, text: str, cuts: list[int]
) -> None:
    raw = json.dumps({"choices": [{"delta": {"content": text}}]}, ensure_ascii=False).encode()
    escaped = delta(text)
    body = b"data: " + raw + b"\n\n" + escaped + delta(finish="stop") + DONE
    edges = [0, *sorted({cut % len(body) for cut in cuts}), len(body)]
    parts = [body[a:b] for a, b in itertools.pairwise(edges)]
    assert text_of(ask(make_tier(serve(say(head(), *parts)).url))) == text * 2


@dataclass(frozen=True)
class Fault:
    """A server's misbehaviour, the error that comes of it, and what was given out before."""

    name: str
    script: Script
    kind: type[CloudError]
    says: str
    text: str = ""
    attempts: int = 1
    options: dict[str, Any] = field(default_factory=dict)


def reset(connection: Connection) -> None:
    """Closes with an RST, as a crashed or firewalled server does."""
    import socket
    import struct

    connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def endless(part: bytes) -> Script:
    def script(connection: Connection) -> None:
        connection.send(head() + delta("Well, "))
        while True:
            connection.send(part)

    return script


def drip(connection: Connection) -> None:
    """Sends comments for ever: the connection lives, the answer does not."""
    connection.send(head() + delta("Well, "))
    while True:
        connection.send(b": still here\n\n")
        time.sleep(0.05)


WELL = head() + delta("Well, ")
TRUNCATED = head(Content_Length="900") + delta("Well, ")
SMALL = {"max_response_bytes": 100_000}
SILENT = {"ttft_s": 0.3}
STALLED = {"ttft_s": 5.0, "idle_s": 0.3}
NOT_ALIKE = "did not answer like an OpenAI-compatible"

FAULTS = [
    Fault("closes at once", say(), CloudUnavailable, "broke", attempts=3),
    Fault("resets", reset, CloudUnavailable, "broke", attempts=3),
    Fault("speaks no HTTP", say(b"SSH-2.0-OpenSSH_9.2\r\n"), CloudUnavailable, "broke", attempts=3),
    Fault("endless head", say(b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 50_000), CloudUnavailable,
          "broke", attempts=3),
    Fault("says nothing", hang(), CloudUnavailable, r"no text within 0\.3 s", options=SILENT),
    Fault("head and nothing", hang(head()), CloudUnavailable, "no text within", options=SILENT),
    Fault("role and nothing", hang(head() + delta(role="assistant")), CloudUnavailable,
          "no text within", options=SILENT),
    Fault("empty stream", say(head()), CloudUnavailable, "before it was whole", attempts=3),
    Fault("400", fail(400, '{"error": {"message": "bad seed"}}'), CloudRefused, "400: bad seed"),
    Fault("401 echoing the key", fail(401, f'{{"error": "no {KEY}"}}'), CloudRefused,
          r"401: no \*+$"),
    Fault("echo in a header", fail(200, "", f"text/{KEY}"), CloudRefused, r"text/\*+ instead"),
    Fault("echo in a redirect", fail(302, location=f"http://x/{KEY}"), CloudRefused, r"x/\*+"),
    Fault("404 page", fail(404, "<html>nope</html>", "text/html"), CloudRefused, "404: <html>nope"),
    Fault("429", fail(429), CloudUnavailable, "429", attempts=3),
    Fault("429 for long", fail(429, retry_after="3600"), CloudUnavailable, "429"),
    Fault("500", fail(500), CloudUnavailable, "500"),
    Fault("502", fail(502), CloudUnavailable, "502", attempts=3),
    Fault("503", fail(503), CloudUnavailable, "503", attempts=3),
    Fault("504", fail(504), CloudUnavailable, "504", attempts=3),
    Fault("redirect", fail(307, location="http://127.0.0.1:9/v1"), CloudRefused, "redirects to"),
    Fault("endless error", fail(400, "no " * 1_000_000), CloudRefused, "400: no no"),
    Fault("stalled error", hang(head(400)), CloudUnavailable, "no text within", options=SILENT),
    Fault("sign-in page", fail(200, "<html>", "text/html"), CloudRefused, NOT_ALIKE),
    Fault("no stream", fail(200, '{"choices": []}'), CloudRefused, NOT_ALIKE),
    Fault("compressed", say(head(content_encoding="gzip") + b"\x1f\x8b"), CloudRefused, NOT_ALIKE),
    Fault("malformed JSON", say(WELL + event('{"cho')), CloudRefused, "not JSON", "Well, "),
    Fault("gigantic line", say(WELL + b"data: " + b"x" * 300_000), CloudRefused, "limit", "Well, "),
    Fault("gigantic event", say(WELL + b"data: x\n" * 50_000), CloudRefused, "limit", "Well, "),
    Fault("endless text", endless(delta("and " * 200)), CloudRefused, "more than 100,000 bytes",
          "Well, and ", options=SMALL),
    Fault("endless comments", endless(b": \n\n" * 500), CloudRefused, "more than 100,000 bytes",
          "Well, ", options=SMALL),
    Fault("stalls", hang(WELL), CloudUnavailable, r"stalled for 0\.3 s", "Well, ", options=STALLED),
    Fault("only comments", drip, CloudUnavailable, "stalled", "Well, ", options=STALLED),
    Fault("truncated", say(WELL), CloudUnavailable, "before it was whole", "Well, "),
    Fault("cut short", say(TRUNCATED), CloudUnavailable, "broke", "Well, "),
    Fault("error object", say(WELL + event({"error": {"message": "CUDA"}})), CloudUnavailable,
          "CUDA", "Well, "),
    Fault("error 400 inside", say(WELL + event({"error": {"message": "x", "code": 400}})),
          CloudRefused, "400: x", "Well, "),
    Fault("error 503 first", say(head() + event({"error": {"code": 503}})), CloudUnavailable, "503",
          attempts=3),
    Fault("filtered", say(WELL + delta(finish="content_filter")), CloudRefused, "filter", "Well, "),
]  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_faults(
    serve: Serve, make_tier: Make, caplog: pytest.LogCaptureFixture, fault: Fault
) -> None:
    caplog.set_level(logging.INFO)
    stream = ask(make_tier(serve(fault.script).url, **fault.options))
    given_out: list[str] = []
    started = time.monotonic()
    with pytest.raises(fault.kind, match=fault.says) as caught:
        given_out.extend(piece.text for piece in stream)
    assert time.monotonic() - started < 5
    assert "".join(given_out).startswith(fault.text)
    assert bool(given_out) == bool(fault.text)
    assert stream.egress.attempts == fault.attempts
    assert caught.value.hint
    assert KEY not in f"{caught.value} {caught.value.hint} {caught.value!r} {caplog.text}"
    assert list(stream) == []


def test_the_key_is_in_no_log(
    serve: Serve, make_tier: Make, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server = serve(fail(503), say(GOOD))
    text_of(ask(make_tier(server.url, headers={"X-Token": "also-hidden"})))
    assert server.requests[0].header("x-token") == "also-hidden"
    assert "HTTP Request: POST" in caplog.text
    assert KEY not in caplog.text
    assert "also-hidden" not in caplog.text


def test_nothing_listens(make_tier: Make) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    stream = ask(make_tier(f"http://127.0.0.1:{port}"))
    with pytest.raises(CloudUnavailable, match="no connection to"):
        text_of(stream)
    assert (stream.egress.attempts, stream.egress.bytes_sent) == (3, 0)


def test_no_such_host(make_tier: Make) -> None:
    with pytest.raises(CloudUnavailable, match=r"no connection to cloud\.invalid"):
        text_of(ask(make_tier("https://cloud.invalid")))


def test_the_environments_proxy_is_not_used(
    serve: Serve, make_tier: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert text_of(ask(make_tier(serve(say(GOOD)).url))) == "Every morning."


def test_a_proxy_that_was_set_is_used(serve: Serve, make_tier: Make) -> None:
    proxy = serve(say(GOOD))
    tier = make_tier("http://127.0.0.1:9", proxy=proxy.url)
    assert text_of(ask(tier)) == "Every morning."
    assert proxy.requests[0].head.startswith("POST http://127.0.0.1:9/v1/chat/completions")


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


def test_many_at_once(serve: Serve, make_tier: Make) -> None:
    tier = make_tier(serve(say(GOOD)).url)
    texts: list[str] = []
    threads = [threading.Thread(target=lambda: texts.append(text_of(ask(tier)))) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert texts == ["Every morning."] * 16


def test_a_slow_reader_loses_nothing(serve: Serve, make_tier: Make) -> None:
    server = serve(say(head(), *[delta(f"{n} ") for n in range(50)], delta(finish="stop") + DONE))
    stream = ask(make_tier(server.url, idle_s=0.2))
    time.sleep(0.5)
    assert text_of(stream) == "".join(f"{n} " for n in range(50))


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


def test_what_a_piece_is(serve: Serve, make_tier: Make) -> None:
    """Every text piece is plain text: no log-probabilities are asked for or made up."""
    pieces = list(ask(make_tier(serve(say(head() + delta("Hi.") + USAGE + DONE)).url)))
    assert pieces[0] == Piece("Hi.")
    assert pieces[-1].usage is not None
    assert pieces[-1].usage.stats is None
