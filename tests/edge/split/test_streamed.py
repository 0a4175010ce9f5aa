"""A target with other tokens than the device's model: asked in text, and streamed."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from skerry.cloud.hints.frames import (
    MOST_BYTES,
    VERSION,
    Fault,
    read_device_frame,
)
from skerry.cloud.service import Service
from skerry.cloud.simulate.paced import Pace, PacedVerifier
from skerry.edge.engines.base import FinishReason, Generation, Message, Piece, Sampling
from skerry.edge.engines.base import TokenLogprob as Token
from skerry.edge.errors import CloudRefused
from skerry.edge.escalate.options import Secret
from skerry.edge.split.drafter import Drafter
from skerry.edge.split.exchange import OTHER_TOKENS, UNKNOWN_TOKENS
from skerry.edge.split.link import Link
from skerry.edge.split.lookup import PromptLookup
from skerry.edge.split.options import SplitOptions, Transport
from skerry.edge.split.stream import SplitStream, Step
from skerry.edge.split.tier import SplitTier
from tests.cloud.gateway.configured import USER, configured
from tests.cloud.gateway.upstreams import gateway
from tests.cloud.serving import KEY, served
from tests.cloud.simulated import VOCABULARY, SimulatedVerifier
from tests.cloud.talking import ASKED, MESSAGES, TalkingVerifier, said_alone
from tests.edge.split.test_client import Breaking, Scripted

SAMPLING = Sampling(temperature=1.0, seed=8)
TOLD: list[Message] = [{"role": one.role, "content": one.content} for one in MESSAGES]
TOKENS, TEXT = asyncio.run(said_alone(ASKED))
WAYS: tuple[Transport, ...] = ("websocket", "http")
PROMPT = [3, 1, 4]


class Device:
    """Its tokens are letters, which say something else than the target's; goes on with `!`."""

    class info:
        context_tokens = 512

    def __init__(self) -> None:
        self.went_on: list[Generation] = []

    def generate(self, request: Generation) -> Iterator[Piece]:
        self.went_on.append(request)
        yield Piece("!", [Token(33, "!", 0.0)])
        yield Piece("", finish=FinishReason.STOP)

    def prompt_tokens(self, messages: Sequence[Message]) -> list[int]:
        return list(PROMPT)

    def tokenize(self, text: str) -> list[int]:
        return [ord(one) for one in text]

    def piece(self, token: int) -> bytes:
        return chr(token).encode()

    def vocabulary_digest(self) -> bytes:
        return VOCABULARY


@dataclass
class Made:
    """A tier, and what was made for it."""

    tier: SplitTier
    device: Device
    drafters: list[Drafter]


def made(url: str, *, key: str = KEY, **options: Any) -> Made:
    device, drafters = Device(), list[Drafter]()

    def drafting(_: object) -> Drafter:
        drafters.append(PromptLookup())
        return drafters[-1]

    given = SplitOptions(base_url=url, api_key=Secret(key), **options)
    tier = SplitTier(given, lambda: nullcontext(device), drafting)  # type: ignore[arg-type, return-value]
    return Made(tier, device, drafters)


def asked(
    one: Made, messages: Sequence[Message] = TOLD, *, most: int = 40, stop: Sequence[str] = (),
    cancel: threading.Event | None = None, request_class: str = "",
) -> tuple[str, SplitStream, Piece]:  # fmt: skip
    """The answer, its stream, and its last piece."""
    preview = one.tier.preview(
        messages, sampling=SAMPLING, max_tokens=most, stop=stop, request_class=request_class
    )
    with one.tier.send(preview, deadline_s=20, cancel=cancel or threading.Event()) as stream:
        pieces = list(stream)
    return "".join(piece.text for piece in pieces), stream, pieces[-1]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with served(TalkingVerifier()) as url:
        yield url


@pytest.mark.parametrize("transport", WAYS)
def test_the_answer_is_streamed_and_the_device_says_once_why(
    url: str, transport: Transport, caplog: pytest.LogCaptureFixture
) -> None:
    one = made(url, transport=transport)
    with caplog.at_level(logging.WARNING):
        text, stream, last = asked(one)
        again, second, _ = asked(one)
        other, third, _ = asked(one, request_class="lookup")
    assert text == again == other == TEXT
    report = stream.report
    assert (report.streamed, report.why) == (True, OTHER_TOKENS)
    assert (report.tokens, report.passes, report.drafted) == (len(TOKENS), len(TOKENS), 0)
    assert (report.alone, report.broke, report.model) == (0, "", "simulated")
    assert last.usage is not None
    assert last.usage.prompt_tokens == len(MESSAGES)
    attempts = [made.egress.attempts for made in (stream, second, third)]
    assert attempts == [2, 1, 2], "another class may have another target"
    assert second.egress.bytes_sent < stream.egress.bytes_sent
    assert len(one.drafters) == 2, "none is made for what is known to be streamed"
    (said,) = (record.getMessage() for record in caplog.records)
    assert "nothing is drafted" in said
    assert OTHER_TOKENS in said


def test_tokens_that_nobody_knows_are_not_taken_on_trust(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with served(TalkingVerifier(b"")) as url, caplog.at_level(logging.WARNING):
        one = made(url)
        for _ in range(2):
            text, stream, _ = asked(one)
            assert (text, stream.report.why) == (TEXT, UNKNOWN_TOKENS)
    (said,) = (record.getMessage() for record in caplog.records)
    assert UNKNOWN_TOKENS in said


def test_a_preview_shows_what_is_sent_and_an_approval_holds_for_both(url: str) -> None:
    one = made(url)
    before = one.tier.preview(TOLD, sampling=SAMPLING, max_tokens=40)
    asked(one)
    after = one.tier.preview(TOLD, sampling=SAMPLING, max_tokens=40)
    frames = [read_device_frame(preview.body) for preview in (before, after)]
    assert [frame.version for frame in frames] == [VERSION, VERSION]  # type: ignore[union-attr]
    assert frames[1].messages == MESSAGES  # type: ignore[union-attr]
    assert before.digest == after.digest
    assert before.messages == after.messages
    other = one.tier.preview([*TOLD, *TOLD[1:]], sampling=SAMPLING, max_tokens=40)
    assert other.digest != after.digest


@pytest.mark.parametrize("transport", WAYS)
@pytest.mark.parametrize("frames", [2, 3, 9])
def test_a_broken_connection_is_made_anew_and_the_answer_is_the_same(
    url: str, transport: Transport, frames: int
) -> None:
    one = made(url, transport=transport)
    breaking(one, frames)
    text, stream, _ = asked(one)
    assert text == TEXT
    assert stream.report.resumed > 0
    assert stream.report.alone == 0


def breaking(one: Made, frames: int, *, links: Callable[[int], bool] = lambda at: at == 1) -> None:
    """Breaks the links of those numbers, the first of which is of the question in tokens."""
    connect, count = one.tier._ways.connect, [0]

    def connected(headers: Any, left_s: float) -> Link:
        link: Link = connect(headers, left_s)
        breaks, count[0] = links(count[0]), count[0] + 1
        return Breaking(link, frames) if breaks else link  # type: ignore[return-value]

    one.tier._ways.connect = connected  # type: ignore[method-assign]


def test_a_cloud_that_is_gone_for_good_leaves_the_rest_to_the_device(url: str) -> None:
    one = made(url, resumes=0)
    breaking(one, 9)
    text, stream, last = asked(one)
    assert text.endswith("!")
    assert TEXT.startswith(text[:-1])
    report = stream.report
    assert (report.tokens, report.alone, report.streamed) == (8, 1, True)
    assert "cut" in report.broke
    (request,) = one.device.went_on
    assert request.prompt == [*PROMPT, *map(ord, text[:-1])], "in the device's own tokens"
    assert request.max_tokens == 40 - 8
    assert last.finish is FinishReason.STOP


def test_stop_strings_cancelling_and_lengths_hold_as_in_tokens(url: str) -> None:
    one = made(url)
    stop = TEXT[5:8]
    text, _, last = asked(one, stop=[stop])
    assert text == TEXT[: TEXT.index(stop)]
    assert last.finish is FinishReason.STOP
    text, stream, last = asked(one, most=3)
    assert stream.report.tokens == 3
    assert last.finish is FinishReason.LENGTH
    cancel = threading.Event()
    cancel.set()
    with served(PacedVerifier(TalkingVerifier(), Pace(pass_ms=20))) as slow:
        _, stream, last = asked(made(slow), most=400, cancel=cancel)
    assert last.finish is FinishReason.CANCELLED


def test_whoever_watches_sees_the_targets_own(url: str) -> None:
    one, seen = made(url), list[Step]()
    one.tier.watch = seen.append
    asked(one)
    assert "".join(step.own for step in seen) == TEXT
    assert not any(step.taken or step.corrected for step in seen)


def test_a_target_that_has_the_same_tokens_by_now_is_drafted_for_again() -> None:
    verifier = TalkingVerifier()
    with served(verifier) as url:
        one = made(url)
        assert asked(one)[1].report.streamed
        verifier.facts = TalkingVerifier(VOCABULARY).facts
        assert asked(one)[1].report.streamed
        assert not asked(one)[1].report.streamed
    assert len(one.drafters) == 2


NOT_TEXT: dict[str, list[Message]] = {
    "a role": [{"role": "tool", "content": "a"}],
    "no role": [{"content": "a"}],
    "a call": [{"role": "assistant", "content": "a", "tool_calls": []}],
    "parts": [{"role": "user", "content": [{"type": "text", "text": "a"}]}],
    "no content": [{"role": "user", "content": None}],
    "none": [],
    "too many": [{"role": "user", "content": "a"}] * 257,
    "too large": [{"role": "user", "content": "a" * MOST_BYTES}],
}


@pytest.mark.parametrize("messages", NOT_TEXT.values(), ids=NOT_TEXT.keys())
def test_what_is_no_plain_text_is_refused_as_before(url: str, messages: list[Message]) -> None:
    with pytest.raises(CloudRefused, match="other tokens"):
        asked(made(url), messages)


def test_half_a_character_of_a_broken_document_costs_no_answer(url: str) -> None:
    assert asked(made(url), [{"role": "user", "content": "a\ud83d\x00"}])[0]


def test_a_target_without_words_refuses_as_before() -> None:
    class Mute(SimulatedVerifier):
        def __init__(self) -> None:
            super().__init__()
            self.facts = TalkingVerifier().facts

    with served(Mute()) as url, pytest.raises(CloudRefused, match="other tokens") as refused:
        asked(made(url))
    assert "cloud_url" in refused.value.hint


class Refusing:
    """A cloud of another version, over HTTP: what it cannot read is a 400."""

    def __enter__(self) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["content-length"]))
                said = b'{"error": {"code": "bad_version", "message": "another version"}}'
                self.send_response(400)
                self.send_header("content-length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self._server.server_port}"

    def __exit__(self, *exc_info: object) -> None:
        self._server.shutdown()
        self._server.server_close()


REFUSAL = Fault("bad_version", "this side speaks another version")


@pytest.mark.parametrize(
    ("cloud", "transport"), [(Scripted([REFUSAL]), "websocket"), (Refusing(), "http")], ids=WAYS
)
def test_a_cloud_that_will_not_begin_is_asked_in_tokens_the_next_time(
    url: str, cloud: Scripted | Refusing, transport: Transport
) -> None:
    one = made(url)
    asked(one)
    assert one.tier.preview(TOLD, sampling=SAMPLING, max_tokens=4).is_known
    with cloud as other:
        one.tier._ways = made(other, transport=transport).tier._ways
        with pytest.raises(CloudRefused, match="version"):
            asked(one)
    assert not one.tier.preview(TOLD, sampling=SAMPLING, max_tokens=4).is_known


@pytest.mark.parametrize("transport", WAYS)
def test_through_a_gateway(tmp_path: Path, transport: Transport) -> None:
    own = '[models.own]\ntier = "large"\ntemplate = "b"\npath = "x.gguf"\n'
    with gateway(configured(own), tmp_path, {"own": Service(TalkingVerifier())}) as running:
        one = made(running.url, key=USER, transport=transport)
        for _ in range(2):
            text, stream, _ = asked(one)
            assert text == TEXT
            assert stream.report.model == "own"
            assert stream.egress.bytes_received
        until = time.monotonic() + 20
        while sum(use.completion_tokens for use in running.state.usage("")) < 2 * len(TOKENS):
            assert time.monotonic() < until, "what was streamed is not booked"
            time.sleep(0.02)
