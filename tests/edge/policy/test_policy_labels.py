"""What labelled sources, and secrets, may do: the default, and what a policy says otherwise."""

from __future__ import annotations

from dataclasses import replace

import pytest

from skerry.edge.errors import ConfigError
from skerry.edge.policy import decide, load_policy, parse_policy
from skerry.edge.policy.load import DEFAULTS
from skerry.edge.policy.rules import Policy
from skerry.guardrails.findings import Finding, FindingKind, Where
from skerry.guardrails.secrets import SECRETS
from tests.edge.policy.cases import (
    ASK,
    CLOUD,
    CLOUD_REASONING,
    DEVICE,
    HARD,
    LOOKUP,
    REASONING,
    REFUSE,
    RULES,
    SPLIT,
    Case,
    ask,
    case,
    check,
    deny,
    overlay,
)

WARD = {"labels": frozenset({"ward"})}
BOTH = {"labels": frozenset({"ward", "finance"})}
MAY_LEAVE = overlay("cloud", "allow_labels = ['ward']")


def may_leave_but(**rule: object) -> Policy:
    """The defaults with `ward` allowed to leave, and a deny rule x."""
    return replace(MAY_LEAVE(), deny=deny(**rule)().deny)


CASES = [
    case("a labelled source stays", DEVICE, "labels.device_only device.instead", **HARD, **WARD),
    case("whoever may be asked", DEVICE, "labels.device_only", **HARD, **WARD, **ASK),
    case("for a reasoning model too", DEVICE, "labels.device_only", **REASONING, **WARD),
    case("what stays anyway is answered", RULES, "cloud.not_for_class", DEVICE, **LOOKUP, **WARD),
    case("no label, no rule", SPLIT, "escalate", DEVICE, **HARD),
    case("an allowed label leaves", SPLIT, "escalate", DEVICE, policy=MAY_LEAVE, **HARD, **WARD),
    case(
        "one that is not allowed keeps all here",
        DEVICE,
        "labels.device_only",
        policy=MAY_LEAVE,
        **HARD,
        **BOTH,
    ),
    case(
        "an allowed label asks for consent all the same",
        SPLIT,
        "approval",
        DEVICE,
        policy=MAY_LEAVE,
        approval=True,
        **HARD,
        **WARD,
        **ASK,
    ),
    case(
        "a deny by label wins over that",
        CLOUD,
        "deny.x",
        DEVICE,
        policy=lambda: may_leave_but(tiers=["split"], labels=["ward", "board"]),
        **HARD,
        **WARD,
    ),
    case(
        "a deny by another label does not hold",
        SPLIT,
        "escalate",
        DEVICE,
        policy=lambda: may_leave_but(tiers=["split"], labels=["board"]),
        **HARD,
        **WARD,
    ),
    case(
        "a deny by label holds for a tier on the device",
        REFUSE,
        "deny.x",
        policy=deny(tiers=["device"], labels=["ward"]),
        **WARD,
    ),
    case(
        "a deny by label and network needs both",
        DEVICE,
        "cloud.not_needed",
        policy=deny(tiers=["device"], labels=["ward"], networks=["metered"]),
        **WARD,
    ),
]


@pytest.mark.parametrize("expected", CASES, ids=lambda case: case.name)
def test_route(expected: Case) -> None:
    check(expected)


def told(policy: Policy) -> str:
    route = decide(ask(**HARD, **BOTH), policy)
    return " ".join(f"{reason.rule}: {reason.text}" for reason in route.reasons)


def test_reasons_name_the_labels() -> None:
    every = "labels.device_only: What is labelled finance, ward stays on this device."
    assert every in told(load_policy())
    assert "labels.device_only: What is labelled finance stays" in told(MAY_LEAVE())
    assert "deny.x: r (labelled ward)" in told(deny(tiers=["split"], labels=["ward", "board"])())


@pytest.mark.parametrize("where", [Where.INPUT, Where.CHUNK])
@pytest.mark.parametrize("label", sorted({one.label for one in SECRETS}))
@pytest.mark.parametrize("kind", [HARD, REASONING], ids=["hard", "reasoning"])
def test_a_secret_stays(label: str, where: Where, kind: dict[str, object]) -> None:
    found = Finding(FindingKind.PII, label, 0, 9, 0.1, where)
    check(case("a secret", DEVICE, "deny.secrets", findings=(found,), **kind))


def test_the_rule_names_every_secret_there_is() -> None:
    (rule,) = (rule for rule in load_policy().deny if rule.name == "secrets")
    assert {*(rule.finding_labels or ())} == {one.label for one in SECRETS}
    assert {*rule.tiers} == {SPLIT, CLOUD, CLOUD_REASONING}


def test_a_policy_that_stands_alone_must_say_which_labels_may_leave() -> None:
    text = DEFAULTS.read_text().replace("allow_labels = []", "")
    with pytest.raises(ConfigError, match=r"cloud\.allow_labels: missing"):
        parse_policy(text, "mine.toml")
