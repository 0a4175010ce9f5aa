"""Receipts to test with."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from skerry.edge.policy import PolicyInput, decide, load_policy
from skerry.edge.receipts import (
    ChunkUsed,
    Egress,
    ModelUsed,
    PolicyUsed,
    Question,
    Receipt,
    StepTiming,
    TokenUsage,
    new_id,
)
from skerry.edge.types import (
    Classification,
    Consent,
    DeviceState,
    Network,
    RequestClass,
    Tier,
)
from skerry.guardrails.findings import Finding, FindingKind


class ReceiptMaker:
    """Makes a full receipt; keywords replace fields of it."""

    def __call__(self, **fields: Any) -> Receipt:
        policy = load_policy()
        request = PolicyInput(
            classification=Classification(RequestClass.QUESTION, 0.91, 0.22, 0.1, 0.97),
            network=Network.ONLINE,
            consent=Consent.ASK,
            device=DeviceState(memory_free_mb=4096),
            available=frozenset({Tier.RULES, Tier.DEVICE, Tier.CLOUD}),
            findings=(Finding(FindingKind.PII, "email", 4, 20, 1.0),),
        )
        receipt = Receipt(
            id=new_id(),
            created_at=1_790_000_000.0,
            session="s1",
            question=Question.of("How often is the emergency trolley checked?"),
            input=request,
            route=decide(request, policy),
            policy=PolicyUsed(policy.version, policy.digest),
            answered_by=Tier.DEVICE,
            model=ModelUsed("smollm2-135m-instruct-q4_1", "ab" * 32),
            encoder="minilm-l6-int8@" + "c" * 12,
            findings=request.findings,
            chunks=(
                ChunkUsed(
                    17,
                    "Emergency equipment",
                    "4",
                    "handbook/equipment.md",
                    1,
                    heading=("Emergency equipment", "Trolley", "How often"),
                    cited=True,
                ),
                ChunkUsed(18, "Ward rounds", "2", "handbook/rounds.md", 2),
            ),
            usage=TokenUsage(412, 96, 38),
            steps=(
                StepTiming("screen", 0.2),
                StepTiming("encode", 1.9),
                StepTiming("route", 0.1),
                StepTiming("decide", 0.05),
                StepTiming("retrieve", 3.1),
                StepTiming("assemble", 0.4),
                StepTiming("generate", 1840.0),
            ),
            ttft_ms=640.0,
            total_ms=1845.8,
            answer_confidence=0.83,
            verdict="released",
            output_digest="d" * 64,
        )
        return replace(receipt, **fields)


@pytest.fixture
def make_receipt() -> ReceiptMaker:
    return ReceiptMaker()


@pytest.fixture
def sent() -> Egress:
    """A ledger line of a question that left the device."""
    return Egress(
        destination="https://cloud.example/v1",
        bytes_sent=2310,
        bytes_received=18_442,
        what=("question", "chunks:[1,2]"),
        redactions=1,
        consent=Consent.ASK,
        approved=True,
        attempts=2,
        replaced={"email": 1},
    )
