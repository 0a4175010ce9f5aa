"""A server that follows a script, on a real socket: the cloud as it is on a bad day."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import trustme

from skerry.edge.engines.base import Sampling
from skerry.edge.escalate import CloudOptions, CloudStream, CloudTier, Secret

KEY = "sk-test-0123456789abcdef"
MESSAGES = ({"role": "user", "content": "How often is the trolley checked?"},)


@dataclass
class Connection:
    """One accepted connection, and the request that was read from it."""

    socket: socket.socket
    head: str = ""
    body: bytes = b""

    def read_request(self) -> bool:
        """Reads a request; False if the client closed instead."""
        data = b""
        while b"\r\n\r\n" not in data:
            part = self.socket.recv(65536)
            if not part:
                return False
            data += part
        head, _, body = data.partition(b"\r\n\r\n")
        self.head = head.decode("latin-1")
        length = int(self.header("content-length") or 0)
        while len(body) < length:
            body += self.socket.recv(65536)
        self.body = body
        return True

    def header(self, name: str) -> str | None:
        for line in self.head.split("\r\n")[1:]:
            key, _, value = line.partition(":")
            if key.lower() == name:
                return value.strip()
        return None

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def wait_for_close(self, seconds: float = 5.0) -> float:
        """Seconds until the client closed the connection; fails if it does not."""
        started = time.monotonic()
        self.socket.settimeout(seconds)
        try:
            while self.socket.recv(65536):
                pass
        except ConnectionError:
            pass
        return time.monotonic() - started


Script = Callable[[Connection], None]


@dataclass
class ScriptedServer:
    """Serves each connection by the next script; the last one is kept for all that follow."""

    scripts: list[Script]
    context: ssl.SSLContext | None = None
    connections: list[Connection] = field(default_factory=list)
    closed_after_s: list[float] = field(default_factory=list)

    def __enter__(self) -> ScriptedServer:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._listener.close()
        for connection in self.connections:
            connection.socket.close()

    @property
    def url(self) -> str:
        host = "127.0.0.1" if self.context is None else "localhost"
        return f"http{'s' if self.context else ''}://{host}:{self.port}"

    @property
    def requests(self) -> list[Connection]:
        return [connection for connection in self.connections if connection.head]

    def _accept(self) -> None:
        while True:
            try:
                accepted, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(accepted,), daemon=True).start()

    def _serve(self, accepted: socket.socket) -> None:
        script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
        try:
            if self.context is not None:
                accepted = self.context.wrap_socket(accepted, server_side=True)
            connection = Connection(accepted)
            self.connections.append(connection)
            if connection.read_request():
                script(connection)
        except OSError:
            pass  # the client went away, as many scripts want it to
        finally:
            accepted.close()


def head(status: int = 200, kind: str = "text/event-stream", **headers: str) -> bytes:
    extra = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return (
        f"HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\n{extra}connection: close\r\n\r\n".encode()
    )


def event(data: Any) -> bytes:
    text = data if isinstance(data, str) else json.dumps(data)
    return f"data: {text}\n\n".encode()


def delta(text: str | None = None, *, finish: str | None = None, **more: Any) -> bytes:
    content = {} if text is None else {"content": text}
    choice = {"index": 0, "delta": content | more, "finish_reason": finish}
    return event({"object": "chat.completion.chunk", "choices": [choice]})


WELL = head() + delta("Well, ")
USAGE = event(
    {
        "choices": [],
        "usage": {
            "prompt_tokens": 12,
            "completion_tokens": 3,
            "prompt_tokens_details": {"cached_tokens": 8},
        },
    }
)
DONE = event("[DONE]")
GOOD = head() + delta(role="assistant", content="") + delta("Every ") + delta("morning.") + (
    delta(finish="stop") + USAGE + DONE
)  # fmt: skip


def say(*parts: bytes) -> Script:
    """A script that sends `parts` and closes."""

    def script(connection: Connection) -> None:
        for part in parts:
            connection.send(part)

    return script


def hang(*parts: bytes) -> Script:
    """A script that sends `parts` and then nothing, until the client closes."""

    def script(connection: Connection) -> None:
        for part in parts:
            connection.send(part)
        connection.wait_for_close(20)

    return script


def drip(connection: Connection) -> None:
    """Sends comments for ever: the connection lives, the answer does not."""
    connection.send(head() + delta("Well, "))
    while True:
        connection.send(b": still here\n\n")
        time.sleep(0.05)


def fail(status: int, body: str = "", kind: str = "application/json", **headers: str) -> Script:
    return say(head(status, kind, **headers) + body.encode())


Serve = Callable[..., ScriptedServer]
Make = Callable[..., CloudTier]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts scripted servers: `serve(script, …)`."""
    servers: list[ScriptedServer] = []

    def start(*scripts: Script, context: ssl.SSLContext | None = None) -> ScriptedServer:
        server = ScriptedServer(list(scripts), context)
        servers.append(server.__enter__())
        return server

    yield start
    for server in servers:
        server.__exit__()


@pytest.fixture
def make_tier() -> Iterator[Make]:
    """Makes tiers with short times: `make_tier(url, …)`."""
    tiers: list[CloudTier] = []

    def make(url: str, *, offline: Callable[[], bool] = lambda: False, **fields: Any) -> CloudTier:
        quick = {
            "model": "m",
            "api_key": Secret(KEY),
            "connect_s": 1.0,
            "ttft_s": 2.0,
            "idle_s": 1.0,
            "backoff_base_s": 0.01,
        }
        tiers.append(CloudTier(CloudOptions(base_url=url, **(quick | fields)), offline=offline))
        return tiers[-1]

    yield make
    for tier in tiers:
        tier.close()


def ask(tier: CloudTier, *, deadline_s: float = 10.0, **arguments: Any) -> CloudStream:
    given = {"sampling": Sampling(), "max_tokens": 32, "cancel": threading.Event()}
    return tier.generate(MESSAGES, deadline_s=deadline_s, **(given | arguments))


def text_of(stream: CloudStream) -> str:
    return "".join(piece.text for piece in stream)


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def server_context(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
    return context
