"""The frames of a generation over plain HTTP, from outside."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPConnection

import httpx2
import pytest

from skerry.cloud import over_http
from skerry.cloud.errors import ProtocolError
from skerry.cloud.gateway import bodies
from skerry.cloud.hints.frames import (
    MOST_BYTES,
    VERSION,
    Cancel,
    Done,
    Draft,
    Fault,
    Open,
    Opened,
    Reason,
    Tokens,
    read_cloud_frame,
    written,
)
from skerry.cloud.hints.lengths import NAME_HEADER, Frames, prefixed
from tests.cloud.serving import KEY, served
from tests.cloud.simulated import VOCABULARY, SimulatedVerifier

HEADERS = {"Authorization": f"Bearer {KEY}"}
OPENING = Open(VERSION, "", VOCABULARY, (3, 1, 4), max_tokens=20)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with served(SimulatedVerifier()) as url:
        yield f"{url}/v1/split/http"


def test_a_generation_from_its_opening_to_its_end(url: str) -> None:
    answer = httpx2.post(url, content=written(OPENING), headers=HEADERS)
    frames = [read_cloud_frame(one) for one in Frames().feed(answer.content)]
    opened, *tokens, done = frames
    assert isinstance(opened, Opened)
    assert all(isinstance(one, Tokens) for one in tokens)
    assert isinstance(done, Done)
    assert answer.headers[NAME_HEADER]


def test_a_generation_is_cancelled_from_beside(url: str) -> None:
    long = Open(VERSION, "", VOCABULARY, (3, 1, 5), max_tokens=3_000)
    with httpx2.stream("POST", url, content=written(long), headers=HEADERS) as answer:
        name, frames = answer.headers[NAME_HEADER], Frames()
        hints = prefixed(written(Draft(3, (1, 2), 0))) + prefixed(written(Cancel()))
        told = httpx2.post(f"{url}/{name}", content=hints, headers=HEADERS)
        assert told.status_code == 204
        found = [read_cloud_frame(one) for part in answer.iter_bytes() for one in frames.feed(part)]
    done = found[-1]
    assert isinstance(done, Done)
    assert done.reason in {Reason.CANCELLED, Reason.STOP}
    again = httpx2.post(f"{url}/{name}", content=hints, headers=HEADERS)
    assert again.status_code == 404


def test_a_wrong_key_opens_nothing_and_tells_nothing(url: str) -> None:
    for path in ("", "/some-name"):
        refused = httpx2.post(url + path, content=written(OPENING), headers={})
        assert refused.status_code == 401
        assert refused.json()["error"]["message"] == "the API key is wrong"


@pytest.mark.parametrize("body", [b"", b"nonsense"])
def test_what_is_no_frame_is_refused(url: str, body: bytes) -> None:
    refused = httpx2.post(url, content=body, headers=HEADERS)
    assert refused.status_code == 400
    assert refused.json()["error"]["code"] == "bad_frame"


@pytest.mark.parametrize("path", ["", "/some-name"])
def test_a_body_that_is_too_large_is_said_to_be(url: str, path: str) -> None:
    """Also to a client that sends all of it before it reads."""
    body = b"\x00" * (8 * MOST_BYTES)
    headers = {**HEADERS, "Content-Length": str(len(body))}
    with served_generation(url) as name, connected(url) as one:
        where = f"{httpx2.URL(url).path}{path and '/' + name}"
        one.request("POST", where, body=body, headers=headers)
        refused = one.getresponse()
        assert refused.status == 413
        assert b"request_too_large" in refused.read()


def test_bodies_that_do_not_end_do_not_take_all_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(over_http, "_ROOM", 2 * MOST_BYTES)
    with served(SimulatedVerifier()) as base, ExitStack() as held:
        url = f"{base}/v1/split/http"
        for _ in range(2):
            one = held.enter_context(connected(url))
            one.putrequest("POST", "/v1/split/http")
            for name, value in {**HEADERS, "Content-Length": str(MOST_BYTES)}.items():
                one.putheader(name, value)
            one.endheaders(b"\x00" * (MOST_BYTES // 2 - 1))
        until = time.monotonic() + 20
        while (
            refused := httpx2.post(url, content=b"\x00" * 99, headers=HEADERS)
        ).status_code != 503:
            assert time.monotonic() < until
        assert refused.json()["error"]["code"] == "busy"
        held.close()
        while httpx2.post(url, content=written(OPENING), headers=HEADERS).status_code != 200:
            assert time.monotonic() < until


@contextmanager
def connected(url: str) -> Iterator[HTTPConnection]:
    where = httpx2.URL(url)
    with closing(HTTPConnection(where.host, where.port, timeout=20)) as one:
        yield one


@contextmanager
def served_generation(url: str) -> Iterator[str]:
    """The name of one that is under way."""
    long = Open(VERSION, "", VOCABULARY, (3, 1, 5), max_tokens=3_000)
    with httpx2.stream("POST", url, content=written(long), headers=HEADERS) as answer:
        yield answer.headers[NAME_HEADER]


def test_what_does_not_open_a_generation_gets_a_fault(url: str) -> None:
    answer = httpx2.post(url, content=written(Cancel()), headers=HEADERS)
    (fault,) = [read_cloud_frame(one) for one in Frames().feed(answer.content)]
    assert isinstance(fault, Fault)
    assert "does not open" in fault.what


def test_frames_are_found_however_they_are_cut() -> None:
    whole = prefixed(b"one") + prefixed(b"") + prefixed(b"three")
    for size in (1, 2, 5, len(whole)):
        frames, found = Frames(), []
        for start in range(0, len(whole), size):
            found += frames.feed(whole[start : start + size])
        assert found == [b"one", b"", b"three"]
        frames.finish()


def test_a_frame_that_is_cut_off_or_too_long_is_an_error() -> None:
    frames = Frames()
    assert list(frames.feed(prefixed(b"one")[:-1])) == []
    with pytest.raises(ProtocolError, match="cut off"):
        frames.finish()
    with pytest.raises(ProtocolError, match="more than"):
        list(Frames().feed(b"\xff\xff\xff\xff"))


def test_a_body_that_does_not_come_ends_the_request(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "BODY_S", 0.2)
    where = httpx2.URL(url)
    with socket.create_connection((where.host, where.port or 80), timeout=20) as slow:
        head = f"POST {where.path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\n"
        slow.sendall(f"{head}Content-Length: 99\r\n\r\n.".encode())
        assert slow.recv(100).startswith(b"HTTP/1.1 408 ")
