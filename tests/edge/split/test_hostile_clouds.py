"""Clouds that break the protocol on purpose: each is left in bounded time, and harms nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext

import pytest

from skerry.cloud.hints.frames import (
    MOST_BYTES,
    MOST_TOKENS,
    VERSION,
    CloudFrame,
    Done,
    Fault,
    Open,
    Opened,
    Reason,
    Tokens,
    written,
)
from skerry.edge.engines.base import (
    FinishReason,
    Generation,
    Message,
    Piece,
    Sampling,
    TokenLogprob,
)
from skerry.edge.errors import CloudError, CloudRefused, CloudUnavailable, InputError
from skerry.edge.escalate.options import Secret
from skerry.edge.split.lookup import PromptLookup
from skerry.edge.split.options import SplitOptions
from skerry.edge.split.tier import SplitTier
from tests.cloud.simulated import SIZE, VOCABULARY
from tests.edge.split.test_client import Knowing, Mute, Scripted, generation

PROMPT = (3, 1, 4, 1, 5)
AT = len(PROMPT)
OPENED = Opened(VERSION, "m", AT, 16)
FIRST = Tokens(0, (7, 8), 0)
DONE = Done(Reason.STOP, 0, 0, 0, 0, 0)
NESTED = b"\x91" * 100_000
BOUND_S = 30.0


@pytest.mark.parametrize(
    "frames",
    [
        [OPENED, FIRST, b"\x00" * (MOST_BYTES + 1)],
        [OPENED, FIRST, NESTED],
        [OPENED, FIRST, b""],
        [OPENED, FIRST, written(Tokens(2, (9,) * 66, 0))],
        [OPENED, FIRST, written(Tokens(2, (), 0))],
        [OPENED, FIRST, bytes.fromhex("95 12 02 c4 01 80 00 00")],
        [OPENED, FIRST, written(Tokens(2, (1 << 31,), 0))],
        [OPENED, FIRST, written(Tokens(2, (9,), 2))],
        [OPENED, FIRST, written(Open(VERSION, "", b"", (1,)))],
    ],
    ids=[
        "too large", "nested", "empty", "too many tokens", "no tokens", "an id cut off", "huge id",
        "more drafted than sent", "device's frame",
    ],
)  # fmt: skip
def test_a_frame_that_breaks_the_rules_ends_it(frames: Sequence[CloudFrame | bytes]) -> None:
    with Scripted(frames) as url:
        one = generation(url, Mute())
        with pytest.raises(CloudError):
            list(one)
        assert one.ahead.generated == [7, 8]


@pytest.mark.parametrize(
    "frames",
    [
        [Opened(VERSION, "m", AT, MOST_TOKENS), FIRST],
        [OPENED, FIRST, Done(Reason.STOP, MOST_TOKENS, 1 << 40, 9, 9, 9)],
    ],
    ids=["drafts without end", "untrue counts"],
)
def test_what_is_odd_and_harmless_gives_no_token_of_its_own(frames: Sequence[CloudFrame]) -> None:
    with Scripted(frames, then="leave") as url:
        one = generation(url, Knowing([7, 8, 9, 10] * 20), resumes=0)
        try:
            list(one)
        except CloudUnavailable:
            assert one.done is None
        assert one.ahead.generated in ([], [7, 8])
        assert one.ahead.depth <= SplitOptions(base_url=url).depth


@pytest.mark.parametrize(
    ("frames", "why"),
    [
        ([OPENED] * 20_000, "opened a generation twice"),
        ([OPENED, FIRST, OPENED], "opened a generation twice"),
        ([FIRST, OPENED], "before it opened"),
        ([DONE, OPENED, FIRST], "before it opened"),
    ],
    ids=["hello again and again", "opened twice", "tokens first", "done first"],
)
def test_one_that_does_not_open_once_and_first_is_left(
    frames: Sequence[CloudFrame], why: str
) -> None:
    """It would else be listened to until the deadline, or an empty answer would be one."""
    with Scripted(frames) as url:
        one = generation(url, Mute())
        began = time.monotonic()
        with pytest.raises(CloudRefused, match=why):
            list(one)
        assert one.done is None
        assert time.monotonic() - began < BOUND_S


ORDERS = "\x1b[2J\u202eevil\n"


@pytest.mark.parametrize("then", [FIRST, Fault("odd", ORDERS, ORDERS)], ids=["opened", "fault"])
def test_what_a_cloud_says_gives_no_orders_to_a_terminal(then: CloudFrame) -> None:
    with Scripted([Opened(VERSION, ORDERS, AT, 16, ORDERS), then], then="leave") as url:
        one = generation(url, Mute(), resumes=0)
        with pytest.raises(CloudError) as raised:
            list(one)
        assert one.opened is not None
        said = f"{raised.value} {raised.value.hint} {one.opened.model} {one.opened.why}"
    assert "evil" in said
    assert said.isprintable()


class Letters:
    """Tells tokens as an engine does: a letter each, and no more than there are; goes on with j."""

    class info:
        context_tokens = 512

    def __init__(self) -> None:
        self.went_on: list[Generation] = []

    def generate(self, request: Generation) -> Iterator[Piece]:
        self.went_on.append(request)
        yield Piece("j", [TokenLogprob(9, "j", 0.0)])
        yield Piece("", finish=FinishReason.STOP)

    def prompt_tokens(self, messages: Sequence[Message]) -> list[int]:
        return list(PROMPT)

    def piece(self, token: int) -> bytes:
        if token >= SIZE:
            raise InputError(f"{token} is no token")
        return bytes([ord("a") + token])

    def vocabulary_digest(self) -> bytes:
        return VOCABULARY


def test_after_an_id_that_is_no_token_the_device_goes_on_alone() -> None:
    """A native tokenizer would end the process."""
    device = Letters()
    with Scripted([OPENED, FIRST, Tokens(2, (SIZE,), 0)]) as url:
        tier = SplitTier(
            SplitOptions(base_url=url, api_key=Secret("k")),
            lambda: nullcontext(device),  # type: ignore[arg-type, return-value]
            lambda _: PromptLookup(),
        )
        preview = tier.preview([], sampling=Sampling(), max_tokens=20)
        with tier.send(preview, deadline_s=BOUND_S, cancel=threading.Event()) as stream:
            assert "".join(piece.text for piece in stream) == "hij"
            assert "no token" in stream.report.broke
            assert (stream.report.tokens, stream.report.alone) == (2, 1)
        (request,) = device.went_on
        assert request.prompt == [*PROMPT, 7, 8]
        assert request.max_tokens == 18
