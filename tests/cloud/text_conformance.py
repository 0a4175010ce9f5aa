"""What every engine that can be asked in text must do; a module subclasses `TextConformance` with
its own `verifier` fixture."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import msgspec
import pytest

from skerry.cloud.engines.base import Verifier, words_of
from skerry.cloud.errors import RequestError
from skerry.cloud.hints.frames import (
    VERSION,
    Choosing,
    CloudFrame,
    Done,
    Fault,
    Message,
    Open,
    Opened,
    Said,
    Tokens,
)
from skerry.cloud.service import Service
from tests.cloud.simulated import ListChannel

ASKED = Open(
    VERSION, "", b"", (), max_tokens=16,
    messages=(Message("system", "Be brief."), Message("user", "Tell me of the sea.")),
)  # fmt: skip
CHOOSINGS = [Choosing(), Choosing(temperature=1.0, seed=7)]


class TextConformance:
    @pytest.fixture
    def runner(self) -> Iterator[asyncio.Runner]:
        with asyncio.Runner() as runner:
            yield runner

    @pytest.mark.parametrize("choosing", CHOOSINGS, ids=str)
    def test_the_text_is_what_the_target_says_to_the_prompt_of_its_template(
        self, verifier: Verifier, runner: asyncio.Runner, choosing: Choosing
    ) -> None:
        asked = msgspec.structs.replace(ASKED, choosing=choosing)
        opened, *said, done = runner.run(answered(verifier, asked))
        assert isinstance(opened, Opened)
        assert isinstance(done, Done)
        assert (opened.version, opened.drafts) == (VERSION, 0)
        assert opened.vocabulary == verifier.facts.vocabulary
        prompt = runner.run(prompt_of(verifier, ASKED.messages))
        assert opened.position == len(prompt)
        plain = Open(VERSION, "", b"", tuple(prompt), choosing, max_tokens=16)
        same = runner.run(answered(verifier, plain))
        assert ids(said) == ids(same)
        assert text(said)

    @pytest.mark.parametrize("choosing", CHOOSINGS, ids=str)
    @pytest.mark.parametrize("count", [1, 5, 15])
    def test_it_goes_on_where_it_broke_off(
        self, verifier: Verifier, runner: asyncio.Runner, choosing: Choosing, count: int
    ) -> None:
        asked = msgspec.structs.replace(ASKED, choosing=choosing)
        _, *whole, _ = runner.run(answered(verifier, asked))
        tokens = ids(whole)[:count]
        rest = msgspec.structs.replace(
            asked, tokens=tuple(tokens), generated=len(tokens),
            vocabulary=verifier.facts.vocabulary, max_tokens=16 - len(tokens),
        )  # fmt: skip
        opened, *said, _ = runner.run(answered(verifier, rest))
        assert isinstance(opened, Opened)
        assert tokens + ids(said) == ids(whole)
        assert text(whole[:count]) + text(said) == text(whole)

    def test_what_ends_an_answer_has_no_text(
        self, verifier: Verifier, runner: asyncio.Runner
    ) -> None:
        words = words_of(verifier)
        assert words is not None
        assert runner.run(words.spelling().feed(sorted(verifier.facts.ends))) == ""

    def test_messages_that_cannot_fit_are_refused(
        self, verifier: Verifier, runner: asyncio.Runner
    ) -> None:
        long = "the sea and the rocks " * (verifier.facts.context_tokens)
        asked = msgspec.structs.replace(ASKED, messages=(Message("user", long),))
        (fault,) = runner.run(answered(verifier, asked))
        assert isinstance(fault, Fault)
        assert fault.code == RequestError.code

    @pytest.mark.parametrize("content", ["", "\x00", "\U0001f30a\u202e", "{{ 7 * 7 }}"], ids=ascii)
    def test_odd_messages_are_answered(
        self, verifier: Verifier, runner: asyncio.Runner, content: str
    ) -> None:
        asked = msgspec.structs.replace(ASKED, messages=(Message("user", content),))
        *_, done = runner.run(answered(verifier, asked))
        assert isinstance(done, Done)


async def answered(verifier: Verifier, asked: Open) -> list[CloudFrame]:
    channel = ListChannel([asked])
    await Service(verifier).serve(channel)
    return channel.sent


async def prompt_of(verifier: Verifier, messages: tuple[Message, ...]) -> list[int]:
    words = words_of(verifier)
    assert words is not None
    return await words.prompt(messages)


def ids(frames: list[CloudFrame]) -> list[int]:
    return [token for one in frames if isinstance(one, Said | Tokens) for token in one.tokens]


def text(frames: list[CloudFrame]) -> str:
    return "".join(one.text for one in frames if isinstance(one, Said))
