"""Starting, stopping and being full: servers of the tests' own."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest

from tests.edge.server.conftest import MODEL, Server, command
from tests.edge.server.test_chat import TALK, wait

Start = Callable[..., Server]
ENDLESS: dict[str, Any] = {
    "model": MODEL,
    "messages": TALK,
    "max_tokens": 900,
    "extra_body": {"grammar": "root ::= [a-z ] root"},
}


def failure(folder: Path, *options: str, **variables: str) -> tuple[int, dict[str, Any]]:
    """Exit code and error of a server that does not start."""
    process = command(folder, *options, **variables)
    out, err = process.communicate(timeout=60)
    assert "Traceback" not in out + err
    error: dict[str, Any] = json.loads(out)["error"]
    return process.returncode, error


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        code, error = failure(tmp_path, "--port", str(port), "--lazy")
    assert code == 3
    assert str(port) in error["what"]
    assert str(os.getpid()) in error["what"]
    assert "--port 0" in error["hint"]


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (["--host", "203.0.113.7"], 3, "203.0.113.7"),
        (["--host", "0.0.0.0", "--no-api-key"], 3, "--no-api-key"),
        (["--model", "no-such-model"], 4, "no-such-model"),
        (["--port", "70000"], 3, "port"),
    ],
    ids=["not this machine", "open to the network", "no such model", "no such port"],
)
def test_it_does_not_start(tmp_path: Path, options: list[str], code: int, says: str) -> None:
    got, error = failure(tmp_path, *options)
    assert got == code
    assert says in error["what"]
    assert error["hint"]


def test_a_key_file_that_others_can_read(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("sk-skerry-0123456789abcdef")
    (tmp_path / "key").chmod(0o644)
    code, error = failure(tmp_path, "--lazy")
    assert code == 3
    assert "chmod 600" in error["hint"]


def test_the_first_start_makes_the_key(start: Start, tmp_path: Path) -> None:
    server = start("--lazy", "--allow-origin", "https://app.example")
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    with server.http() as http:
        assert http.get("/v1/models").status_code == 200
        assert http.get("/health").json() == {"status": "ok"}
    refused = httpx2.get(f"{server.url}/metrics", headers={"origin": "https://app.example"})
    assert refused.status_code == 401
    assert refused.headers["access-control-allow-origin"] == "https://app.example"


def test_without_a_key(start: Start, tmp_path: Path) -> None:
    server = start("--lazy", "--no-api-key", "--allow-origin", "https://app.example")
    assert not (tmp_path / "key").exists()
    assert httpx2.get(f"{server.url}/v1/models").status_code == 200
    wanted = "authorization,content-type,x-stainless-os"
    asked = {"origin": "https://app.example", "access-control-request-method": "POST",
             "access-control-request-headers": wanted,
             "access-control-request-private-network": "true"}  # fmt: skip
    answer = httpx2.request("OPTIONS", f"{server.url}/v1/chat/completions", headers=asked)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "https://app.example"
    assert answer.headers["access-control-allow-headers"] == wanted
    assert answer.headers["access-control-allow-private-network"] == "true"
    asked["origin"] = "https://evil.example"
    refused = httpx2.request("OPTIONS", f"{server.url}/v1/chat/completions", headers=asked)
    assert refused.status_code == 400
    assert "access-control-allow-origin" not in refused.headers
    evil = httpx2.get(f"{server.url}/v1/models", headers={"origin": "https://evil.example"})
    assert evil.status_code == 403
    assert "access-control-allow-origin" not in evil.headers


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["TERM", "INT"])
def test_it_stops_when_told(start: Start, number: signal.Signals) -> None:
    server = start("--lazy")
    server.process.send_signal(number)
    _, err = server.process.communicate(timeout=20)
    assert server.process.returncode == 0
    assert "Traceback" not in err


@pytest.mark.model
class TestUnderLoad:
    def stream(self, server: Server, **more: Any) -> Iterator[Any]:
        with server.client() as client:
            yield from client.chat.completions.create(**(ENDLESS | more), stream=True)

    def test_a_full_server_says_so(self, start: Start) -> None:
        server = start("--lazy", "--parallel", "1", "--waiting", "0", "--threads", "1")
        running = self.stream(server)
        next(running)
        with server.client() as client, pytest.raises(openai.RateLimitError) as caught:
            client.chat.completions.create(model=MODEL, messages=TALK, max_tokens=1)
        assert caught.value.code == "queue_full"
        running.close()  # type: ignore[attr-defined]  # a generator can be closed
        wait(lambda: server.metric("skerry_underway") == 0)

    def test_a_short_answer_ends_before_the_server_does(self, start: Start) -> None:
        server = start("--lazy", "--threads", "1")
        running = self.stream(server, max_tokens=12)
        next(running)
        server.process.send_signal(signal.SIGTERM)
        assert list(running)[-1].choices[0].finish_reason == "length"
        assert server.process.wait(timeout=20) == 0

    def test_a_long_answer_is_told_that_the_server_stops(self, start: Start) -> None:
        server = start("--lazy", "--threads", "1", "--drain-s", "0.5")
        running = self.stream(server, max_tokens=1900)
        next(running)
        server.process.send_signal(signal.SIGTERM)
        with pytest.raises(openai.APIError, match="stopping"):
            list(running)
        _, err = server.process.communicate(timeout=20)
        assert server.process.returncode == 0
        assert "Traceback" not in err
