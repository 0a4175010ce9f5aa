"""What the guard lets through: the decision as a table, then the live server."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httpx2
import pytest

from skerry.edge.server.guard import refusal
from skerry.edge.server.options import ServerOptions, is_loopback
from tests.edge.server.conftest import Server

KEY = "sk-skerry-0123456789"
DEFAULT = ServerOptions(api_key=KEY)
RIGHT = {"authorization": f"Bearer {KEY}"}


@dataclass(frozen=True)
class Case:
    name: str
    status: int | None
    path: str = "/v1/models"
    method: str = "GET"
    headers: dict[str, str] = field(default_factory=dict)
    options: ServerOptions = DEFAULT


LAN = ServerOptions(host="0.0.0.0", api_key=KEY)
OPEN = ServerOptions(api_key=None)
CASES = [
    Case("no key", 401),
    Case("wrong key", 401, headers={"authorization": "Bearer nope"}),
    Case("right key", None, headers=RIGHT),
    Case("scheme in small letters", None, headers={"authorization": f"bearer {KEY}"}),
    Case("another scheme", 401, headers={"authorization": f"Basic {KEY}"}),
    Case("key alone", 401, headers={"authorization": KEY}),
    Case("beginning of the key", 401, headers={"authorization": f"Bearer {KEY[:-1]}"}),
    Case("health needs none", None, path="/health"),
    Case("the page needs none", None, path="/"),
    Case("nor its files", None, path="/page/app.js"),
    Case("what only looks like it does", 401, path="/pages"),
    Case("nor like health", 401, path="/health/x"),
    Case("metrics need it", 401, path="/metrics"),
    Case("unless opened", None, path="/metrics",
         options=ServerOptions(api_key=KEY, open_metrics=True)),
    Case("never on a network", 401, path="/metrics",
         options=ServerOptions(host="0.0.0.0", api_key=KEY, open_metrics=True)),
    Case("the page's API needs it", 401, path="/api/documents"),
    Case("no key wanted", None, options=OPEN),
    Case("another host", 403, headers={**RIGHT, "host": "evil.example"}),
    Case("a host that begins alike", 403, headers={**RIGHT, "host": "127.0.0.1.evil.example"}),
    Case("another host, even for health", 403, path="/health", headers={"host": "evil.example"}),
    Case("localhost", None, headers={**RIGHT, "host": "localhost:8484"}),
    Case("loopback, version 6", None, headers={**RIGHT, "host": "[::1]:8484"}),
    Case("any host on a network", None, headers={**RIGHT, "host": "box.lan"}, options=LAN),
    Case("own origin", None, headers={**RIGHT, "origin": "http://127.0.0.1:8484"}),
    Case("another origin", 403, headers={**RIGHT, "origin": "https://evil.example"}),
    Case("no origin at all (file, sandbox)", 403, headers={**RIGHT, "origin": "null"}),
    Case("another port is another origin", 403, headers={**RIGHT, "origin": "http://127.0.0.1:1"}),
    Case("another origin, no key wanted", 403, headers={"origin": "https://evil.example"},
         options=OPEN),
    Case("an allowed origin", None, headers={**RIGHT, "origin": "https://app.example"},
         options=ServerOptions(api_key=KEY, allow_origins=("https://app.example",))),
    Case("a body too large", 413, headers={**RIGHT, "content-length": str(1 << 30)}),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_refusal(case: Case) -> None:
    headers = {"host": "127.0.0.1:8484", **case.headers}
    scope = {
        "type": "http",
        "method": case.method,
        "path": case.path,
        "scheme": "http",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    refused = refusal(scope, case.options)
    assert (refused and refused.status_code) == case.status
    if refused is not None:
        assert set(refused.body()["error"]) == {"message", "type", "param", "code"}


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True), ("127.9.9.9", True), ("LOCALHOST", True), ("::1", True),
        ("[::1]", True), ("0.0.0.0", False), ("", False), ("localhost.evil", False),
    ],
)  # fmt: skip
def test_is_loopback(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


def test_every_answer_has_strict_headers(http: httpx2.Client) -> None:
    for path in ("/health", "/v1/models", "/nowhere"):
        headers = http.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "access-control-allow-origin" not in headers
        assert "server" not in headers


def test_the_wrong_key_live(server: Server) -> None:
    answer = httpx2.get(f"{server.url}/v1/models", headers={"authorization": "Bearer nope"})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["error"]["code"] == "invalid_api_key"
    assert server.key not in answer.text


def test_a_body_that_says_less_than_it_sends(http: httpx2.Client) -> None:
    """Chunked, so that no header says how much will come."""
    chunks = (b"x" * (1 << 20) for _ in range(14))
    answer = http.post(
        "/v1/chat/completions", content=chunks, headers={"content-type": "application/json"}
    )
    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == "request_too_large"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "missing_required_parameter"),
        (b"{", "invalid_json"),
        (b"[]", "invalid_value"),
        (b'{"model": "x"}', "missing_required_parameter"),
        (b"\xff\xfe", "invalid_json"),
        (b'{"a":' * 100_000, "invalid_json"),
    ],
    ids=["empty", "cut off", "a list", "a field missing", "not UTF-8", "nested deeply"],
)
def test_a_body_that_is_none(http: httpx2.Client, body: bytes, code: str) -> None:
    answer = http.post(
        "/v1/chat/completions", content=body, headers={"content-type": "application/json"}
    )
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == code


@pytest.mark.parametrize(
    ("sent_as", "words"),
    [
        ({}, "the request has no Content-Type"),
        ({"content-type": "text/plain"}, "the request has 'Content-Type: text/plain'"),
        (
            {"content-type": "application/x-www-form-urlencoded"},
            "the request has 'Content-Type: application/x-www-form-urlencoded'",
        ),
    ],
)
def test_a_body_that_is_not_called_json(
    http: httpx2.Client, sent_as: dict[str, str], words: str
) -> None:
    body = b'{"model": "x", "messages": []}'
    answer = http.post("/v1/chat/completions", content=body, headers=sent_as)
    assert answer.status_code == 415
    error = answer.json()["error"]
    assert error["code"] == "unsupported_content_type"
    assert error["message"].startswith(words)
    assert "'Content-Type: application/json'" in error["message"]


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "application/vnd.x+json"])
def test_a_body_that_is_called_json_is_read(http: httpx2.Client, kind: str) -> None:
    answer = http.post("/v1/chat/completions", content=b"[]", headers={"content-type": kind})
    assert answer.json()["error"]["code"] == "invalid_value"


def test_no_such_route(http: httpx2.Client) -> None:
    answer = http.get("/v1/nothing")
    assert answer.status_code == 404
    assert answer.json()["error"]["type"] == "invalid_request_error"
    assert http.get("/v1/chat/completions").status_code == 405


def test_headers_that_never_end(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    where = urlsplit(server.url)
    with socket.create_connection((where.hostname, where.port), timeout=30) as slow:
        slow.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n")
        start = time.monotonic()
        assert slow.recv(100) == b""  # closed by the server
        assert 5 < time.monotonic() - start < 25


@pytest.mark.parametrize(
    "name", ["../../errors.py", "..%2f..%2ferrors.py", "", "x.py", "/etc/passwd"]
)
def test_the_page_is_only_the_page(http: httpx2.Client, name: str) -> None:
    assert http.get(f"/page/{name}").status_code == 404
