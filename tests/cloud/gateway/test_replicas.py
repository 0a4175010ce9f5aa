"""A model on several servers, as one target: which of them, and what happens when one fails."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from skerry.cloud.engines.base import Pass
from skerry.cloud.engines.vllm.verifier import VllmVerifier
from skerry.cloud.errors import Busy, RequestError, TargetError
from skerry.cloud.gateway.app import Assembled
from skerry.cloud.gateway.engines import services
from skerry.cloud.gateway.replicas import Replicated
from skerry.cloud.gateway.state import opened
from skerry.cloud.hints.choice import Sampling
from skerry.cloud.hints.frames import VERSION, Done, Open
from skerry.cloud.hints.matcher import Hint
from skerry.cloud.hints.tree import Tree, chain
from skerry.cloud.service import Service
from tests.cloud.conformance import Conformance, written
from tests.cloud.fake_completions import tokenizer_json
from tests.cloud.fake_vllm import FakeEngine, plugged
from tests.cloud.gateway.configured import BASE, configured
from tests.cloud.simulated import (
    ListChannel,
    SimulatedTarget,
    SimulatedVerifier,
    alone,
)

URLS = ("http://a/v1", "http://b/v1", "http://c/v1")
PROMPT = (3, 1, 4)
WARM = Sampling(temperature=0.8, seed=4, presence_penalty=0.4)
COUNT = 20


class Failing(SimulatedVerifier):
    """Its targets fail after so many passes; `why` is what they say."""

    def __init__(self, passes: int = 1 << 30, why: Exception | None = None) -> None:
        super().__init__()
        self.passes, self.why = passes, why or TargetError("it broke")
        self.closed = False

    async def open(
        self, tokens: Sequence[int], sampling: Sampling, *, generated: int = 0,
        ends: frozenset[int] = frozenset(),
    ) -> SimulatedTarget:  # fmt: skip
        target = await super().open(tokens, sampling, generated=generated, ends=ends)
        look = target.look

        async def breaking(tree: Tree) -> Pass:
            if self.passes <= 0:
                raise self.why
            self.passes -= 1
            return await look(tree)

        target.look = breaking  # type: ignore[method-assign]
        return target

    async def close(self) -> None:
        self.closed = True


def replicated(**by_url: SimulatedVerifier) -> tuple[Replicated, list[str]]:
    """Of `a`, `b` and `c`; and which were connected to."""
    connected = []

    def connect(url: str) -> SimulatedVerifier:
        connected.append(url)
        return by_url[url[7]]

    return Replicated([url for url in URLS if url[7] in by_url], connect), connected


class TestConformance(Conformance):
    heeds_hints = False

    @pytest.fixture
    def verifier(self) -> Replicated:
        class Bounded(SimulatedVerifier):
            async def open(
                self, tokens: Sequence[int], sampling: Sampling, *, generated: int = 0,
                ends: frozenset[int] = frozenset(),
            ) -> SimulatedTarget:  # fmt: skip
                if sum(not one.closed for one in self.opened) > 50:
                    raise Busy("full", hint="later")
                if not tokens or len(tokens) >= 4096 or not 0 <= tokens[0] < 24:
                    raise RequestError("no sequence", hint="another")
                return await super().open(tokens, sampling, generated=generated, ends=ends)

        return replicated(a=Bounded(), b=Bounded())[0]

    @pytest.fixture
    def prompt(self) -> list[int]:
        return list(PROMPT)


@pytest.mark.parametrize("passes", [0, 1, 7, 19])
@pytest.mark.parametrize("why", [TargetError("it broke"), Busy("no room", hint="later")])
def test_a_generation_goes_on_where_a_replica_fails(passes: int, why: Exception) -> None:
    first, second = Failing(passes, why), Failing()
    verifier, _ = replicated(a=first, b=second)
    said, _ = asyncio.run(written(verifier, PROMPT, WARM, lambda _: chain([1, 2])))
    assert said == alone(PROMPT, WARM, len(said))
    assert len(second.opened) == 1
    assert first.opened[0].closed


def test_one_that_failed_is_not_asked_again_for_the_same_answer() -> None:
    verifier, _ = replicated(a=Failing(2), b=Failing(3, TargetError("so did this")))
    with pytest.raises(TargetError, match="so did this"):
        asyncio.run(written(verifier, PROMPT, WARM, lambda _: Tree()))


def test_what_is_wrong_with_the_request_is_no_failure_of_a_replica() -> None:
    first = Failing(2, RequestError("the context is full", hint="less"))
    verifier, connected = replicated(a=first, b=Failing())
    with pytest.raises(RequestError, match="full"):
        asyncio.run(written(verifier, PROMPT, WARM, lambda _: Tree()))
    assert connected == ["http://a/v1"]
    assert verifier.order(b"")[0].breaker.failures == 0


def test_a_server_that_is_away_at_first_is_left_out_and_found_later() -> None:
    away = {"http://a/v1"}
    one = SimulatedVerifier()

    def connect(url: str) -> SimulatedVerifier:
        if url in away:
            raise TargetError(f"no connection to {url}")
        return one

    verifier = Replicated(URLS[:2], connect)
    said, _ = asyncio.run(written(verifier, PROMPT, WARM, lambda _: Tree()))
    assert said
    assert verifier.order(b"")[0].breaker.failures == 1
    away.clear()
    assert asyncio.run(verifier.verifier(URLS[0])) is one
    away.update(URLS)
    with pytest.raises(TargetError, match="http://a/v1"):
        Replicated(URLS, connect)
    with pytest.raises(TargetError):
        Replicated([], connect)


def test_a_server_with_another_model_is_left_out() -> None:
    other = Failing()
    other.facts = replace(other.facts, vocabulary=b"o" * 32)
    verifier, _ = replicated(a=Failing(0), b=other)
    with pytest.raises(TargetError, match="it broke"):
        asyncio.run(written(verifier, PROMPT, WARM, lambda _: Tree()))
    assert other.closed
    assert not other.opened


def test_a_closed_one_opens_nothing() -> None:
    verifier, _ = replicated(a=Failing(), b=Failing())
    asyncio.run(verifier.close())
    with pytest.raises(TargetError, match="closed"):
        asyncio.run(verifier.open(PROMPT, WARM))


def test_hints_count_from_where_the_replica_began() -> None:
    heard: list[Hint] = []

    class Running(SimulatedTarget):
        async def following(self, tree: Tree, most: int) -> Pass:
            return await self.look(tree)

        def hear(self, hint: Hint) -> None:
            heard.append(hint)

    class Runs(SimulatedVerifier):
        async def open(
            self, tokens: Sequence[int], sampling: Sampling, *, generated: int = 0,
            ends: frozenset[int] = frozenset(),
        ) -> SimulatedTarget:  # fmt: skip
            return Running(tokens, sampling, self.facts.ends | ends, generated)

    async def moved() -> None:
        verifier, _ = replicated(a=Failing(3), b=Runs())
        target = await verifier.open(PROMPT, WARM)
        for _ in range(4):
            await target.following(Tree(), COUNT)  # type: ignore[attr-defined]
        for position in (1, 5):
            target.hear(Hint(position, chain([7]), 9))  # type: ignore[attr-defined]
        await target.close()

    asyncio.run(moved())
    assert heard == [Hint(2, chain([7]), 9)]


@pytest.fixture
def two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """A gateway's service on two servers with the plugin; the engines by their address."""
    tokenizer = tokenizer_json(tmp_path)
    engines = FakeEngine(), FakeEngine()
    with plugged(engines[0], monkeypatch) as (a, _), plugged(engines[1], monkeypatch) as (b, _):
        listed = f'["{a}/v1", "{b}/v1"]'
        text = BASE.replace('["http://127.0.0.1:1/v1"]', listed).replace(
            "template", f'tokenizer = "{tokenizer.name}"\ntemplate'
        )
        config = configured(base=text)
        made = services(config, tmp_path)
        parts = Assembled(config, opened("state.db", tmp_path), made)
        yield parts, dict(zip((f"{a}/v1", f"{b}/v1"), engines, strict=True))
        parts.state.close()


def _asked(service: Service, session: str) -> None:
    opening = Open(
        VERSION, "", service.verifier.facts.vocabulary, PROMPT, max_tokens=4, session=session,
    )  # fmt: skip
    channel = ListChannel([opening])
    asyncio.run(service.serve(channel, "clinic"))
    assert isinstance(channel.sent[-1], Done), channel.sent[-1]


def test_a_session_stays_with_its_replica(two) -> None:  # type: ignore[no-untyped-def]
    parts, engines = two
    service = parts.services["mid"]
    own: dict[str, str] = {}
    for session in [f"s{i}" for i in range(8)] * 2:
        before = {url: engine.began for url, engine in engines.items()}
        _asked(service, session)
        (asked,) = [url for url, engine in engines.items() if engine.began > before[url]]
        assert own.setdefault(session, asked) == asked
    assert len(set(own.values())) == 2


def test_a_drained_replica_gets_no_new_generation(two) -> None:  # type: ignore[no-untyped-def]
    parts, engines = two
    drained, other = engines
    parts.fleet.drain({("mid", drained)})
    for i in range(6):
        _asked(parts.services["mid"], f"s{i}")
    assert engines[drained].began == 0
    assert engines[other].began == 6


def test_replicas_with_the_plugin_are_used_as_such(two) -> None:  # type: ignore[no-untyped-def]
    parts, engines = two
    verifier = parts.services["mid"].verifier
    assert isinstance(verifier, Replicated)
    found: Callable[[str], object] = lambda url: asyncio.run(verifier.verifier(url))  # noqa: E731
    assert {type(found(url)) for url in engines} == {VllmVerifier}
