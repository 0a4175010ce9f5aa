"""The GenAI engine on the tiny committed model: the conformance suite, and what is its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from skerry.edge.engines.genai import load_genai
from tests.edge.engines.conformance import EngineConformance, EngineFactory

TINY = Path(__file__).parents[2] / "data" / "tiny-genai"


class TestGenai(EngineConformance):
    @pytest.fixture(scope="class")
    def factory(self) -> EngineFactory:
        return lambda options: load_genai(TINY, options)
