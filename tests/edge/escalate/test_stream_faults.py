"""The cloud tier against real sockets: every way in which a server can go wrong."""

from __future__ import annotations

import logging
import socket
import struct
import time
from dataclasses import dataclass, field
from typing import Any

import pytest

from skerry.edge.errors import CloudError, CloudRefused, CloudUnavailable
from tests.edge.escalate.conftest import (
    GOOD,
    KEY,
    WELL,
    Connection,
    Make,
    Script,
    Serve,
    ask,
    delta,
    drip,
    event,
    fail,
    hang,
    head,
    say,
    text_of,
)


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
    connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def endless(part: bytes) -> Script:
    def script(connection: Connection) -> None:
        connection.send(head() + delta("Well, "))
        while True:
            connection.send(part)

    return script


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
