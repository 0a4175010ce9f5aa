"""What the guard lets through: the decision as a table, then the live server."""

from __future__ import annotations

from dataclasses import dataclass, field

import httpx2
import pytest

from skerry.edge.server.options import ServerOptions, is_loopback
from skerry.edge.server.refusal import refusal
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
    more: tuple[tuple[str, str], ...] = ()


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
    Case("a name after an address", 403, headers={**RIGHT, "host": "[::1]evil.example"}),
    Case("half an address", 403, headers={**RIGHT, "host": "::1]"}),
    Case("a port that is a name", 403, headers={**RIGHT, "host": "127.0.0.1:evil.example"}),
    Case("a user before the host", 403, headers={**RIGHT, "host": "127.0.0.1@evil.example"}),
    Case("two hosts in one", 403, headers={**RIGHT, "host": "localhost, evil.example"}),
    Case("no host", 403, headers={**RIGHT, "host": ""}),
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
    Case("one origin of two", 403, headers={**RIGHT, "origin": "http://127.0.0.1:8484"},
         more=(("origin", "https://evil.example"),)),
    Case("a body too large", 413, headers={**RIGHT, "content-length": str(1 << 30)}),
    Case("two lengths", 400,
         headers={**RIGHT, "content-length": "4", "transfer-encoding": "chunked"}),
    Case("two lengths, even for health", 400, path="/health",
         headers={"content-length": "4", "transfer-encoding": "chunked"}),
    Case("a length that is none", 400, headers={**RIGHT, "content-length": "-1"}),
    Case("a body that is packed", 415, headers={**RIGHT, "content-encoding": "gzip"}),
    Case("long headers", 431, headers={**RIGHT, "x": "a" * (32 << 10)}),
    Case("many headers", 431, headers=RIGHT, more=(("x", "a" * 90),) * 400),
    Case("a long path", 414, path="/" + "a" * (8 << 10)),
    Case("a key in the address", 401, path=f"/v1/models?api_key={KEY}"),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_refusal(case: Case) -> None:
    headers = {"host": "127.0.0.1:8484", **case.headers}
    path, _, query = case.path.partition("?")
    scope = {
        "type": "http",
        "method": case.method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "scheme": "http",
        "headers": [
            (name.encode(), value.encode()) for name, value in (*headers.items(), *case.more)
        ],
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
        assert headers["cache-control"] == "no-store"


def test_head_is_get_without_the_body(server: Server, http: httpx2.Client) -> None:
    for path in ("/", "/page/app.js", "/health", "/v1/models"):
        head, get = http.head(path), http.get(path)
        assert head.status_code == 200
        assert head.content == b""
        assert head.headers["content-length"] == get.headers["content-length"]
    assert http.head("/v1/chat/completions").status_code == 405
    assert httpx2.head(f"{server.url}/v1/models").status_code == 401


def test_a_part_of_a_file_is_answered_with_all_of_it(http: httpx2.Client) -> None:
    """As RFC 9110, 14.2, leaves to a server."""
    part = http.get("/page/app.js", headers={"range": "bytes=0-3,5-"})
    assert part.status_code == 200
    assert part.content == http.get("/page/app.js").content


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
        (b'{"a":' + b"[" * 20_000 + b"]" * 20_000 + b"}", "invalid_json"),
        (b'{"seed":' + b"9" * 6000 + b"}", "invalid_json"),
    ],
    ids=[
        "empty",
        "cut off",
        "a list",
        "a field missing",
        "not UTF-8",
        "nested deeply",
        "nested deeply and closed",
        "a very long number",
    ],
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
    wrong = http.get("/v1/chat/completions")
    assert wrong.status_code == 405
    assert wrong.headers["allow"] == "POST"


@pytest.mark.parametrize(
    "name",
    ["../../errors.py", "..%2f..%2ferrors.py", "..%5c..%5cerrors.py", "%2e%2e/errors.py", "",
     "x.py", "/etc/passwd", "app.js/", "app.js%00.png", "%00", "%ff", "a" * 300, "a/" * 2000],
    ids=lambda name: name[:24],
)  # fmt: skip
def test_the_page_is_only_the_page(http: httpx2.Client, name: str) -> None:
    assert http.get(f"/page/{name}").status_code == 404
