"""llama.cpp in process, with the default model."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from skerry.cloud.engines.llama.native import Model
from skerry.cloud.engines.llama.verifier import LlamaVerifier
from skerry.cloud.errors import TargetError
from skerry.cloud.hints.choice import Sampling
from skerry.cloud.hints.tree import Tree
from tests.cloud.conformance import Conformance, written

# "<|im_start|>user\nTell me of the sea.<|im_end|>\n<|im_start|>assistant\n" of SmolLM2
PROMPT = [1, 4093, 198, 31530, 549, 282, 260, 3426, 30, 2, 198, 1, 520, 9531, 198]


@pytest.fixture(scope="module")
def verifier(smollm2: Path) -> Iterator[LlamaVerifier]:
    made = LlamaVerifier.load(smollm2, sessions=3, context_tokens=512, threads=1)
    yield made
    asyncio.run(made.close())
    asyncio.run(made.close())


@pytest.fixture
def prompt() -> list[int]:
    return list(PROMPT)


class TestLlama(Conformance):
    def test_a_sequence_is_held_for_the_next_time(self, verifier: LlamaVerifier) -> None:
        async def twice() -> int:
            said, _ = await written(verifier, PROMPT, Sampling(), lambda _: Tree())
            target = await verifier.open([*PROMPT, *said[:4], 99], Sampling())
            await target.close()
            return target.cached

        assert asyncio.run(twice()) >= len(PROMPT) + 4

    def test_many_corrections_do_not_fill_the_memory(self, verifier: LlamaVerifier) -> None:
        """Rejected tokens are buried, and their graves are cleared in time."""

        async def corrected() -> int:
            target = await verifier.open(PROMPT, Sampling(temperature=1.0, seed=1))
            count = 0
            try:
                for _ in range(60):
                    wrong = tuple(range(100, 130))
                    count += len((await target.look(Tree(wrong, (-1,) * 30))).tokens)
            finally:
                await target.close()
            return count

        assert asyncio.run(corrected()) >= 60


def test_a_file_that_is_no_model(tmp_path: Path) -> None:
    path = tmp_path / "a.gguf"
    path.write_text("not a model")
    with pytest.raises(TargetError, match=r"a\.gguf"):
        Model(path)
    with pytest.raises(TargetError, match="there is no model"):
        Model(tmp_path / "b.gguf")
