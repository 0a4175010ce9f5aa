"""Clouds that break the rules of a generation in text: each is left in bounded time, what was said
before stays, and no text is taken twice."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import msgspec
import pytest

from skerry.cloud.hints.frames import (
    MOST_BYTES,
    VERSION,
    CloudFrame,
    Done,
    Fault,
    Opened,
    Reason,
    Said,
    Tokens,
    written,
)
from skerry.edge.errors import CloudError, CloudRefused, CloudUnavailable
from skerry.edge.escalate.options import Secret
from skerry.edge.split.exchange import Exchange
from skerry.edge.split.link import Ways
from skerry.edge.split.options import SplitOptions
from skerry.edge.split.streamed import TextGeneration
from tests.cloud.talking import ASKED, OTHER
from tests.edge.split.test_client import Mute, Scripted
from tests.edge.split.test_client import generation as drafted

AT = 12
OPENED = Opened(VERSION, "m", AT, 0, "", 0, OTHER)
FIRST = Said(0, (7, 9), "ab")
BROKEN = Fault("busy", "no room now")
Frames = Sequence[CloudFrame | bytes]


def generation(url: str, *, deadline_s: float = 20, **given: object) -> TextGeneration:
    options = SplitOptions(base_url=url, api_key=Secret("k"), **given)  # type: ignore[arg-type]
    ways = Ways(options)
    exchange = Exchange(
        options, connect=lambda left: ways.connect(options.headers(), left), deadline_s=deadline_s,
        cancel=threading.Event(),
    )  # fmt: skip
    return TextGeneration(exchange, ASKED)


HOSTILE: dict[str, Frames] = {
    "backwards": [Said(0, (7,), "a")],
    "a gap": [Said(5, (7,), "a")],
    "no UTF-8": [bytes.fromhex("95 15 02 91 05 a2 c3 28 00")],
    "half a character": [bytes.fromhex("95 15 02 91 05 a1 c3 00")],
    "too long": [Said(2, (7,), "a" * 4_097)],
    "no token": [Said(2, (), "a")],
    "too many tokens": [Said(2, (7,) * 66, "a")],
    "tokens": [Tokens(2, (7,), 0)],
    "opened elsewhere": [OPENED],
    "opened as another": [Opened(VERSION, "other", AT + 2, 0, "", 0, OTHER)],
    "opened with other tokens": [Opened(VERSION, "m", AT + 2, 0, "", 0, b"v")],
    "opened in tokens": [Opened(VERSION, "m", AT + 2, 16, "", 0, OTHER)],
    "another version": [Opened(3, "m", AT + 2, 0, "", 0, OTHER)],
    "nonsense": [b"nonsense"],
    "nested": [b"\x91" * 100_000],
    "too large": [b"\x00" * (MOST_BYTES + 1)],
    "a device's frame": [written(ASKED)],
    "without end": [Said(2 + i, (7,), "a") for i in range(60)],
    "other tokens again": [Fault("other_vocabulary", "no", "", "messages")],
}


@pytest.mark.parametrize("frames", HOSTILE.values(), ids=HOSTILE.keys())
def test_one_that_breaks_the_rules_is_left(frames: Frames) -> None:
    said = list[str]()
    with Scripted([OPENED, FIRST, *frames], then="leave") as url:
        one = generation(url, resumes=0)
        with pytest.raises(CloudError):
            said.extend(frame.text for frame in one)
    assert said[0] == "ab"
    assert len(said) == 1 or frames == HOSTILE["without end"]
    assert len(one.tokens) <= ASKED.max_tokens + 1


@pytest.mark.parametrize(
    "frames",
    [[FIRST], [Tokens(AT, (7,), 0)], [Opened(VERSION, "m", AT, 16), FIRST]],
    ids=["text first", "tokens first", "tokens were opened"],
)
def test_one_that_never_agreed_says_nothing(frames: Frames) -> None:
    with Scripted(frames) as url:
        one = generation(url)
        with pytest.raises(CloudRefused):
            list(one)
    assert one.tokens == []


def test_text_where_tokens_were_agreed_is_refused() -> None:
    opened = Opened(VERSION, "m", 5, 16)
    with Scripted([opened, Tokens(0, (7, 8), 0), Said(2, (9,), "a")]) as url:
        one = drafted(url, Mute())
        with pytest.raises(CloudRefused, match="tokens were agreed"):
            list(one)
    assert one.ahead.generated == [7, 8]


class Resuming(Scripted):
    """Sends other frames to each who connects."""

    def __init__(self, *scripts: Frames) -> None:
        super().__init__((), then="leave")
        self._scripts = list(scripts)
        self.asked: list[bytes] = []

    def _answer(self, connection: object) -> None:
        self.asked.append(connection.recv())  # type: ignore[attr-defined]
        for frame in self._scripts.pop(0):
            connection.send(frame if isinstance(frame, bytes) else written(frame))  # type: ignore[attr-defined]


REST = Opened(VERSION, "m", AT + 2, 0, "", 0, OTHER)
DONE = Done(Reason.STOP, 1, 0, 0, AT + 2, 1)


def test_the_rest_is_asked_for_with_the_targets_own_tokens() -> None:
    cloud = Resuming([OPENED, FIRST], [BROKEN], [REST, Said(0, (5,), "c"), DONE])
    with cloud as url:
        one = generation(url)
        assert "".join(frame.text for frame in one) == "abc"
    assert one.resumed == 2
    asked = msgspec.msgpack.decode(cloud.asked[-1])
    assert asked[2:5] == ["m", OTHER, [7, 9]]
    assert (asked[8], asked[12]) == (ASKED.max_tokens - 2, 2)
    assert msgspec.msgpack.decode(cloud.asked[0])[3:5] == [b"", []]


CHANGED = {
    "another model": Opened(VERSION, "other", AT + 2, 0, "", 0, OTHER),
    "other tokens": Opened(VERSION, "m", AT + 2, 0, "", 0, b"v"),
    "another prompt": Opened(VERSION, "m", AT + 3, 0, "", 0, OTHER),
    "from the beginning": OPENED,
}


@pytest.mark.parametrize("opened", CHANGED.values(), ids=CHANGED.keys())
def test_an_answer_does_not_go_on_as_another_one(opened: Opened) -> None:
    with Resuming([OPENED, FIRST], [opened, Said(0, (5,), "c")]) as url:
        one = generation(url)
        said = list[str]()
        with pytest.raises(CloudRefused, match="where the answer broke off"):
            said.extend(frame.text for frame in one)
    assert said == ["ab"]
    assert one.tokens == [7, 9]


def test_only_the_end_was_lost() -> None:
    whole = Said(0, (7,) * 40, "a" * 40)
    with Resuming([OPENED, whole]) as url:
        one = generation(url)
        assert [frame.text for frame in one] == ["a" * 40]
    assert one.done is not None
    assert one.done.reason is Reason.LENGTH


def test_a_cloud_that_is_gone_leaves_what_was_said() -> None:
    with Resuming([OPENED, FIRST]) as url:
        one = generation(url, resumes=0)
        with pytest.raises(CloudUnavailable):
            list(one)
    assert one.tokens == [7, 9]


@pytest.mark.parametrize("limit", ["idle_s", "deadline_s"])
def test_a_silent_cloud_is_not_waited_for_without_end(limit: str) -> None:
    with Scripted([OPENED, FIRST]) as url:
        one = generation(url, resumes=0, **{limit: 0.3})  # type: ignore[arg-type]
        with pytest.raises(CloudUnavailable, match="silent or too slow"):
            list(one)
    assert one.tokens == [7, 9]


def test_one_that_only_says_hello_again_and_again_is_left() -> None:
    with Scripted([OPENED] * 20_000) as url:
        one = generation(url)
        with pytest.raises(CloudRefused, match="opened a generation twice"):
            list(one)
    assert one.tokens == []


def test_the_rest_is_asked_of_the_model_that_began() -> None:
    """Another may have taken its place for the beginning, or would for the rest."""
    begun = [Opened(VERSION, "spare", 5, 16), Tokens(0, (7, 8))]
    rest = [Opened(VERSION, "spare", 7, 16), Tokens(0, (9,)), Done(Reason.STOP, 1, 0, 0, 7, 1)]
    cloud = Resuming(begun, rest)
    with cloud as url:
        one = drafted(url, Mute())
        list(one)
    assert one.ahead.generated == [7, 8, 9]
    assert [msgspec.msgpack.decode(data)[2] for data in cloud.asked] == ["", "spare"]
