"""A vector of a question may leave where its text might, and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from skerry.edge.policy import PolicyInput, load_policy, parse_policy, vector_rule
from skerry.edge.types import (
    Classification,
    Consent,
    DeviceState,
    Network,
    RequestClass,
    Sensitivity,
    Tier,
)
from skerry.guardrails.findings import Finding, FindingKind, Where

ASKED = PolicyInput(
    classification=Classification(RequestClass.LOOKUP, 0.9, 0.1, 0.1, 0.95),
    network=Network.ONLINE,
    consent=Consent.GRANTED,
    device=DeviceState(memory_free_mb=2048),
    available=frozenset({Tier.DEVICE}),
)
EMAIL = Finding(FindingKind.PII, "email", 0, 5, 1.0, Where.INPUT, "pattern")
RECORD = replace(EMAIL, label="mrn")
CARD = replace(EMAIL, label="card")
ORDER = replace(EMAIL, kind=FindingKind.INJECTION, label="override")


@dataclass(frozen=True)
class Case:
    """Which rules keep the vector here, none for one that may leave."""

    name: str
    blocks: tuple[str, ...] = ()
    given: dict[str, Any] = field(default_factory=dict)
    policy: str = ""
    approval: bool = False


CASES = (
    Case("with consent, without a cloud tier"),
    Case("never", ("consent",), {"consent": Consent.NEVER}, approval=True),
    Case("a person is asked", given={"consent": Consent.ASK}, approval=True),
    Case("offline", ("network.offline",), {"network": Network.OFFLINE}),
    Case("metered", ("network.metered",), {"network": Network.METERED}),
    Case("metered, allowed", (), {"network": Network.METERED}, "[cloud]\nallow_metered = true\n"),
    Case("cloud off", ("cloud.allow",), policy="[cloud]\nallow = false\n"),
    Case(
        "vectors off",
        ("cloud.allow_collections",),
        policy="[cloud]\nallow_collections = false\n",
    ),
    Case(
        "clinical", ("sensitivity.device_only",), {"sensitivity": Sensitivity.CLINICAL},
        approval=True,
    ),
    Case("personal", given={"sensitivity": Sensitivity.PERSONAL}, approval=True),
    Case("an address", given={"findings": (EMAIL,)}, approval=True),
    Case("a record", ("sensitivity.device_only",), {"findings": (RECORD,)}, approval=True),
    Case("said before", ("sensitivity.device_only",),
         {"findings": (replace(RECORD, where=Where.HISTORY),)}, approval=True),
    Case("in a document", given={"findings": (replace(RECORD, where=Where.CHUNK),)}),
    Case("an order", ("injection.contain",), {"findings": (ORDER,)}),
    Case("an order in a document", given={"findings": (replace(ORDER, where=Where.CHUNK),)}),
    Case("a card", ("deny.payment-data",), {"findings": (CARD,)}, approval=True),
    Case("labels of turns", ("labels.device_only",), {"labels": frozenset({"board"})}),
    Case(
        "denied for split only",
        policy='[[deny]]\nname = "x"\nreason = "No."\ntiers = ["split"]\n',
    ),
    Case(
        "denied for the cloud", ("deny.x",),
        policy='[[deny]]\nname = "x"\nreason = "No."\ntiers = ["cloud"]\n',
    ),
)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_vector_leaves_where_text_might(case: Case) -> None:
    policy = parse_policy(case.policy, "ward.toml") if case.policy else load_policy(None)
    rule = vector_rule(replace(ASKED, **case.given), policy)
    assert tuple(reason.rule for reason in rule.blocks) == case.blocks
    assert rule.needs_approval is case.approval
    assert bool(rule.why) is bool(case.blocks)
