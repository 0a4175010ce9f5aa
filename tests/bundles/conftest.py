from __future__ import annotations

from pathlib import Path

import pytest

from skerry.bundles import Bundle
from tests.bundles.making import make


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return make(tmp_path / "sources", tmp_path / "bundle")
