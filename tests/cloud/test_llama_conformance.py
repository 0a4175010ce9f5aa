"""llama.cpp in process, with the default model."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from skerry.cloud.engines.llama.native import Model
from skerry.cloud.engines.llama.verifier import LlamaVerifier
from skerry.cloud.errors import TargetError
from skerry.cloud.hints.choice import Sampling
from skerry.cloud.hints.frames import VERSION, CloudFrame, Done, Draft, Mode, Open
from skerry.cloud.hints.tree import Tree
from skerry.cloud.service import Service
from tests.cloud.conformance import Conformance, written
from tests.cloud.simulated import ListChannel

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


def test_hints_that_are_no_tokens_harm_nobody(verifier: LlamaVerifier) -> None:
    """Neither who sends them, nor who shares the batch."""
    opening = Open(VERSION, "", verifier.facts.vocabulary, tuple(PROMPT), max_tokens=12)
    waits = msgspec.structs.replace(opening, mode=Mode.THRIFT, patience_ms=20)
    bad = Draft(0, (verifier.facts.size, 2**31 - 1), 0)
    service = Service(verifier)

    async def both() -> list[list[CloudFrame]]:
        channels = [ListChannel([waits, bad]), ListChannel([opening])]
        await asyncio.gather(*map(service.serve, channels))
        return [one.sent for one in channels]

    for sent in asyncio.run(both()):
        assert isinstance(sent[-1], Done)
        assert sent[-1].tokens == 12


def test_a_failed_pass_leaves_room_for_the_next(
    verifier: LlamaVerifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    wide = Tree(tuple(range(100, 120)), (-1,) * 20)

    async def looks() -> tuple[int, int]:
        target = await verifier.open(PROMPT, Sampling())
        try:
            await target.look(Tree())
            before = len(verifier._worker._branches)
            with monkeypatch.context() as patch:
                patch.setattr(verifier._context, "decode", _failing)
                with pytest.raises(TargetError):
                    await target.look(wide)
            await target.look(wide)
        finally:
            await target.close()
        return before, len(verifier._worker._branches)

    before, after = asyncio.run(looks())
    assert before == after


def _failing() -> None:
    raise TargetError("no")


def test_a_file_that_is_no_model(tmp_path: Path) -> None:
    path = tmp_path / "a.gguf"
    path.write_text("not a model")
    with pytest.raises(TargetError, match=r"a\.gguf"):
        Model(path)
    with pytest.raises(TargetError, match="there is no model"):
        Model(tmp_path / "b.gguf")
