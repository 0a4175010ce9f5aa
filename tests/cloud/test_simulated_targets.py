"""Targets that are slow on purpose, and targets that say again what was recorded."""

from __future__ import annotations

import asyncio
import pickle
import time

import pytest

from skerry.cloud.errors import RequestError
from skerry.cloud.hints.choice import Sampling
from skerry.cloud.hints.tree import Tree, chain
from skerry.cloud.simulate.paced import Pace, PacedVerifier
from skerry.cloud.simulate.recorded import RecordedVerifier, Recording, record
from tests.cloud.conformance import written
from tests.cloud.simulated import SimulatedVerifier, alone

PROMPT = (3, 1, 4, 1, 5)
SAMPLING = Sampling(temperature=1.0, seed=8)
SAID = alone(PROMPT, SAMPLING, 40)


def test_a_paced_target_says_the_same_and_takes_its_time() -> None:
    paced = PacedVerifier(SimulatedVerifier(), Pace(pass_ms=4, hint_ms=3, prompt_ms=2))

    async def both() -> tuple[float, float]:
        target = await paced.open(PROMPT, SAMPLING)
        first = await target.look(Tree())
        second = await target.look(chain(SAID[1:4]))
        assert (*first.tokens, *second.tokens) == tuple(SAID[: 1 + len(second.tokens)])
        return first.seconds, second.seconds

    first, second = asyncio.run(both())
    assert first >= 0.014
    assert second >= 0.013
    assert paced.late == 0
    assert paced.facts == SimulatedVerifier().facts


def test_what_the_engine_computes_counts_inside_the_pass() -> None:
    inner = PacedVerifier(SimulatedVerifier(), Pace(pass_ms=30))
    outer = PacedVerifier(inner, Pace(pass_ms=1))
    assert asyncio.run(_one_pass(outer)) >= 0.03
    assert outer.late == 1


def test_passes_of_several_generations_do_not_wait_for_each_other() -> None:
    paced = PacedVerifier(SimulatedVerifier(), Pace(pass_ms=300))

    async def many() -> None:
        await asyncio.gather(*(_one_pass(paced) for _ in range(50)))

    began = time.monotonic()
    asyncio.run(many())
    assert time.monotonic() - began < 50 * 0.3


async def _one_pass(verifier: PacedVerifier) -> float:
    target = await verifier.open(PROMPT, SAMPLING)
    return (await target.look(Tree())).seconds


@pytest.fixture
def recorded() -> RecordedVerifier:
    verifier = SimulatedVerifier()
    recording = asyncio.run(record(verifier, PROMPT, SAMPLING, 40))
    assert recording == Recording(PROMPT, SAMPLING, tuple(SAID))
    assert verifier.opened[0].closed
    return RecordedVerifier(verifier.facts, [pickle.loads(pickle.dumps(recording))])


@pytest.mark.parametrize(
    "drafts",
    [
        lambda said: Tree(),
        lambda said: chain(SAID[len(said) : len(said) + 4]),
        lambda said: chain([11, 12, 13]),
        lambda said: chain([*SAID[len(said) : len(said) + 2], 30]),
    ],
    ids=["none", "right", "wrong", "half right"],
)
def test_a_recording_is_verified_like_its_target(recorded: RecordedVerifier, drafts) -> None:
    again = asyncio.run(written(recorded, PROMPT, SAMPLING, drafts))
    assert again == asyncio.run(written(SimulatedVerifier(), PROMPT, SAMPLING, drafts))
    assert again[0] == SAID[:24]


def test_a_recording_goes_on_after_a_break(recorded: RecordedVerifier) -> None:
    whole = [*PROMPT, *SAID[:8]]
    rest, _ = asyncio.run(written(recorded, whole, SAMPLING, lambda _: Tree(), generated=8))
    assert rest == SAID[8:32]


@pytest.mark.parametrize(
    ("tokens", "sampling", "generated"),
    [((3, 1), SAMPLING, 0), (PROMPT, Sampling(), 0), ((*PROMPT, 23, 23), SAMPLING, 2)],
    ids=["prompt", "sampling", "answer"],
)
def test_what_was_not_recorded_is_refused(
    recorded: RecordedVerifier, tokens, sampling, generated
) -> None:
    with pytest.raises(RequestError, match="not recorded"):
        asyncio.run(recorded.open(tokens, sampling, generated=generated))


def test_a_recording_has_an_end(recorded: RecordedVerifier) -> None:
    async def beyond() -> None:
        target = await recorded.open(PROMPT, SAMPLING)
        for _ in range(len(SAID) + 1):
            await target.look(Tree())

    with pytest.raises(RequestError, match="ends here"):
        asyncio.run(beyond())
