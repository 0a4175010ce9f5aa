"""A real vLLM server: with the plugin, and as it comes."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx2
import numpy as np
import pytest

from skerry.cloud.engines.base import Verifier
from skerry.cloud.engines.completions.options import EndpointOptions
from skerry.cloud.engines.completions.verifier import CompletionsVerifier
from skerry.cloud.engines.vllm.verifier import VllmVerifier, connect
from skerry.cloud.errors import TargetError
from skerry.cloud.hints.choice import Sampling
from skerry.cloud.hints.tree import Tree, chain
from tests.cloud.conformance import COUNT, SAMPLINGS, Conformance, Drafter, written
from tests.cloud.fake_completions import tokenizer_json
from tests.cloud.vllm_server import (
    PLUGIN,
    PYTHON,
    SIZE,
    SMALL_STEPS,
    WHY_NOT,
    made_model,
    serving,
)

pytestmark = [
    pytest.mark.vllm,
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not PYTHON, reason=WHY_NOT),
]
PROMPT = [int(token) for token in np.random.default_rng(1).integers(1, SIZE, 90)]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_model(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def with_plugin(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(model, tmp_path_factory.mktemp("plugin"), (*PLUGIN, *SMALL_STEPS)) as url:
        yield url


@pytest.fixture(scope="module")
def stock(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(model, tmp_path_factory.mktemp("stock")) as url:
        yield url


@pytest.fixture(scope="module")
def plugin_verifier(with_plugin: str, model: Path) -> Iterator[Verifier]:
    made, why = connect(EndpointOptions(url=with_plugin), model)
    assert (type(made), why) == (VllmVerifier, "")
    yield made
    asyncio.run(made.close())


@pytest.fixture(scope="module")
def stock_verifier(stock: str, model: Path) -> Iterator[Verifier]:
    """Its server has the routes, but neither the scheduler nor the proposer."""
    made, why = connect(EndpointOptions(url=stock), model)
    assert type(made) is CompletionsVerifier
    assert "start vLLM with --scheduler-cls" in why
    yield made
    asyncio.run(made.close())


@pytest.fixture
def prompt() -> list[int]:
    return list(PROMPT)


class TestPlugin(Conformance):
    @pytest.fixture
    def verifier(self, plugin_verifier: VllmVerifier) -> VllmVerifier:
        return plugin_verifier

    def test_greedy_is_the_servers_own(self, verifier: VllmVerifier, with_plugin: str) -> None:
        assert _differing(verifier, with_plugin) == 0

    def test_only_new_tokens_travel(self, verifier: VllmVerifier) -> None:
        async def sent() -> list[int]:
            target = await verifier.open(PROMPT, Sampling())
            sizes = []
            for _ in range(3):
                before = verifier.endpoint.traffic.sent
                await target.look(chain([1, 2, 3, 4]))
                sizes.append(verifier.endpoint.traffic.sent - before)
            await target.close()
            return sizes

        first, *rest = asyncio.run(sent())
        assert first > len(PROMPT)
        assert max(rest) < 120

    def test_a_session_that_was_forgotten_is_sent_again(self, verifier: VllmVerifier) -> None:
        async def continued() -> list[int]:
            target = await verifier.open(PROMPT, Sampling())
            said = list((await target.look(Tree())).tokens)
            target._session = "another"  # type: ignore[attr-defined]
            said += (await target.look(Tree())).tokens
            await target.close()
            return said

        said, _ = asyncio.run(written(verifier, PROMPT, Sampling(), lambda _: Tree()))
        assert asyncio.run(continued()) == said[:2]

    def test_samples_are_the_targets(self, verifier: VllmVerifier) -> None:
        """2,000 first tokens at top-k 4, half of them with a draft, against the probabilities that
        the server tells."""
        _check_distribution(verifier, count=2_000)

    def test_others_on_the_same_server_are_left_alone(
        self, verifier: VllmVerifier, with_plugin: str
    ) -> None:
        """Requests that are not the plugin's, in the same batches. Greedy ones: on a CPU vLLM 0.32
        dies of a seeded request whose prompt takes two steps."""
        prompts = [PROMPT[start:] for start in range(4)]
        alone = [_plain(with_plugin, prompt) for prompt in prompts]

        async def mixed() -> list[list[int]]:
            loads = [
                written(verifier, PROMPT, SAMPLINGS[i % 2], lambda _: chain([5, 6])) for i in (0, 1)
            ]
            others = [asyncio.to_thread(_plain, with_plugin, prompt) for prompt in prompts]
            answers = await asyncio.gather(*others, *loads)
            return list(answers[:4])  # type: ignore[arg-type]

        assert asyncio.run(mixed()) == alone


class TestStock(Conformance):
    refused = frozenset({SAMPLINGS[2]})

    @pytest.fixture
    def verifier(self, stock_verifier: CompletionsVerifier) -> CompletionsVerifier:
        return stock_verifier

    def test_greedy_is_the_servers_own(self, verifier: CompletionsVerifier, stock: str) -> None:
        assert _differing(verifier, stock) == 0

    def test_samples_are_the_targets(self, verifier: CompletionsVerifier) -> None:
        _check_distribution(verifier, count=600)


def test_a_tokenizer_of_another_model(stock: str, tmp_path: Path) -> None:
    tokenizer = tokenizer_json(tmp_path, SIZE, unknown="w2")
    with pytest.raises(TargetError, match="other tokens"):
        connect(EndpointOptions(url=stock), tokenizer)


def _plain(url: str, prompt: list[int]) -> list[int]:
    """What the server says by itself, greedily."""
    body = {
        "model": "tiny",
        "prompt": prompt,
        "max_tokens": COUNT,
        "temperature": 0,
        "logprobs": 0,
        "return_tokens_as_token_ids": True,
    }
    answer = httpx2.post(f"{url}/v1/completions", json=body, timeout=120)
    answer.raise_for_status()
    tokens = answer.json()["choices"][0]["logprobs"]["tokens"]
    return [int(token.removeprefix("token_id:")) for token in tokens]


def _differing(verifier: Verifier, url: str) -> int:
    """Of 10 prompts, how many have another greedy answer with drafts than the server's own."""
    count = 0
    for start in range(10):
        prompt = PROMPT[start : start + 40 + 5 * start]
        own = _plain(url, prompt)
        said, _ = asyncio.run(written(verifier, prompt, Sampling(), _nearly(own)))
        count += said != own
    return count


def _nearly(own: list[int]) -> Drafter:
    """Three tokens that are right, and one that is not."""
    return lambda so_far: chain([*own[len(so_far) : len(so_far) + 3], 7])


def _check_distribution(verifier: VllmVerifier | CompletionsVerifier, count: int) -> None:
    url = verifier.endpoint.options.url.removesuffix("/v1")
    body = {"model": "tiny", "prompt": PROMPT, "max_tokens": 1, "logprobs": 4, "temperature": 1}
    body["return_tokens_as_token_ids"] = True
    answer = httpx2.post(f"{url}/v1/completions", json=body, timeout=60).json()
    likely = answer["choices"][0]["logprobs"]["top_logprobs"][0]
    best = sorted(likely.items(), key=lambda one: -one[1])[:4]
    ids = [int(name.removeprefix("token_id:")) for name, _ in best]
    share = np.exp([logprob for _, logprob in best])
    found: Counter[int] = Counter()

    async def draw(seed: int) -> None:
        target = await verifier.open(PROMPT, Sampling(temperature=1.0, top_k=4, seed=seed))
        result = await target.look(chain([ids[0]]) if seed % 2 else Tree())
        found[result.tokens[0]] += 1
        await target.close()

    async def all_drawn() -> None:
        for start in range(0, count, 4):
            await asyncio.gather(*(draw(seed) for seed in range(start, start + 4)))

    asyncio.run(all_drawn())
    expected = share / share.sum() * count
    chi2 = sum((found[token] - e) ** 2 / e for token, e in zip(ids, expected, strict=True))
    assert sum(found.values()) == sum(found[token] for token in ids) == count
    assert chi2 < 16.3  # 3 degrees of freedom, p = 0.001
