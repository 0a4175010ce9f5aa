"""The llama.cpp engine passes the conformance suite on the default model."""

from __future__ import annotations

from pathlib import Path

import pytest

from skerry.edge.engines.llama import load_llama
from tests.edge.engines.conformance import EngineConformance, EngineFactory


@pytest.fixture(scope="class")
def factory(smollm2: Path, tmp_path_factory: pytest.TempPathFactory) -> EngineFactory:
    cache = tmp_path_factory.mktemp("cache")
    return lambda options: load_llama(smollm2, options, cache=cache)


@pytest.mark.model
class TestLlama(EngineConformance):
    pass
