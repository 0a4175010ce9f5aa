"""What every engine of the cloud tier must do; a module subclasses `Conformance` with its own
`verifier` fixture."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence

import pytest

from skerry.cloud.engines.base import Runner, Verifier
from skerry.cloud.errors import Busy, RequestError
from skerry.cloud.hints.choice import Sampling
from skerry.cloud.hints.matcher import Hint
from skerry.cloud.hints.trace import trace
from skerry.cloud.hints.tree import Tree, chain

COUNT = 24
SAMPLINGS = [
    Sampling(),
    Sampling(temperature=0.8, top_k=40, top_p=0.95, seed=7),
    Sampling(temperature=1.0, min_p=0.05, repetition_penalty=1.2, seed=2**62),
    Sampling(temperature=0.9, frequency_penalty=0.7, presence_penalty=0.4, seed=5),
]
Drafter = Callable[[list[int]], Tree]
_NO_RUNS = "this engine goes on when it is asked, one pass at a time"


class Conformance:
    """`prompt` are ids of a text that the model goes on with for a while; `refused` what the
    engine cannot do, and says so."""

    refused: frozenset[Sampling] = frozenset()
    heeds_hints = True
    """Whether one that goes on by itself takes hints meanwhile."""

    @pytest.fixture
    def runner(self) -> Iterator[asyncio.Runner]:
        with asyncio.Runner() as runner:
            yield runner

    @pytest.mark.parametrize("sampling", SAMPLINGS, ids=str)
    def test_drafts_do_not_change_the_output(
        self, verifier: Verifier, prompt: list[int], runner: asyncio.Runner, sampling: Sampling
    ) -> None:
        if sampling in self.refused:
            with pytest.raises(RequestError):
                runner.run(verifier.open(prompt, sampling))
            return
        said, passes = runner.run(written(verifier, prompt, sampling, _nothing))
        assert passes == len(said)
        right = runner.run(written(verifier, prompt, sampling, lambda so_far: _ahead(said, so_far)))
        wrong = runner.run(written(verifier, prompt, sampling, lambda _: chain([11, 12, 13])))
        assert right[0] == wrong[0] == said
        if verifier.facts.drafts >= 4:
            assert right[1] <= len(said) // 3

    def test_a_branch_of_a_tree_is_as_good_as_a_chain(
        self, verifier: Verifier, prompt: list[int], runner: asyncio.Runner
    ) -> None:
        said, _ = runner.run(written(verifier, prompt, Sampling(), _nothing))
        drawn = [_second_branch(said), _forked(said)]
        for drafter in drawn:
            again, passes = runner.run(written(verifier, prompt, Sampling(), drafter))
            assert again == said
            assert passes < len(said)

    def test_an_answer_ends_at_an_end(
        self, verifier: Verifier, prompt: list[int], runner: asyncio.Runner
    ) -> None:
        said, _ = runner.run(written(verifier, prompt, Sampling(), _nothing))
        end = frozenset({said[5]})
        first = said.index(said[5])
        drafter = lambda so_far: _ahead(said, so_far)  # noqa: E731
        ended, _ = runner.run(written(verifier, prompt, Sampling(), drafter, end))
        assert ended == said[: first + 1]

    def test_generated_tokens_count_for_penalties_after_a_break(
        self, verifier: Verifier, prompt: list[int], runner: asyncio.Runner
    ) -> None:
        able = [one for one in SAMPLINGS if one.penalizes and one not in self.refused]
        if not able:
            pytest.skip("this engine has no penalties")
        sampling = able[0]
        said, _ = runner.run(written(verifier, prompt, sampling, _nothing))
        rest, _ = runner.run(
            written(verifier, [*prompt, *said[:8]], sampling, _nothing, generated=8)
        )
        assert rest[: len(said) - 8] == said[8:]

    def test_several_sequences_at_once(
        self, verifier: Verifier, prompt: list[int], runner: asyncio.Runner
    ) -> None:
        able = [one for one in SAMPLINGS if one not in self.refused]

        async def both() -> list[tuple[list[int], int]]:
            some = (written(verifier, prompt, able[i], _nothing) for i in (0, 1))
            return list(await asyncio.gather(*some))

        for said, _ in runner.run(both()):
            assert len(said) > 1

    def test_a_seed_decides(
        self, verifier: Verifier, prompt: list[int], runner: asyncio.Runner
    ) -> None:
        said = [
            runner.run(written(verifier, prompt, Sampling(temperature=1.0, seed=seed), _nothing))[0]
            for seed in (7, 7, 8)
        ]
        assert said[0] == said[1] != said[2]

    @pytest.mark.parametrize("tokens", [[], [-1], [2**31 - 1]], ids=str)
    def test_what_is_no_sequence_is_refused(
        self, verifier: Verifier, runner: asyncio.Runner, tokens: list[int]
    ) -> None:
        with pytest.raises(RequestError):
            runner.run(verifier.open(tokens, Sampling()))

    def test_a_prompt_that_does_not_fit_is_refused(
        self, verifier: Verifier, prompt: list[int], runner: asyncio.Runner
    ) -> None:
        with pytest.raises(RequestError):
            runner.run(verifier.open(prompt[:1] * verifier.facts.context_tokens, Sampling()))

    def test_it_is_busy_rather_than_slow_without_end(
        self, verifier: Verifier, prompt: list[int], runner: asyncio.Runner
    ) -> None:
        async def many() -> None:
            opened = []
            try:
                for _ in range(10_000):
                    opened.append(await verifier.open(prompt, Sampling()))
            finally:
                for one in opened:
                    await one.close()

        with pytest.raises(Busy):
            runner.run(many())
        assert runner.run(written(verifier, prompt, Sampling(), _nothing))[0]

    @pytest.mark.parametrize("sampling", SAMPLINGS, ids=str)
    def test_one_that_goes_on_by_itself_says_the_same(
        self, verifier: Verifier, prompt: list[int], runner: asyncio.Runner, sampling: Sampling
    ) -> None:
        if sampling in self.refused:
            pytest.skip("this engine refuses it")
        said, _ = runner.run(written(verifier, prompt, sampling, _nothing))
        true = [Hint(i, chain(said[i : i + 3]), trace(said[i - 1])) for i in range(3, len(said), 3)]
        lie = Tree((11, 12, 13, 14), (-1, 0, 0, -1))
        false = [Hint(i, lie, trace(said[i - 1])) for i in range(1, len(said), 2)]
        alone = runner.run(_run(verifier, prompt, sampling, Tree(), []))
        right = runner.run(_run(verifier, prompt, sampling, chain(said[:3]), true))
        wrong = runner.run(_run(verifier, prompt, sampling, chain([11, 12]), false))
        assert alone[0] == right[0] == wrong[0] == said
        if self.heeds_hints:
            assert right[1] < len(said) * 3 / 4

    def test_looks_between_runs(
        self, verifier: Verifier, prompt: list[int], runner: asyncio.Runner
    ) -> None:
        able = [one for one in SAMPLINGS if one not in self.refused]
        said, _ = runner.run(written(verifier, prompt, able[-1], _nothing))

        async def mixed() -> list[int]:
            target = await verifier.open(prompt, able[-1])
            if not isinstance(target, Runner):
                await target.close()
                pytest.skip(_NO_RUNS)
            found: list[int] = []
            for i in range(9):
                ran = await (target.look(Tree()) if i % 3 == 2 else target.following(Tree(), COUNT))
                found += ran.tokens
            await target.close()
            return found

        assert runner.run(mixed()) == said[:9]

    def test_a_run_ends_where_it_is_told_to(
        self, verifier: Verifier, prompt: list[int], runner: asyncio.Runner
    ) -> None:
        said, _ = runner.run(written(verifier, prompt, Sampling(), _nothing))

        async def both() -> tuple[list[int], list[int]]:
            target = await verifier.open(prompt, Sampling(), ends=frozenset({said[5]}))
            if not isinstance(target, Runner):
                await target.close()
                pytest.skip(_NO_RUNS)
            found: list[int] = []
            while said[5] not in found:
                found += (await target.following(Tree(), COUNT)).tokens
            await target.close()
            short = await verifier.open(prompt, Sampling())
            assert isinstance(short, Runner)
            few: list[int] = []
            while len(few) < 3:
                few += (await short.following(chain(said[:8]), 3)).tokens
            await short.close()
            return found, few

        assert runner.run(both()) == (said[: said.index(said[5]) + 1], said[:3])


async def _run(
    verifier: Verifier, prompt: Sequence[int], sampling: Sampling, first: Tree,
    hints: Sequence[Hint],
) -> tuple[list[int], int]:  # fmt: skip
    """What a target says by itself, hinted at after its first pass, and the passes that it took."""
    target = await verifier.open(prompt, sampling)
    if not isinstance(target, Runner):
        await target.close()
        pytest.skip(_NO_RUNS)
    said, passes = list[int](), 0
    try:
        while len(said) < COUNT and not (said and said[-1] in verifier.facts.ends):
            said += (await target.following(first, COUNT)).tokens
            passes += 1
            for hint in hints if passes == 1 else ():
                target.hear(hint)
    finally:
        await target.close()
    return said, passes


async def written(
    verifier: Verifier,
    prompt: Sequence[int],
    sampling: Sampling,
    drafter: Drafter,
    ends: frozenset[int] = frozenset(),
    *,
    generated: int = 0,
) -> tuple[list[int], int]:
    """At most `COUNT` tokens, and the passes that they took."""
    target = await verifier.open(prompt, sampling, ends=ends, generated=generated)
    said, passes = list[int](), 0
    try:
        while len(said) < COUNT and not (said and said[-1] in verifier.facts.ends | ends):
            result = await target.look(drafter(said))
            assert result.drafted < len(result.tokens) or result.tokens[-1] in ends
            said += result.tokens
            passes += 1
    finally:
        await target.close()
    return said[:COUNT], passes


def _nothing(_: list[int]) -> Tree:
    return Tree()


def _ahead(said: list[int], so_far: list[int]) -> Tree:
    """What comes next."""
    return chain(said[len(so_far) : len(so_far) + 4])


def _second_branch(said: list[int]) -> Drafter:
    """What comes next, behind a branch that is wrong."""

    def drafted(so_far: list[int]) -> Tree:
        right = said[len(so_far) : len(so_far) + 4]
        wrong = next(token for token in range(10, 20) if token not in right[:1])
        back = range(2, 1 + len(right))
        return Tree((wrong, wrong, *right), (-1, 0, -1, *back)) if right else Tree()

    return drafted


def _forked(said: list[int]) -> Drafter:
    """What comes next, with a wrong branch first at its second token."""

    def drafted(so_far: list[int]) -> Tree:
        right = said[len(so_far) : len(so_far) + 3]
        if len(right) < 3:
            return Tree()
        wrong = next(token for token in range(10, 20) if token != right[1])
        return Tree((right[0], wrong, right[1], right[2]), (-1, 0, 0, 2))

    return drafted
