"""Devices that break the protocol on purpose: the cloud says why, and serves the next one."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from urllib.parse import urlsplit

import msgspec
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from skerry.cloud import service
from skerry.cloud.generation import MOST_HINTS
from skerry.cloud.hints.choice import Sampling
from skerry.cloud.hints.frames import (
    MOST_BYTES,
    MOST_DRAFTED,
    MOST_PATIENCE_MS,
    SUBPROTOCOL,
    VERSION,
    Cancel,
    Choosing,
    CloudFrame,
    Done,
    Draft,
    Drafts,
    Fault,
    Message,
    Mode,
    Open,
    Opened,
    Tokens,
    read_cloud_frame,
    written,
)
from skerry.cloud.simulate.paced import Pace, PacedVerifier
from tests.cloud.serving import KEY, served
from tests.cloud.simulated import SIZE, VOCABULARY, SimulatedVerifier, alone

PROMPT = (3, 1, 4, 1, 5)
CHOOSING = Choosing(temperature=1.0, seed=3)
COUNT = 60
SAID = alone(PROMPT, Sampling(temperature=1.0, seed=3), COUNT)
OPEN = Open(VERSION, "", VOCABULARY, PROMPT, CHOOSING, max_tokens=COUNT)
LONG = Open(VERSION, "", VOCABULARY, PROMPT, CHOOSING, max_tokens=3_000)
PATIENT = Open(
    VERSION, "", VOCABULARY, PROMPT, CHOOSING, Mode.THRIFT, MOST_PATIENCE_MS, max_tokens=3_000
)
MUCH = 32 << 20
"""Bytes: more than the kernels of both sides hold."""
SOON = 30.0


@pytest.fixture(scope="module")
def verifier() -> SimulatedVerifier:
    return SimulatedVerifier()


@pytest.fixture(scope="module")
def url(verifier: SimulatedVerifier) -> Iterator[str]:
    with served(verifier) as url:
        yield url


def connected(url: str, key: str = KEY) -> ClientConnection:
    return connect(
        f"ws://{urlsplit(url).netloc}/v1/split",
        additional_headers={"Authorization": f"Bearer {key}"},
        subprotocols=[SUBPROTOCOL],  # type: ignore[list-item]
        compression=None,
        max_size=MOST_BYTES,
        proxy=None,
    )


def heard(one: ClientConnection) -> list[CloudFrame]:
    """What the cloud says until it closes."""
    frames = []
    until = time.monotonic() + SOON
    while time.monotonic() < until:
        try:
            data = one.recv(timeout=SOON)
        except ConnectionClosed:
            return frames
        assert isinstance(data, bytes)
        frames.append(read_cloud_frame(data))
    pytest.fail("it never closed")


def tokens(frames: list[CloudFrame]) -> list[int]:
    return [token for one in frames if isinstance(one, Tokens) for token in one.tokens]


@pytest.fixture(autouse=True)
def served_as_before(url: str, verifier: SimulatedVerifier) -> Iterator[None]:
    """Whatever a device does: everything of it is given back, and another one is served."""
    yield
    with connected(url) as another:
        another.send(written(OPEN))
        assert tokens(heard(another)) == SAID
    until = time.monotonic() + SOON
    while not all(one.closed for one in verifier.opened):
        assert time.monotonic() < until, "a sequence is still held"
        time.sleep(0.01)
    verifier.opened.clear()


def test_the_answer_is_whole_without_a_draft(url: str) -> None:
    with connected(url) as one:
        one.send(written(OPEN))
        assert tokens(heard(one)) == SAID


@pytest.mark.parametrize("key", ["", "wrong", KEY + "x", KEY[:-1], "\u00e9" * 8])
def test_a_wrong_key_opens_nothing(url: str, key: str) -> None:
    with pytest.raises(InvalidStatus, match="403"):
        connected(url, key)


BAD_OPENINGS = {
    "nonsense": b"nonsense",
    "empty": b"",
    "nested": b"\x91" * 100_000,
    "a draft": written(Draft(5, (1,), 0)),
    "a cancel": written(Cancel()),
    "the cloud's frame": written(Opened(VERSION, "m", 5, 16)),
    "another version": written(Open(9, "", b"", PROMPT)),
    "no tokens": written(Open(VERSION, "", VOCABULARY, (1, -1))),
    "huge id": written(Open(VERSION, "", VOCABULARY, (1, 1 << 31))),
    "endless answer": written(Open(VERSION, "", VOCABULARY, PROMPT, max_tokens=1 << 40)),
    "generated before it began": written(Open(VERSION, "", VOCABULARY, PROMPT, generated=6)),
    "held by nobody": written(Open(VERSION, "", VOCABULARY, PROMPT, session="s", kept=3)),
    "unknown model": written(Open(VERSION, "no such", VOCABULARY, PROMPT)),
    "a role of nobody": written(
        Open(VERSION, "", b"", (), messages=(Message("tool", "a"),))  # type: ignore[arg-type]
    ),
    "text that is none": written(
        Open(VERSION, "", b"", (), messages=(Message("user", b"\xff\xfe"),))  # type: ignore[arg-type]
    ),
    "too many messages": written(Open(VERSION, "", b"", (), messages=(Message("user", ""),) * 257)),
    "text and tokens": written(Open(VERSION, "", b"", PROMPT, messages=(Message("user", "a"),))),
    "text where there are no words": written(
        Open(VERSION, "", b"", (), messages=(Message("user", "a" * 900_000),))
    ),
    "not a number": written(Open(VERSION, "", b"", PROMPT, Choosing(temperature=float("nan")))),
}


@pytest.mark.parametrize("data", BAD_OPENINGS.values(), ids=BAD_OPENINGS.keys())
def test_an_opening_that_is_none_is_told(url: str, data: bytes) -> None:
    with connected(url) as one:
        one.send(data)
        (fault,) = heard(one)
    assert isinstance(fault, Fault)
    assert fault.code
    assert fault.what


def test_a_frame_that_is_too_large_ends_the_connection(url: str) -> None:
    with connected(url) as one:
        one.send(b"\x00" * (MOST_BYTES + 1))
        assert not tokens(heard(one))


def test_a_text_is_no_frame(url: str) -> None:
    with connected(url) as one:
        one.send("text")
        (fault,) = heard(one)
    assert isinstance(fault, Fault)
    assert "binary" in fault.what


def test_one_that_says_nothing_is_not_waited_for_without_end(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "OPEN_S", 0.1)
    with connected(url) as one:
        (fault,) = heard(one)
    assert isinstance(fault, Fault)
    assert "nothing was asked" in fault.what


BAD_DRAFTS = {
    "parents of nothing": written(Drafts(5, (1,), 0, ())),
    "too many": written(Draft(5, (1,) * (MOST_DRAFTED + 1), 0)),
    "huge": written(Draft(5, (1 << 31,), 0)),
    "negative position": written(Draft(-1, (1,), 0)),
    "no tree": written(Drafts(5, (1, 2), 0, (0, 9))),
    "twins": written(Drafts(5, (1, 1), 0, (0, 0))),
    "no trace": written(Draft(5, (1,), 128)),
    "opened twice": written(OPEN),
    "nonsense": b"\xff\xfe",
}


@pytest.mark.parametrize("data", BAD_DRAFTS.values(), ids=BAD_DRAFTS.keys())
def test_a_draft_that_is_none_ends_the_generation(url: str, data: bytes) -> None:
    with connected(url) as one:
        one.send(written(LONG))
        one.send(data)
        frames = heard(one)
    assert isinstance(frames[-1], Fault)
    assert frames[-1].code == "bad_frame"


@pytest.mark.parametrize("position", [0, 5, 100_000])
def test_one_without_an_idea_for_anything_changes_no_token(url: str, position: int) -> None:
    waits = msgspec.structs.replace(OPEN, mode=Mode.THRIFT, patience_ms=5)
    with connected(url) as one:
        one.send(written(waits))
        with suppress(ConnectionClosed):  # the answer may be over before
            for _ in range(50):
                one.send(written(Draft(position, (), 0)))
        assert tokens(heard(one)) == SAID


def many_wrong(one: ClientConnection) -> None:
    for i in range(3_000):
        one.send(written(Draft(i % 100, tuple(range(1, 17)), i % 128)))


def many_far_ahead(one: ClientConnection) -> None:
    for i in range(3_000):
        one.send(written(Draft(100_000 + i, (1, 2, 3), 0)))


def many_branches(one: ClientConnection) -> None:
    for token in range(1, SIZE):
        wide = tuple(other for other in range(1, SIZE) if other != token)
        one.send(written(Drafts(0, (token, *wide), 0, (0, *(i + 1 for i in range(len(wide)))))))


def many_that_are_no_tokens(one: ClientConnection) -> None:
    for i in range(3_000):
        one.send(written(Draft(i % 50, (SIZE + i, 2**31 - 1), 0)))


FLOODS: list[Callable[[ClientConnection], None]] = [
    many_wrong, many_far_ahead, many_branches, many_that_are_no_tokens,
]  # fmt: skip


@pytest.mark.parametrize("flood", FLOODS, ids=lambda one: one.__name__)
def test_thousands_of_frames_change_no_token(
    url: str, flood: Callable[[ClientConnection], None]
) -> None:
    with connected(url) as one:
        one.send(written(OPEN))
        sending = threading.Thread(target=lambda: _until_closed(flood, one))
        sending.start()
        frames = heard(one)
        sending.join(SOON)
    assert tokens(frames) == SAID
    assert isinstance(frames[-1], Done)


def _until_closed(flood: Callable[[ClientConnection], None], one: ClientConnection) -> None:
    with suppress(ConnectionClosed):
        flood(one)


def test_one_that_vanishes_is_forgotten(url: str) -> None:
    for _ in range(20):
        with connected(url) as one:
            one.send(written(LONG))
            one.recv(timeout=SOON)
            one.socket.shutdown(socket.SHUT_RDWR)


def test_many_that_leave_at_once(url: str) -> None:
    with ExitStack() as held:
        for _ in range(30):
            held.enter_context(connected(url))


def test_one_that_floods_with_hints_is_ended(url: str) -> None:
    """Each of them takes time that others wait for."""

    def flood(one: ClientConnection) -> None:
        for _ in range(MOST_HINTS + 10):
            one.send(written(Draft(50, (1,), 0)))

    with connected(url) as one:
        one.send(written(PATIENT))
        sending = threading.Thread(target=lambda: _until_closed(flood, one))
        sending.start()
        fault = heard(one)[-1]
        sending.join(SOON)
    assert isinstance(fault, Fault)
    assert "hints" in fault.what


def test_one_that_asks_and_does_not_read_the_answers_is_not_read(url: str) -> None:
    """What is said to it would else fill the memory."""
    with connected(url) as one:
        one.send(written(PATIENT))
        assert isinstance(read_cloud_frame(one.recv(timeout=SOON)), Opened)  # type: ignore[arg-type]
        raw = one.socket
        with one.protocol_mutex:  # so that nobody reads
            raw.settimeout(1.0)
            sent = 0
            with suppress(TimeoutError):
                while sent < MUCH:
                    sent += raw.send(PINGS)
        assert sent < MUCH
        raw.shutdown(socket.SHUT_RDWR)


PINGS = (b"\x89\xfd\0\0\0\0" + b"a" * 125) * 1_000


def stopped_in_the_middle(verifier: SimulatedVerifier, opening: Open) -> list[CloudFrame]:
    """What a device hears of a server that is told to stop once it has begun."""
    with ExitStack() as serving:
        url = serving.enter_context(served(PacedVerifier(verifier, Pace(pass_ms=20))))
        with connected(url) as one:
            one.send(written(opening))
            one.recv(timeout=SOON)
            stopping = threading.Thread(target=serving.pop_all().close)
            stopping.start()
            frames = heard(one)
        stopping.join(SOON)
        assert not stopping.is_alive()
    return frames


def test_a_server_that_is_told_to_stop_lets_a_generation_end() -> None:
    *said, done = stopped_in_the_middle(SimulatedVerifier(), OPEN)
    assert isinstance(done, Done)
    assert tokens(said) == SAID


def test_a_generation_that_takes_longer_is_told_that_the_server_stops() -> None:
    fault = stopped_in_the_middle(SimulatedVerifier(), LONG)[-1]
    assert isinstance(fault, Fault)
    assert fault.code == "stopping"
