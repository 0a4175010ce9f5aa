"""The plugin's routes and who asks them, over a simulated target; the real server is in
`test_vllm_conformance.py`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import numpy as np
import pytest

from skerry.cloud.engines.completions.endpoint import Endpoint
from skerry.cloud.engines.completions.options import EndpointOptions
from skerry.cloud.engines.completions.verifier import CompletionsVerifier
from skerry.cloud.engines.vllm import wire
from skerry.cloud.engines.vllm.plugin import TESTED, version_fault
from skerry.cloud.engines.vllm.plugin.asked import Asked, asked_of
from skerry.cloud.engines.vllm.plugin.routes import HintRoutes
from skerry.cloud.engines.vllm.plugin.sampling import install, tokens_of
from skerry.cloud.engines.vllm.verifier import VllmVerifier, ask, branches_of, connect
from skerry.cloud.errors import TargetError
from skerry.cloud.gateway.engines import services
from skerry.cloud.gateway.replicas import Replicated
from skerry.cloud.hints.choice import Sampling
from skerry.cloud.hints.frames import Choosing
from skerry.cloud.hints.tree import Tree, chain
from tests.cloud.conformance import SAMPLINGS, Conformance, written
from tests.cloud.fake_completions import tokenizer_json
from tests.cloud.fake_vllm import FakeEngine, plugged
from tests.cloud.gateway.configured import BASE, configured
from tests.cloud.simulated import alone

PROMPT = [5, 6, 7]


@pytest.fixture
def prompt() -> list[int]:
    return list(PROMPT)


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def served(engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, HintRoutes]]:
    with plugged(engine, monkeypatch) as found:
        yield found


@pytest.fixture
def verifier(served: tuple[str, HintRoutes], tmp_path: Path) -> Iterator[VllmVerifier]:
    made, why = connect(EndpointOptions(url=served[0]), tokenizer_json(tmp_path))
    assert isinstance(made, VllmVerifier), why
    yield made
    asyncio.run(made.close())


class TestPluginRoutes(Conformance):
    @pytest.mark.parametrize("sampling", SAMPLINGS, ids=str)
    def test_it_says_what_the_target_says_alone(
        self, verifier: VllmVerifier, sampling: Sampling
    ) -> None:
        """The noise is the shared one: the output is that of any other engine."""
        said, _ = asyncio.run(written(verifier, PROMPT, sampling, lambda _: Tree()))
        assert said == alone(PROMPT, sampling, len(said))


def test_only_new_tokens_travel(verifier: VllmVerifier, engine: FakeEngine) -> None:
    long = [token % 20 + 1 for token in range(400)]

    async def sent() -> list[int]:
        target = await verifier.open(long, Sampling())
        sizes = []
        for _ in range(3):
            before = verifier.endpoint.traffic.sent
            await target.look(chain([1, 2, 3, 4]))
            sizes.append(verifier.endpoint.traffic.sent - before)
        return sizes

    first, *rest = asyncio.run(sent())
    assert first > 400
    assert max(rest) < 120
    assert len(engine.prompts[-1]) > 400


def test_a_server_that_was_started_anew_is_sent_all_again(
    verifier: VllmVerifier, served: tuple[str, HintRoutes]
) -> None:
    async def continued() -> list[int]:
        target = await verifier.open(PROMPT, Sampling())
        said = list((await target.look(Tree())).tokens)
        served[1]._contexts = type(served[1]._contexts)()
        said += (await target.look(Tree())).tokens
        return said

    assert asyncio.run(continued()) == alone(PROMPT, Sampling(), 2)


def test_branches_are_the_paths_to_the_leaves() -> None:
    assert branches_of(Tree()) == ()
    assert branches_of(chain([1, 2])) == ((1, 2),)
    assert branches_of(Tree((1, 2, 3, 4), (-1, 0, 0, -1))) == ((1, 2), (1, 3), (4,))


def test_a_plugin_that_takes_no_draft_is_not_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with plugged(FakeEngine(deaf=True), monkeypatch) as (url, _):
        made, why = connect(EndpointOptions(url=url), tokenizer_json(tmp_path))
    assert isinstance(made, CompletionsVerifier)
    assert "known to be right" in why


def test_a_server_without_the_scheduler(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with plugged(FakeEngine(scheduler="vllm.Scheduler"), monkeypatch) as (url, _):
        made, why = connect(EndpointOptions(url=url), tokenizer_json(tmp_path))
        assert isinstance(made, CompletionsVerifier)
        assert "--scheduler-cls" in why
        with pytest.raises(TargetError, match="501"):
            asyncio.run(_asked(url, wire.Look("a", 0, (1,), ())))


@pytest.mark.parametrize("deaf", [False, True])
def test_a_gateways_replica_with_the_plugin(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, deaf: bool
) -> None:
    tokenizer = tokenizer_json(tmp_path)
    with plugged(FakeEngine(deaf=deaf), monkeypatch) as (url, _):
        text = BASE.replace("http://127.0.0.1:1/v1", url).replace(
            "template", f'tokenizer = "{tokenizer.name}"\ntemplate'
        )
        config = configured(base=text)
        (service,) = services(config, tmp_path).values()
        assert isinstance(service.verifier, Replicated)
        (replica,) = config.models["mid"].replicas or ()
        verifier = asyncio.run(service.verifier.verifier(replica))
    assert type(verifier) is (CompletionsVerifier if deaf else VllmVerifier)


def test_another_version_of_vllm(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with plugged(FakeEngine(), monkeypatch, version="0.33.0") as (url, _):
        made, why = connect(EndpointOptions(url=url), tokenizer_json(tmp_path))
    assert isinstance(made, CompletionsVerifier)
    assert "0.33.0" in why
    assert f"install vllm=={TESTED}" in why
    assert not version_fault(TESTED)


def test_another_release_of_the_plugin(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, engine: FakeEngine
) -> None:
    with plugged(engine, monkeypatch) as (url, _), monkeypatch.context() as patch:
        patch.setattr(wire, "VERSION", 3)
        patch.setattr(
            HintRoutes, "init_state", _with_facts(wire.PluginFacts(1, TESTED, 16)), raising=True
        )
        made, why = connect(EndpointOptions(url=url), tokenizer_json(tmp_path))
    assert isinstance(made, CompletionsVerifier)
    assert "another release" in why


def _with_facts(facts: wire.PluginFacts) -> Any:
    async def init_state(self: HintRoutes, *_: Any) -> None:
        self._facts = facts

    return init_state


@pytest.mark.parametrize("body", [b"", b"\x93", b"\xff" * 40, msgspec.msgpack.encode([1, 2, 3])])
def test_a_body_that_is_none(served: tuple[str, HintRoutes], body: bytes) -> None:
    httpx2.get(f"{served[0]}/v1/models")
    answer = httpx2.post(f"{served[0]}/v1/skerry/look", content=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"]


def test_what_the_engine_refuses_is_told(served: tuple[str, HintRoutes]) -> None:
    httpx2.get(f"{served[0]}/v1/models")
    with pytest.raises(TargetError, match="the prompt is too long"):
        asyncio.run(_asked(served[0], wire.Look("a", 0, (1,) * 600, ())))


async def _asked(url: str, look: wire.Look) -> wire.Seen | None:
    endpoint = Endpoint(EndpointOptions(url=url))
    try:
        return await ask(endpoint, look)
    finally:
        await endpoint.close()


def test_what_is_asked_travels_in_extra_args() -> None:
    asked = Asked((4, 5), Choosing(temperature=0.5, seed=2**60), 3, (9,), "run", 7)
    params = type("Params", (), {"extra_args": msgspec.to_builtins(asked.extra_args())})
    assert asked_of(params) == asked
    assert asked_of(type("Params", (), {"extra_args": None})) is None
    assert asked_of(None) is None


@dataclass
class _Tensor:
    """As much of a tensor as is used, on numpy."""

    rows: np.ndarray[Any, Any] = field(repr=False)

    def argmax(self, axis: int) -> np.ndarray[Any, Any]:
        return self.rows.argmax(axis)

    def cpu(self) -> _Tensor:
        return self

    float = cpu

    def numpy(self) -> np.ndarray[Any, Any]:
        return self.rows


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_tokens_are_those_of_the_common_rule(temperature: float) -> None:
    rows = np.random.default_rng(3).normal(0, 3, (4, 20)).astype(np.float32)
    free = Asked((), Choosing(temperature=temperature, seed=1))
    prompt = [1] * 5
    said = [tokens_of(free, _Tensor(rows[i : i + 1]), prompt, [1] * i, [])[0] for i in range(4)]
    assert tokens_of(free, _Tensor(rows), prompt, [], said[:3]) == tuple(said)
    assert tokens_of(free, _Tensor(rows[1:]), prompt, said[:1], said[1:3]) == tuple(said[1:])
    assert tokens_of(free, _Tensor(rows), prompt, [], [said[0], said[1] + 1, 3]) == tuple(said[:2])
    ended = Asked((), free.choosing, 0, (said[1],))
    assert tokens_of(ended, _Tensor(rows), prompt, [], said[:3]) == tuple(said[:2])


def test_the_runner_is_wrapped_once() -> None:
    class Runner:
        def _sample(self, logits: Any, drafted: Any) -> str:
            return "own"

    install(Runner)
    wrapped = Runner._sample
    install(Runner)
    assert Runner._sample is wrapped
    assert Runner()._sample(None, None) == "own"
