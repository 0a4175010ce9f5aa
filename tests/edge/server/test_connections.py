"""What arrives on the wire byte by byte: framing that means two things, clients that are slow or
many. Sockets, since no client library would send this."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest

from skerry.edge import Runtime
from skerry.edge.parts import Parts
from skerry.edge.server import ServerOptions, bind, connections
from skerry.edge.settings import Settings
from tests.edge.page.stage import KEY, serving
from tests.edge.server.conftest import Server

JSON = b"Content-Type: application/json\r\n"


def wire(url: str, timeout: float = 10) -> socket.socket:
    where = urlsplit(url)
    assert where.hostname
    return socket.create_connection((where.hostname, where.port or 80), timeout=timeout)


def read_all(sent: socket.socket) -> bytes:
    """What comes until the server closes; what came if it does not."""
    got = b""
    with suppress(TimeoutError, ConnectionResetError):
        while data := sent.recv(65536):
            got += data
    return got


@dataclass(frozen=True)
class Framing:
    """A request after its authorization; every one of them is answered once, and closed."""

    name: str
    start: bytes
    rest: bytes
    status: int = 400


NEXT = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
POST = b"POST /v1/chat/completions"
FRAMINGS = [
    Framing("both lengths", POST,
            b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    Framing("two lengths", POST, b"Content-Length: 0\r\nContent-Length: 5\r\n\r\n"),
    Framing("a negative length", POST, b"Content-Length: -1\r\n\r\n"),
    Framing("a length with a sign", POST, b"Content-Length: +5\r\n\r\n"),
    Framing("a very long length", POST, b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n"),
    Framing("chunked, misspelt", POST, b"Transfer-Encoding: xchunked\r\n\r\n"),
    Framing("a chunk without a size", POST, b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"),
    Framing("two hosts", b"GET /health", b"Host: evil.example\r\n\r\n"),
    Framing("a space in a name", b"GET /health", b"X : y\r\n\r\n"),
    Framing("a NUL in a header", b"GET /health", b"X: a\0b\r\n\r\n"),
    Framing("headers without end", b"GET /health", b"X: y\r\n" * 20_000),
    Framing("TLS", b"\x16\x03\x01\x00\xc8\x01\x00" + b"a" * 200, b"\r\n\r\n"),
]  # fmt: skip


@pytest.mark.parametrize("case", FRAMINGS, ids=lambda case: case.name)
def test_what_can_be_read_in_two_ways_is_refused(server: Server, case: Framing) -> None:
    """And what follows on the connection is not read as a request."""
    head = f" HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {server.key}\r\n".encode()
    with wire(server.url) as sent:
        sent.sendall(case.start + head + JSON + case.rest)
        with suppress(OSError):  # closed already
            sent.sendall(NEXT)
        got = read_all(sent)
    assert got.startswith(f"HTTP/1.1 {case.status}".encode())
    assert got.count(b"HTTP/1.1 ") == 1


def test_an_upgrade_is_not_made(server: Server) -> None:
    upgrade = b"Connection: Upgrade, close\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    with wire(server.url) as sent:
        sent.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n" + upgrade + b"\r\n")
        assert read_all(sent).startswith(b"HTTP/1.1 200")


def test_requests_in_a_row_are_answered_in_a_row(server: Server) -> None:
    with wire(server.url) as sent:
        last = NEXT.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
        sent.sendall(NEXT * 20 + last)
        assert read_all(sent).count(b'{"status":"ok"}') == 21


def test_headers_that_never_end(server: Server) -> None:
    with wire(server.url, 30) as slow:
        slow.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n")
        start = time.monotonic()
        assert slow.recv(100) == b""  # closed by the server
        assert 5 < time.monotonic() - start < 25


@pytest.fixture
def patient(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A server whose patience is short; nothing of it loads a model."""
    monkeypatch.setattr(connections, "UNREAD_SECONDS", 0.5)
    monkeypatch.setattr(connections, "MOST_CONNECTIONS", 40)
    places = {"index": tmp_path / "index.sqlite", "state": tmp_path / "state.sqlite"}
    runtime = Runtime.of(Parts(Settings(**places)))
    options = ServerOptions(api_key=KEY, body_seconds=1.0)
    with closing(runtime), serving(runtime, options) as url:
        yield url


def test_a_body_that_comes_a_byte_at_a_time(patient: str) -> None:
    head = f"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {KEY}\r\n"
    with wire(patient, 0.1) as slow:
        slow.sendall(head.encode() + JSON + b"Content-Length: 1000\r\n\r\n")
        end = time.monotonic() + 10
        got = b""
        while not got and time.monotonic() < end:
            slow.sendall(b" ")
            got = read_all(slow)
    assert got.startswith(b"HTTP/1.1 408")
    assert json.loads(got.rpartition(b"\r\n\r\n")[2])["error"]["code"] == "timeout"


def test_an_answer_that_nobody_reads(patient: str) -> None:
    """What does not fit into the buffers in between waits for a while, not for ever."""
    with wire(patient, 15) as lazy, pytest.raises((ConnectionResetError, BrokenPipeError)):
        ask_on(lazy)


def ask_on(lazy: socket.socket, seconds: float = 14) -> None:
    """Asks for more and more, and reads nothing."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        lazy.sendall(b"GET /page/style.css HTTP/1.1\r\nHost: localhost\r\n\r\n" * 50)


def test_idle_connections_do_not_keep_others_out(patient: str) -> None:
    with ExitStack() as crowd:
        for _ in range(200):
            crowd.enter_context(wire(patient))
        assert httpx2.get(f"{patient}/health", timeout=5).status_code == 200


def test_what_is_no_http_is_an_error_in_json(server: Server) -> None:
    with wire(server.url) as sent:
        sent.sendall(b"NOT HTTP AT ALL\r\n\r\n")
        head, _, body = read_all(sent).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert b"application/json" in head
    error = json.loads(body)["error"]
    assert (error["code"], error["type"]) == ("invalid_http", "invalid_request_error")


async def test_small_writes_do_not_wait_for_the_readers_word() -> None:
    """Nagle's algorithm and delayed acknowledgements together keep each back for 40 ms."""
    made: asyncio.Future[asyncio.BaseTransport] = asyncio.get_running_loop().create_future()

    class Taken(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            made.set_result(transport)

    with bind("127.0.0.1", 0) as bound, socket.socket() as client:
        server = await asyncio.get_running_loop().create_server(Taken, sock=bound)
        async with server:
            client.connect(bound.getsockname())
            taken = (await made).get_extra_info("socket")
            assert taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            (await made).close()
