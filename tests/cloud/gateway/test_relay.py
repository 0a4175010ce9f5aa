"""What passes through a gateway, over real sockets."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from http.client import HTTPConnection
from pathlib import Path

import httpx2
import pytest

from skerry.cloud.gateway import bodies, relay
from skerry.cloud.gateway.config import Role
from skerry.cloud.gateway.keys import made
from skerry.cloud.gateway.ledger import day_of
from skerry.cloud.gateway.state.base import Use
from tests.cloud.gateway.configured import BASE, OTHER, USER, configured
from tests.cloud.gateway.upstreams import FakeUpstream, Running, gateway, upstream

CHAT = "/v1/chat/completions"
MESSAGES = [{"role": "user", "content": "Tell me of the sea."}]
ASKED = {"model": "mid", "messages": MESSAGES}


@pytest.fixture
def fake() -> Iterator[FakeUpstream]:
    with upstream() as one:
        yield one


def _base(*urls: str, more: str = "") -> str:
    replicas = json.dumps(list(urls))
    return BASE.replace('replicas = ["http://127.0.0.1:1/v1"]', f"replicas = {replicas}\n{more}")


@pytest.fixture
def running(fake: FakeUpstream, tmp_path: Path) -> Iterator[Running]:
    more = 'upstream_model = "org/model-8b"\nprice_in = 1.0\nprice_out = 2.0'
    with gateway(configured(base=_base(fake.url, more=more)), tmp_path) as one:
        yield one


def _client(running: Running, key: str = USER, **headers: str) -> httpx2.Client:
    shown = {"authorization": f"Bearer {key}", **headers}
    return httpx2.Client(base_url=running.url, headers=shown, timeout=20)


def _until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.01)


def _used(running: Running, tenant: str = "clinic") -> list[Use]:
    found = list[Use]()

    def there() -> bool:
        found[:] = running.state.usage("", tenant=tenant)
        return bool(found)

    _until(there)
    return found


def test_an_answer_in_one_piece(running: Running, fake: FakeUpstream) -> None:
    body = b'{"model":"mid", "messages":[ {"role":"user","content":"h\\u00e9"}],"seed":1.50}'
    with _client(running) as client:
        answer = client.post(CHAT, content=body)
    assert answer.json()["choices"] == [{"text": "sea"}]
    assert answer.headers["x-skerry-model"] == "mid"
    assert answer.headers["x-skerry-template"] == "chat-1"
    messages = b'"messages":[ {"role":"user","content":"h\\u00e9"}]'
    assert fake.bodies == [b'{"model":"org/model-8b",' + messages + b',"seed":1.50}']
    assert USER not in str(fake.headers)
    today = day_of(time.time())
    assert _used(running) == [Use(today, "clinic", "default", "mid", 1, 7, 3, cost=0.013)]


def test_a_stream_has_no_event_that_the_client_did_not_ask_for(
    running: Running, fake: FakeUpstream
) -> None:
    with _client(running) as client:
        text = client.post(CHAT, json={**ASKED, "stream": True}).text
        assert fake.last["stream_options"] == {"include_usage": True}
        assert text.count("data: ") == 4
        assert text.endswith("data: [DONE]\n\n")
        assert "usage" not in text
        assert (
            "event-stream"
            in client.post(CHAT, json={**ASKED, "stream": True}).headers["content-type"]
        )
        tells = {**ASKED, "stream": True, "stream_options": {"include_usage": True}}
        assert '"usage"' in client.post(CHAT, json=tells).text
    _until(lambda: _used(running)[0].requests == 3)
    (use,) = _used(running)
    assert (use.prompt_tokens, use.completion_tokens, use.estimated) == (21, 9, 0)


def test_where_nobody_counts_the_gateway_does(running: Running, fake: FakeUpstream) -> None:
    fake.tells = False
    with _client(running) as client:
        client.post(CHAT, json={**ASKED, "stream": True})
    (use,) = _used(running)
    assert use.completion_tokens == 3
    assert use.estimated == use.prompt_tokens + 3 > 3


@pytest.mark.parametrize("path", ["/v1/completions", "/v1/embeddings"])
def test_the_other_paths(running: Running, fake: FakeUpstream, path: str) -> None:
    with _client(running) as client:
        assert (
            client.post(path, json={"model": "mid", "input": "a", "prompt": "a"}).status_code == 200
        )
    assert fake.last["model"] == "org/model-8b"


REFUSED: dict[str, tuple[bytes, dict[str, str], tuple[int, str]]] = {
    "no JSON": (b"{", {}, (400, "invalid_json")),
    "no object": (b"[]", {}, (400, "invalid_json")),
    "deep": (b"[" * 200_000, {}, (400, "invalid_json")),
    "no text": (b"\xff\xfe", {}, (400, "invalid_json")),
    "no text within": (b'{"model":"mid","prompt":"\xff"}', {}, (400, "invalid_json")),
    "no model": (b'{"model":"none"}', {}, (404, "model_not_found")),
    "model of another type": (b'{"model":1}', {}, (400, "invalid_value")),
    "stream of another type": (b'{"model":"mid","stream":1}', {}, (400, "invalid_value")),
    "class": (b'{"model":"mid"}', {"x-skerry-class": "none"}, (400, "invalid_value")),
    "template": (b'{"model":"mid"}', {"x-skerry-template": "chat-0"}, (409, "template_changed")),
    "deadline": (b'{"model":"mid"}', {"x-skerry-deadline-ms": "soon"}, (400, "invalid_value")),
    "compressed": (b"{}", {"content-encoding": "gzip"}, (415, "unsupported_content_encoding")),
    "no key": (b"{}", {"authorization": ""}, (401, "missing_api_key")),
    "wrong key": (b"{}", {"authorization": "Bearer x"}, (401, "invalid_api_key")),
    "huge": (b" " * (4_097 * 1024), {}, (413, "request_too_large")),
}


@pytest.mark.parametrize(
    ("body", "headers", "said"),
    REFUSED.values(),
    ids=REFUSED,
)
def test_what_is_wrong_is_said_and_goes_nowhere(
    running: Running,
    fake: FakeUpstream,
    body: bytes,
    headers: dict[str, str],
    said: tuple[int, str],
) -> None:
    with _client(running) as client:
        answer = client.post(CHAT, content=body, headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == said
    assert set(answer.json()["error"]) == {"message", "type", "param", "code"}
    assert not fake.bodies


def test_a_client_that_sends_all_of_a_body_first_reads_that_it_is_too_large(
    running: Running,
) -> None:
    host, port = running.url.removeprefix("http://").split(":")
    with closing(HTTPConnection(host, int(port), timeout=20)) as one:
        headers = {"authorization": f"Bearer {USER}"}
        one.request("POST", CHAT, body=b" " * (24 << 20), headers=headers)
        answer = one.getresponse()
        assert answer.status == 413
        assert b"request_too_large" in answer.read()


@pytest.mark.parametrize(
    ("headers", "retry"), [({"x-skerry-template": "chat-0"}, "false"), ({}, None)]
)
def test_openais_clients_do_not_try_again_in_vain(
    running: Running, headers: dict[str, str], retry: str | None
) -> None:
    with _client(running) as client:
        answer = client.post(CHAT, json=ASKED, headers=headers)
    assert answer.headers.get("x-should-retry") == retry


def test_a_body_that_does_not_come_ends_the_request(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "BODY_S", 0.2)
    host, port = running.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as slow:
        slow.sendall(
            f"POST {CHAT} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {USER}\r\n"
            "Content-Length: 99\r\n\r\n{".encode()
        )
        assert slow.recv(100).startswith(b"HTTP/1.1 408 ")
    assert running.parts.gate.under_way == 0


def test_a_client_that_does_not_read_ends_its_answer(
    running: Running, fake: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "SEND_S", 0.2)
    fake.endless = True
    fake.padding = "x" * 100_000
    with _client(running) as client:
        asked = {**ASKED, "stream": True}
        with client.stream("POST", CHAT, json=asked) as answer:
            assert answer.status_code == 200
            assert fake.ended.wait(20)


def test_a_key_in_the_address_is_none(running: Running) -> None:
    with httpx2.Client(base_url=running.url) as client:
        assert client.post(f"{CHAT}?api_key={USER}", json=ASKED).status_code == 401
        assert client.get("/none").json()["error"]["code"] == "http_error"
        assert client.get(CHAT).status_code == 405


def test_a_client_that_goes_ends_the_request_upstream(running: Running, fake: FakeUpstream) -> None:
    fake.endless = True
    with (
        _client(running) as client,
        client.stream("POST", CHAT, json={**ASKED, "stream": True}) as one,
    ):
        next(one.iter_lines())
    assert fake.ended.wait(20)
    _until(lambda: running.parts.gate.under_way == 0)
    assert _used(running)[0].completion_tokens >= 1


def test_a_client_that_goes_before_the_answer_pays_for_its_prompt(
    running: Running, fake: FakeUpstream
) -> None:
    fake.hangs = True
    with _client(running) as client, pytest.raises(httpx2.ReadTimeout):
        client.post(CHAT, json=ASKED, timeout=0.3)
    assert fake.ended.wait(20)
    (use,) = _used(running)
    assert use.completion_tokens == 0 < use.prompt_tokens == use.estimated


def test_a_deadline_ends_it(running: Running, fake: FakeUpstream) -> None:
    soon = {"x-skerry-deadline-ms": "200"}
    fake.hangs = True
    with _client(running, **soon) as client:
        answer = client.post(CHAT, json=ASKED)
        assert (answer.status_code, answer.json()["error"]["code"]) == (504, "deadline_exceeded")
        assert _used(running)[0].prompt_tokens, "what the server read is not free"
        fake.hangs, fake.endless = False, True
        text = client.post(CHAT, json={**ASKED, "stream": True}).text
    assert '"code":"deadline_exceeded"' in text.splitlines()[-2]


def test_an_answer_that_breaks_off_is_said_to(running: Running, fake: FakeUpstream) -> None:
    fake.breaks = True
    with _client(running) as client:
        text = client.post(CHAT, json={**ASKED, "stream": True}).text
    assert "w1" in text
    assert '"code":"upstream_broke_off"' in text


def test_a_revoked_key_ends_what_is_under_way(running: Running, fake: FakeUpstream) -> None:
    fake.endless = True
    key, kept = made("clinic", Role.USER)
    running.state.add_key(kept)
    _until(lambda: kept.id in running.parts.gate.keys.ids)
    with _client(running, key) as client:
        with client.stream("POST", CHAT, json={**ASKED, "stream": True}) as answer:
            lines = answer.iter_lines()
            assert next(lines).startswith("data: ")
            running.state.revoke_key(kept.id, time.time())
            assert '"code":"key_revoked"' in list(lines)[-2]
        assert client.post(CHAT, json=ASKED).status_code == 401
    assert fake.ended.wait(20)


def test_a_key_that_is_revoked_while_the_body_comes(running: Running) -> None:
    key, kept = made("clinic", Role.USER)
    running.state.add_key(kept)
    _until(lambda: kept.id in running.parts.gate.keys.ids)
    body = json.dumps(ASKED).encode()
    host, port = running.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as slow:
        head = f"POST {CHAT} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n"
        slow.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode())
        _until(lambda: running.parts.gate.under_way == 1)
        running.state.revoke_key(kept.id, time.time())
        _until(lambda: kept.id not in running.parts.gate.keys.ids)
        slow.sendall(body)
        assert slow.recv(100).startswith(b"HTTP/1.1 401 ")


@pytest.mark.parametrize("status", [400, 404, 422, 429, 500, 503])
def test_an_upstreams_own_refusals_pass(running: Running, fake: FakeUpstream, status: int) -> None:
    fake.status = status
    with _client(running) as client:
        answer = client.post(CHAT, json=ASKED)
    assert (answer.status_code, answer.json()) == (status, {"error": {"message": "no"}})
    assert running.state.usage("") == []


def test_a_fault_that_nobody_foresaw_quotes_nobody(
    running: Running, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    secret = "the patient of bed nine"

    def fails(*_: object) -> None:
        raise ValueError(secret)

    monkeypatch.setattr(relay, "read", fails)
    with _client(running) as client:
        answer = client.post(CHAT, json=ASKED)
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "internal")
    assert "ValueError while a request was served" in caplog.text
    assert secret not in answer.text + caplog.text
    assert USER not in caplog.text


@pytest.mark.parametrize("status", [301, 401, 403])
def test_that_the_gateway_is_refused_is_not_the_clients_fault(
    running: Running, fake: FakeUpstream, status: int
) -> None:
    fake.status = status
    with _client(running) as client:
        answer = client.post(CHAT, json=ASKED)
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "upstream_refused")


def test_what_takes_the_place_of_a_replica_and_of_a_model(tmp_path: Path) -> None:
    with upstream() as good, upstream(status=503) as bad:
        other = f'[models.large]\ntier = "large"\ntemplate = "b"\nreplicas = ["{good.url}"]\n'
        base = _base("http://127.0.0.1:1/v1", bad.url, more='fallback = ["large"]')
        with gateway(configured(other, base=base), tmp_path) as running, _client(running) as client:
            for _ in range(8):
                answer = client.post(CHAT, json=ASKED)
                assert (answer.status_code, answer.headers["x-skerry-model"]) == (200, "large")
        assert 2 <= len(bad.bodies) <= 5, "a breaker keeps requests from what fails"
        assert good.last["model"] == "large"


def test_no_replica_answers(tmp_path: Path) -> None:
    with gateway(configured(), tmp_path) as running, _client(running) as client:
        codes = [client.post(CHAT, json=ASKED) for _ in range(6)]
    assert codes[0].json()["error"]["code"] in ("upstream_failed", "no_replica")
    assert codes[-1].json()["error"]["code"] == "no_replica"
    assert codes[-1].headers["retry-after"] == "5"


def test_a_connection_that_a_server_closed_meanwhile_is_no_failure(tmp_path: Path) -> None:
    """Every other connection ends without a word."""
    body = b'{"choices":[]}'
    answer = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with suppress(OSError):  # shut down before as many came
                for number in range(8):
                    with server.accept()[0] as taken:
                        if b"chat" not in taken.recv(65_536) or number % 2:
                            taken.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/v1"
        config = configured(base=_base(url))
        with gateway(config, tmp_path) as running, _client(running) as client:
            for _ in range(2):
                assert client.post(CHAT, json=ASKED).status_code == 200
        server.shutdown(socket.SHUT_RDWR)
        thread.join(10)
        assert not thread.is_alive()


def test_a_session_stays_with_its_replica_and_moves_when_it_is_drained(tmp_path: Path) -> None:
    with ExitStack() as stack:
        fakes = [stack.enter_context(upstream()) for _ in range(2)]
        config = configured(base=_base(*(one.url for one in fakes)))
        running = stack.enter_context(gateway(config, tmp_path))
        for session in "abcdefgh":
            assert sorted(_gained(running, fakes, session)) == [0, 3]
        assert all(one.bodies for one in fakes)
        running.state.drain("mid", fakes[0].url, on=True)
        _until(lambda: running.parts.fleet.of("mid")[0].drained)
        for session in "abcdefgh":
            assert _gained(running, fakes, session) == [0, 3]


def _gained(running: Running, fakes: list[FakeUpstream], session: str) -> list[int]:
    """How many of three requests of a session each server got."""
    before = [len(one.bodies) for one in fakes]
    with _client(running, **{"x-skerry-session": session}) as client:
        for _ in range(3):
            client.post(CHAT, json=ASKED)
    return [len(one.bodies) - count for one, count in zip(fakes, before, strict=True)]


def test_limits_of_a_tenant(tmp_path: Path) -> None:
    limits = "requests_per_minute = 1\nburst = 2\n[tenants.x]\n"
    with upstream() as fake:
        base = _base(fake.url).replace("[tenants.other]", f"{limits}[tenants.other]")
        base = base.replace("[tenants.other]\n", "[tenants.other]\ntokens_per_day = 10\n")
        with gateway(configured(base=base), tmp_path) as running:
            with _client(running) as client:
                statuses = [client.post(CHAT, json=ASKED).status_code for _ in range(3)]
                assert statuses == [200, 200, 429]
                again = client.post(CHAT, json=ASKED)
                assert again.json()["error"]["code"] == "rate_limit_exceeded"
                assert 50 <= int(again.headers["retry-after"]) <= 60
            with _client(running, OTHER) as client:
                assert client.post(CHAT, json=ASKED).status_code == 200
                _until(lambda: running.parts.gate.under_way == 0)
                spent = client.post(CHAT, json=ASKED)
                assert spent.json()["error"]["code"] == "insufficient_quota"
                assert client.get("/v1/usage").status_code == 200
