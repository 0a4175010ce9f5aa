"""The device's half over real sockets, with a simulated target."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress

import pytest
from websockets.sync.server import Server, ServerConnection
from websockets.sync.server import serve as serve_socket

from skerry.cloud.hints.frames import (
    SUBPROTOCOL,
    VERSION,
    Choosing,
    CloudFrame,
    Done,
    Fault,
    Mode,
    Open,
    Opened,
    Reason,
    Tokens,
    written,
)
from skerry.cloud.simulate.paced import Pace, PacedVerifier
from skerry.edge.errors import CloudRefused, CloudUnavailable
from skerry.edge.escalate.options import Secret
from skerry.edge.split.client import SplitGeneration
from skerry.edge.split.controller import Measured
from skerry.edge.split.drafter import Guess
from skerry.edge.split.link import Link, SocketLink, Ways
from skerry.edge.split.options import SplitOptions
from tests.cloud.serving import KEY, served
from tests.cloud.simulated import VOCABULARY, SimulatedVerifier, alone

PROMPT = (3, 1, 4, 1, 5)


class Knowing:
    """Drafts what the target will say, now and then something else."""

    def __init__(self, said: Sequence[int], wrong_every: int = 0) -> None:
        self._said, self._wrong_every = [*PROMPT, *said], wrong_every
        self.calls = 0
        self.closed = False

    def draft(self, sequence: Sequence[int], most: int) -> list[Guess]:
        self.calls += 1
        if self._wrong_every and self.calls % self._wrong_every == 0:
            return [Guess(23, 0.9)] * min(most, 2)
        same = list(sequence) == self._said[: len(sequence)]
        told = self._said[len(sequence) : len(sequence) + most] if same else []
        return [Guess(one, 0.9) for one in told]

    def read(self, sequence: Sequence[int]) -> bool:
        return False

    def branch(self, sequence: Sequence[int], token: int, most: int) -> list[int]:
        return [token]

    def close(self) -> None:
        self.closed = True


class Mute(Knowing):
    def __init__(self) -> None:
        super().__init__(())

    def draft(self, sequence: Sequence[int], most: int) -> list[Guess]:
        self.calls += 1
        return []


class Slow(Knowing):
    """Takes its time to draft something wrong."""

    def draft(self, sequence: Sequence[int], most: int) -> list[Guess]:
        time.sleep(0.2)
        return [Guess(23, 0.9)]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with served(SimulatedVerifier()) as url:
        yield url


def generation(
    url: str, drafter: Knowing, asked: Open | None = None, **changed: object
) -> SplitGeneration:
    key = changed.pop("api_key", KEY)
    deadline_s = changed.pop("deadline_s", 20.0)
    cancel = changed.pop("cancel", None) or threading.Event()
    options = SplitOptions(base_url=url, api_key=Secret(str(key)), **changed)  # type: ignore[arg-type]
    asked = asked or Open(VERSION, "", VOCABULARY, PROMPT, max_tokens=40)
    ways = Ways(options)
    return SplitGeneration(
        options, asked, drafter, connect=lambda left: ways.connect(options.headers(), left),
        deadline_s=deadline_s, cancel=cancel,
    )  # type: ignore[arg-type]  # fmt: skip


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("wrong_every", [0, 2])
def test_the_answer_is_the_targets_whatever_is_drafted(
    url: str, mode: Mode, wrong_every: int
) -> None:
    choosing = Choosing(temperature=1.0, seed=8)
    said = alone(PROMPT, choosing.sampling(), 40)
    asked = Open(VERSION, "", VOCABULARY, PROMPT, choosing, mode, 50, max_tokens=40)
    one = generation(url, Knowing(said, wrong_every), asked)
    assert [token for frame in one for token in frame.tokens] == said
    assert one.done is not None
    assert one.done.tokens == len(said)
    assert one.ahead.generated == said
    assert one.traffic.sent > 0
    assert one.traffic.received > 0
    if mode is Mode.THRIFT and not wrong_every:
        assert one.done.passes < len(said) / 2


def test_a_drafter_without_ideas_costs_nothing_but_a_call_for_each_verdict(url: str) -> None:
    mute = Mute()
    one = generation(url, mute)
    frames = list(one)
    assert mute.calls <= len(frames) + 1
    assert one.ahead.drafted == 0


def test_a_wrong_key_is_refused(url: str) -> None:
    with pytest.raises(CloudRefused, match="API key is wrong"):
        list(generation(url, Mute(), api_key="another"))
    with pytest.raises(CloudRefused, match="serves no split inference"):
        list(generation(url, Mute(), api_key="another", transport="websocket"))


def test_a_model_that_is_not_there_is_refused(url: str) -> None:
    asked = Open(VERSION, "other", VOCABULARY, PROMPT)
    with pytest.raises(CloudRefused, match="no model 'other'"):
        list(generation(url, Mute(), asked))


def test_nobody_there() -> None:
    with pytest.raises(CloudUnavailable, match="cannot be reached"):
        list(generation("http://127.0.0.1:9", Mute()))


def test_a_target_with_other_tokens_refuses(url: str) -> None:
    asked = Open(VERSION, "", b"other", PROMPT, max_tokens=40)
    drafter = Knowing(alone(PROMPT, Choosing().sampling(), 40))
    with pytest.raises(CloudRefused, match="other tokens") as refused:
        list(generation(url, drafter, asked))
    assert "cloud_url" in refused.value.hint
    assert drafter.calls == 0


def test_cancelling_ends_it_with_what_was_verified(url: str) -> None:
    cancel = threading.Event()
    asked = Open(VERSION, "", VOCABULARY, PROMPT, Choosing(1.0, seed=1), max_tokens=3_000)
    one = generation(url, Mute(), asked, cancel=cancel)
    for _ in one:
        cancel.set()
    assert one.done is not None
    assert one.done.reason is Reason.CANCELLED
    assert one.ahead.generated


class Scripted:
    """A cloud that sends what a test wants, whatever the device says."""

    def __init__(self, frames: Sequence[CloudFrame | bytes], then: str = "hang") -> None:
        self._frames, self._then = frames, then
        self._server: Server | None = None

    def __enter__(self) -> str:
        self._server = serve_socket(self._answer, "127.0.0.1", 0, subprotocols=[SUBPROTOCOL])
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self._server.socket.getsockname()[1]}"

    def __exit__(self, *exc_info: object) -> None:
        if self._server is not None:
            self._server.shutdown()

    def _answer(self, connection: ServerConnection) -> None:
        connection.recv()
        for frame in self._frames:
            connection.send(frame if isinstance(frame, bytes) else written(frame))
        if self._then == "hang":
            try:
                while True:
                    connection.recv()
            except Exception:  # noqa: BLE001  the device has gone
                return


class Blocking:
    """A proxy that passes HTTP, and answers 400 to a WebSocket's handshake."""

    def __init__(self, url: str) -> None:
        self._port = int(url.rpartition(":")[2])
        self._socket = socket.create_server(("127.0.0.1", 0))

    def __enter__(self) -> str:
        threading.Thread(target=self._serve, daemon=True).start()
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def __exit__(self, *exc_info: object) -> None:
        self._socket.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                device, _ = self._socket.accept()
                threading.Thread(target=self._pass, args=(device,), daemon=True).start()

    def _pass(self, device: socket.socket) -> None:
        head = device.recv(65_536)
        if b"upgrade: websocket" in head.lower():
            device.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            device.close()
            return
        cloud = socket.create_connection(("127.0.0.1", self._port))
        cloud.sendall(head)
        threading.Thread(target=_pump, args=(device, cloud), daemon=True).start()
        _pump(cloud, device)


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


OPENED = Opened(VERSION, "m", len(PROMPT), 16)
FIRST = Tokens(0, (7, 8), 0)


@pytest.mark.parametrize(
    "frames",
    [
        [OPENED, FIRST, Tokens(0, (7,), 0)],
        [OPENED, FIRST, Tokens(5, (7,), 0)],
        [OPENED, FIRST, b"\x91\x02"],
        [OPENED, FIRST, b"nonsense"],
        [Opened(9, "m", 5, 16)],
        [Opened(VERSION, "m", len(PROMPT) + 1, 16), FIRST],
        [OPENED, FIRST, Fault("engine_failed", "the engine failed")],
    ],
    ids=["backwards", "gap", "device's frame", "nonsense", "version", "elsewhere", "fault"],
)
def test_a_hostile_or_failing_cloud_is_left(frames: list[CloudFrame | bytes]) -> None:
    with Scripted(frames) as url:
        one = generation(url, Mute())
        with pytest.raises(CloudRefused):
            list(one)
        assert one.ahead.generated in ([], [7, 8])


def test_a_cloud_that_goes_away_leaves_what_was_verified() -> None:
    with Scripted([OPENED, FIRST], then="leave") as url:
        one = generation(url, Mute(), resumes=0)
        with pytest.raises(CloudUnavailable, match="closed the connection"):
            list(one)
        assert one.ahead.generated == [7, 8]


@pytest.mark.parametrize("limit", ["idle_s", "deadline_s"])
def test_a_silent_cloud_is_not_waited_for_without_end(limit: str) -> None:
    with Scripted([OPENED, FIRST]) as url:
        one = generation(url, Mute(), resumes=0, **{limit: 0.3})
        began = time.monotonic()
        with pytest.raises(CloudUnavailable, match="silent or too slow"):
            list(one)
        assert time.monotonic() - began < 10
        assert one.ahead.generated == [7, 8]


def test_a_cloud_that_floods_is_cut_off_in_time() -> None:
    """Frames that never end are each checked; the deadline holds whatever comes."""
    flood = [Tokens(i, (7,), 0) for i in range(50_000)]
    with Scripted([OPENED, *flood]) as url:
        asked = Open(VERSION, "", VOCABULARY, PROMPT, max_tokens=100_000)
        one = generation(url, Mute(), asked, deadline_s=0.3)
        with pytest.raises(CloudUnavailable, match="too slow"):
            list(one)
        assert len(one.ahead.generated) < 50_000


def test_a_cloud_that_says_more_than_was_asked_for_is_left() -> None:
    flood = [Tokens(i, (7,), 0) for i in range(50)]
    with Scripted([OPENED, *flood]) as url:
        one = generation(url, Mute())
        with pytest.raises(CloudRefused, match="more tokens"):
            list(one)
        assert len(one.ahead.generated) == 41


def test_a_draft_that_comes_too_late_for_the_end_costs_nothing() -> None:
    """The cloud is done and has closed while the device still drafts."""
    done = Done(Reason.STOP, 1, 0, 0, len(PROMPT), 2)
    with Scripted([OPENED, FIRST, done], then="leave") as url:
        one = generation(url, Slow([*PROMPT, 7, 8, 9, 9, 9]))
        assert [token for frame in one for token in frame.tokens] == [7, 8]
        assert one.done == done


class Breaking:
    """A link that breaks after so many frames."""

    def __init__(self, link: Link, frames: int) -> None:
        self._link, self._frames = link, frames

    def receive(self, wait_s: float) -> bytes | None:
        if not self._frames:
            raise CloudUnavailable("the line is cut")
        data = self._link.receive(wait_s)
        self._frames -= data is not None
        return data

    def __getattr__(self, name: str) -> object:
        return getattr(self._link, name)


@pytest.mark.parametrize("transport", ["websocket", "http"])
@pytest.mark.parametrize("frames", [2, 3, 7])
def test_a_broken_connection_is_made_anew_and_the_answer_is_the_same(
    url: str, transport: str, frames: int
) -> None:
    choosing = Choosing(temperature=1.0, seed=8, frequency_penalty=0.5)
    said = alone(PROMPT, choosing.sampling(), 40)
    options = SplitOptions(base_url=url, api_key=Secret(KEY), transport=transport)  # type: ignore[arg-type]
    ways, links = Ways(options), list[Link]()

    def connect(left_s: float) -> Link:
        link = ways.connect(options.headers(), left_s)
        links.append(link if len(links) > 1 else Breaking(link, frames))  # type: ignore[arg-type]
        return links[-1]

    asked = Open(VERSION, "", VOCABULARY, PROMPT, choosing, max_tokens=40)
    one = SplitGeneration(
        options, asked, Knowing(said, 3), connect=connect, deadline_s=20, cancel=threading.Event()
    )
    assert [token for frame in one for token in frame.tokens] == said
    assert one.resumed > 0
    assert one.done is not None
    assert one.done.reason is Reason.STOP if said[-1] == 0 else Reason.LENGTH


def test_only_the_end_was_lost(url: str) -> None:
    """All tokens have come, and the frame that says so has not."""
    asked = Open(VERSION, "", VOCABULARY, PROMPT, max_tokens=1)
    options = SplitOptions(base_url=url, api_key=Secret(KEY))
    ways = Ways(options)
    one = SplitGeneration(
        options, asked, Mute(), deadline_s=20, cancel=threading.Event(),
        connect=lambda left: Breaking(ways.connect(options.headers(), left), 2),  # type: ignore[arg-type,return-value]
    )  # fmt: skip
    assert len([token for frame in one for token in frame.tokens]) == 1
    assert one.done is not None
    assert one.done.reason is Reason.LENGTH


def test_a_cloud_that_waits_is_told_where_there_is_nothing_to_wait_for(url: str) -> None:
    """A patience of five seconds for each of many passes, and a device that never has an idea."""
    asked = Open(VERSION, "", VOCABULARY, PROMPT, Choosing(), Mode.THRIFT, 5_000, max_tokens=40)
    one = generation(url, Mute(), asked, deadline_s=19.0)
    assert len([token for frame in one for token in frame.tokens]) > 4
    assert one.ahead.drafted == 0


def test_where_waiting_is_faster_the_cloud_is_asked_to_wait() -> None:
    """A near cloud with slow passes, as earlier answers have shown."""
    known = Measured()
    known.judge(90, 10)
    for average, seconds in ((known.rtt_s, 0.002), (known.pass_s, 0.05), (known.draft_s, 1e-4)):
        average.add(seconds)
    asked = Open(VERSION, "", VOCABULARY, PROMPT, Choosing(temperature=1.0, seed=8), max_tokens=40)
    said = alone(PROMPT, asked.choosing.sampling(), 40)
    passes = []
    with served(PacedVerifier(SimulatedVerifier(), Pace(pass_ms=20))) as near:
        for patience_ms in (0, None):
            options = SplitOptions(base_url=near, api_key=Secret(KEY), patience_ms=patience_ms)
            link = SocketLink(options, options.headers(), 5)
            one = SplitGeneration(
                options, asked, Knowing(said), connect=lambda _, link=link: link,  # type: ignore[misc]
                deadline_s=20, cancel=threading.Event(), measured=known,
            )  # fmt: skip
            assert [token for frame in one for token in frame.tokens] == said
            passes.append(one.passes)
    assert passes[1] < len(said) / 2


def test_http_carries_the_same_frames(url: str) -> None:
    said = alone(PROMPT, Choosing().sampling(), 40)
    asked = Open(VERSION, "", VOCABULARY, PROMPT, Choosing(), Mode.THRIFT, 200, max_tokens=40)
    one = generation(url, Knowing(said), asked, transport="http")
    assert [token for frame in one for token in frame.tokens] == said
    assert one.done is not None
    assert one.done.accepted > 0


def test_where_websockets_are_blocked_http_is_taken(url: str) -> None:
    """Something between answers the handshake like an ordinary request."""
    with Blocking(url) as blocked:
        one = generation(blocked, Mute())
        assert len([token for frame in one for token in frame.tokens]) > 1
        with pytest.raises(CloudRefused, match="serves no split inference"):
            list(generation(blocked, Mute(), transport="websocket"))


def test_done_says_what_it_took(url: str) -> None:
    one = generation(url, Mute())
    list(one)
    assert isinstance(one.done, Done)
    assert one.done.prompt_tokens == len(PROMPT)
