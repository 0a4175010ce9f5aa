"""The engine without a model is an engine."""

from __future__ import annotations

import asyncio

import pytest

from skerry.cloud.engines.simulated import SimulatedVerifier, next_token
from skerry.cloud.hints.choice import Sampling
from skerry.cloud.hints.tree import Tree
from tests.cloud.conformance import COUNT, Conformance, written


@pytest.fixture
def verifier() -> SimulatedVerifier:
    return SimulatedVerifier(sessions=3, context_tokens=4_096)


@pytest.fixture
def prompt() -> list[int]:
    return [1, 4_093, 198, 31_530]


class TestSimulated(Conformance):
    def test_whoever_knows_the_sequence_knows_what_comes(
        self, verifier: SimulatedVerifier, prompt: list[int]
    ) -> None:
        said, _ = asyncio.run(written(verifier, prompt, Sampling(), lambda _: Tree()))
        told = list[int]()
        for position in range(len(prompt), len(prompt) + len(said)):
            told.append(next_token(position, told[-1] if told else prompt[-1]))
        assert said == told
        assert len(set(said)) > COUNT // 2
