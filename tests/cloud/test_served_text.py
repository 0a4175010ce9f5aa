"""Targets of a server that are asked in text, by the tokenizer that was given or the server's."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from skerry.cloud.engines.base import Verifier, words_of
from skerry.cloud.engines.completions.options import EndpointOptions
from skerry.cloud.engines.completions.verifier import CompletionsVerifier
from skerry.cloud.engines.completions.words import ServedSpelling
from skerry.cloud.engines.vllm.verifier import VllmVerifier, connect
from skerry.cloud.errors import RequestError, TargetError
from skerry.cloud.hints.frames import VERSION, Fault, Message, Open, Opened
from tests.cloud.fake_completions import Fake, faked, tokenizer_json, tokens_of
from tests.cloud.fake_vllm import FakeEngine, plugged
from tests.cloud.simulated import SIZE
from tests.cloud.talking import piece
from tests.cloud.text_conformance import ASKED, TextConformance, answered, ids, prompt_of, text


class _Faked(TextConformance):
    owner = "vllm"
    given = True

    @pytest.fixture
    def fake(self) -> Fake:
        return Fake(self.owner)

    @pytest.fixture
    def verifier(self, fake: Fake, tmp_path: Path) -> Iterator[CompletionsVerifier]:
        with faked(fake) as url:
            tokenizer = tokenizer_json(tmp_path) if self.given else None
            made = CompletionsVerifier.connect(EndpointOptions(url=url), tokenizer)
            yield made
            asyncio.run(made.close())

    def test_a_template_that_refuses_is_a_refusal(self, verifier: CompletionsVerifier) -> None:
        odd = (Message("user", "a"), Message("system", "b"))
        with pytest.raises(RequestError, match="chat template"):
            asyncio.run(prompt_of(verifier, odd))
        assert asyncio.run(prompt_of(verifier, odd[:1]))

    def test_a_template_without_a_system_is_told_by_the_user(
        self, verifier: CompletionsVerifier, fake: Fake
    ) -> None:
        fake.has_system = False
        asked = (Message("system", "Be brief."), Message("user", "Hi."))
        tokens = asyncio.run(prompt_of(verifier, asked))
        assert tokens == tokens_of("<|user|> Be brief. Hi. <|end|> <|assistant|>")
        with pytest.raises(RequestError, match="chat template"):
            asyncio.run(prompt_of(verifier, asked[:1]))


class TestVllm(_Faked):
    def test_the_text_is_the_tokenizers(self, verifier: CompletionsVerifier, fake: Fake) -> None:
        fake.spelled = 0
        said = asyncio.run(answered(verifier, ASKED))
        words = " ".join(f"w{token}" for token in ids(said) if token)
        assert text(said) == words
        assert not fake.spelled


class TestLlamaServer(_Faked):
    owner = "llamacpp"


class TestVllmThatTellsItsTokens(_Faked):
    given = False

    def test_a_device_is_told_to_ask_in_text(self, verifier: CompletionsVerifier) -> None:
        asked = Open(VERSION, "", b"v" * 32, (1, 2))
        (fault,) = asyncio.run(answered(verifier, asked))
        assert isinstance(fault, Fault)
        assert (fault.code, fault.instead) == ("unknown_vocabulary", "messages")

    def test_a_long_answer_is_spelled_in_parts(self, verifier: CompletionsVerifier) -> None:
        long = msgspec.structs.replace(
            ASKED, max_tokens=300, choosing=msgspec.structs.replace(ASKED.choosing, temperature=1.0)
        )
        said = asyncio.run(answered(verifier, long))
        whole = b"".join(piece(token) for token in ids(said) if token).decode("utf-8", "replace")
        assert whole.startswith(text(said))
        assert len(whole) - len(text(said)) <= 2, "but for a character that was not whole"

    def test_what_ended_an_answer_says_nothing(self, verifier: CompletionsVerifier) -> None:
        """Nobody says beforehand which tokens do."""

        async def spelled() -> str:
            words = words_of(verifier)
            assert words is not None
            verifier.ended.add(9)
            return await words.spelling().feed([8, 9, 10])

        assert asyncio.run(spelled()) == "ik"


class TestLlamaServerThatTellsItsTokens(_Faked):
    owner = "llamacpp"
    given = False


class TestPlugin(TextConformance):
    @pytest.fixture
    def verifier(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[VllmVerifier]:
        with plugged(FakeEngine(), monkeypatch) as (url, _):
            made, why = connect(EndpointOptions(url=url), tokenizer_json(tmp_path))
            assert isinstance(made, VllmVerifier), why
            yield made
            asyncio.run(made.close())


@pytest.mark.parametrize("owner", ["vllm", "llamacpp", "sglang", "somebody"])
@pytest.mark.parametrize("given", [True, False])
def test_a_server_that_renders_no_chat_cannot_be_asked_in_text(
    owner: str, tmp_path: Path, *, given: bool
) -> None:
    with faked(Fake(owner, talks=False)) as url:
        tokenizer = tokenizer_json(tmp_path) if given else None
        made = CompletionsVerifier.connect(EndpointOptions(url=url), tokenizer)
        assert made.words is None
        first, *_ = asyncio.run(answered(made, Open(VERSION, "", b"v" * 32, (1,), max_tokens=2)))
        assert isinstance(first, Fault if given else Opened)
        asyncio.run(made.close())


BROKEN = {"status": (503, b"{}"), "no JSON": (200, b"<html>"), "no tokens": (200, b"{}")}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN.keys())
@pytest.mark.parametrize("owner", ["vllm", "llamacpp"])
def test_a_server_that_fails_is_told_without_its_words(
    owner: str, tmp_path: Path, broken: tuple[int, bytes]
) -> None:
    fake = Fake(owner)
    with faked(fake) as url:
        made = CompletionsVerifier.connect(EndpointOptions(url=url), tokenizer_json(tmp_path))
        fake.broken = broken
        (fault,) = asyncio.run(answered(made, ASKED))
        assert isinstance(fault, Fault)
        assert url not in fault.what
        assert fault.code in {"busy", "engine_failed"}
        asyncio.run(made.close())


def test_a_closed_engine_says_so(tmp_path: Path) -> None:
    with faked(Fake()) as url:
        made: Verifier = CompletionsVerifier.connect(
            EndpointOptions(url=url), tokenizer_json(tmp_path)
        )
        asyncio.run(made.close())
        with pytest.raises(TargetError, match="closed"):
            asyncio.run(prompt_of(made, ASKED.messages))


@pytest.mark.parametrize("at_once", [1, 3, 1_000])
@pytest.mark.parametrize("size", [1, 2, 3, 200])
def test_characters_come_whole_however_a_servers_tokens_cut_them(size: int, at_once: int) -> None:
    whole = "é海 rocks \U0001f30a quiet " * 20
    data = whole.encode()
    pieces = [data[at : at + size] for at in range(0, len(data), size)]

    async def detokenized(tokens: list[int]) -> str:
        return b"".join(pieces[one] for one in tokens).decode("utf-8", "replace")

    async def spelled() -> list[str]:
        spelling = ServedSpelling(detokenized, set())  # type: ignore[arg-type]
        starts = range(0, len(pieces), at_once)
        return [await spelling.feed(range(len(pieces))[at : at + at_once]) for at in starts]

    said = asyncio.run(spelled())
    assert "".join(said) == whole


def test_the_fake_speaks_as_it_is_asked(tmp_path: Path) -> None:
    """llama-server's route knows no messages, and vLLM has no other."""
    with faked(Fake()) as url:
        made = CompletionsVerifier.connect(EndpointOptions(url=url), tokenizer_json(tmp_path))
        tokens = asyncio.run(prompt_of(made, (Message("user", "Hi."),)))
        assert tokens == tokens_of("<|user|> Hi. <|end|> <|assistant|>")
        assert max(tokens) < SIZE
        asyncio.run(made.close())
