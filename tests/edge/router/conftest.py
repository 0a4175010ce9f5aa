from __future__ import annotations

import pytest

from skerry.edge.encoder import OnnxEncoder
from skerry.edge.router import Router


@pytest.fixture(scope="session")
def encoder() -> OnnxEncoder:
    return OnnxEncoder.load(threads=2)


@pytest.fixture(scope="session")
def router() -> Router:
    return Router.load()
