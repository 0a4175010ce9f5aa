"""A device with a handbook of its own, and a cloud with a formulary."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from skerry.edge import Runtime
from skerry.edge.types import RequestClass
from tests.edge.asking import route_as
from tests.edge.collections.gateways import FakeGateway


@pytest.fixture
def formulary() -> Iterator[FakeGateway]:
    gateway = FakeGateway()
    yield gateway
    gateway.close()


@pytest.fixture
def device(make_runtime: Any, handbook: Path, formulary: FakeGateway) -> Runtime:
    """To it every question is one that a source may answer by itself."""
    runtime = make_runtime(
        route_as(RequestClass.LOOKUP),
        collections="formulary",
        collections_url=formulary.url,
        collections_api_key="sk-skerry-device",
        consent="granted",
    )
    runtime.index.add([handbook])
    return runtime
