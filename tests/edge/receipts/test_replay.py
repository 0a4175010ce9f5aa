"""What another policy would have done with a request that has a receipt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from skerry.edge.policy import load_policy, parse_policy
from skerry.edge.receipts import Receipt, from_json, replay, to_json
from skerry.edge.types import Tier


def test_the_same_policy_changes_nothing(make_receipt: Callable[..., Receipt]) -> None:
    receipt = from_json(to_json(make_receipt()))
    again = replay(receipt, load_policy())
    assert again.before == again.after == receipt.route
    assert again.changed == ()


def test_another_policy_says_what_changes(make_receipt: Callable[..., Receipt]) -> None:
    policy = parse_policy("[classes.retrieval_question]\nescalate_at = 0.1\n", "new.toml")
    again = replay(make_receipt(), policy)
    assert (again.before.tier, again.after.tier) == (Tier.DEVICE, Tier.CLOUD)
    assert again.changed == ("tier", "reasons", "fallback", "needs_approval")


def test_a_fall_back_is_no_change_of_policy(make_receipt: Callable[..., Receipt]) -> None:
    receipt = make_receipt(answered_by=Tier.REFUSE, fell_back="the model is gone")
    assert replay(receipt, load_policy()).changed == ()


def test_nothing_of_the_receipt_changes(make_receipt: Callable[..., Receipt]) -> None:
    receipt = make_receipt()
    before = replace(receipt)
    replay(receipt, parse_policy("[cloud]\nallow = false\n", "new.toml"))
    assert receipt == before
