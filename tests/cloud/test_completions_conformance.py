"""A batch of prefixes on a server of the completions API, in each dialect."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from skerry.cloud.engines.completions.options import EndpointOptions
from skerry.cloud.engines.completions.verifier import CompletionsVerifier
from skerry.cloud.errors import RequestError
from skerry.cloud.hints.choice import Sampling
from skerry.cloud.hints.tree import Tree
from tests.cloud.conformance import SAMPLINGS, Conformance, written
from tests.cloud.fake_completions import Fake, faked, tokenizer_json
from tests.cloud.simulated import alone

PROMPT = [5, 6, 7]


@pytest.fixture
def prompt() -> list[int]:
    return list(PROMPT)


class _Faked(Conformance):
    owner = ""
    refused = frozenset({SAMPLINGS[2]})

    @pytest.fixture
    def fake(self) -> Fake:
        return Fake(self.owner)

    @pytest.fixture
    def verifier(self, fake: Fake, tmp_path: Path) -> Iterator[CompletionsVerifier]:
        with faked(fake) as url:
            made = CompletionsVerifier.connect(EndpointOptions(url=url), tokenizer_json(tmp_path))
            yield made
            asyncio.run(made.close())
            asyncio.run(made.close())

    def test_greedy_is_what_the_model_says(self, verifier: CompletionsVerifier) -> None:
        said, _ = asyncio.run(written(verifier, PROMPT, Sampling(), lambda _: Tree()))
        assert said == alone(PROMPT, Sampling(), len(said))


class TestVllm(_Faked):
    owner = "vllm"

    def test_a_greedy_pass_is_one_request(self, verifier: CompletionsVerifier, fake: Fake) -> None:
        async def looked() -> None:
            target = await verifier.open(PROMPT, Sampling())
            await target.look(Tree((8, 9, 8), (-1, -1, 0)))

        fake.asked.clear()
        asyncio.run(looked())
        prompts = [PROMPT, [*PROMPT, 8], [*PROMPT, 9], [*PROMPT, 8, 8]]
        assert [one["prompt"] for one in fake.asked] == [prompts]

    def test_positions_have_seeds_of_their_own(
        self, verifier: CompletionsVerifier, fake: Fake
    ) -> None:
        async def looked() -> None:
            target = await verifier.open(PROMPT, Sampling(temperature=1, seed=3))
            await target.look(Tree((8, 9, 8), (-1, -1, 0)))

        fake.asked.clear()
        asyncio.run(looked())
        assert sorted(len(one["prompt"]) for one in fake.asked) == [1, 1, 2]
        assert len({one["seed"] for one in fake.asked}) == 3

    @pytest.mark.parametrize("temperature", [0.005])
    def test_a_temperature_that_it_would_raise(
        self, verifier: CompletionsVerifier, temperature: float
    ) -> None:
        with pytest.raises(RequestError, match="temperature"):
            asyncio.run(verifier.open(PROMPT, Sampling(temperature=temperature)))


class TestSglang(_Faked):
    owner = "sglang"


class TestLlamaServer(_Faked):
    owner = "llamacpp"


class TestOther(_Faked):
    owner = "somebody"
    refused = frozenset({SAMPLINGS[1], SAMPLINGS[2]})
