"""What another policy would have done with a request that has a receipt."""

from __future__ import annotations

from dataclasses import dataclass, fields

from skerry.edge.policy import Policy, decide
from skerry.edge.receipts.receipt import Receipt
from skerry.edge.types import Route


@dataclass(frozen=True, slots=True)
class Replay:
    """The route that was taken and the one that the policy gives; `changed` are field names."""

    before: Route
    after: Route
    changed: tuple[str, ...]


def replay(receipt: Receipt, policy: Policy) -> Replay:
    """Decides again on the same input. Pure: nothing is asked, sent or kept."""
    before, after = receipt.route, decide(receipt.input, policy)
    changed = (
        field.name
        for field in fields(Route)
        if getattr(before, field.name) != getattr(after, field.name)
    )
    return Replay(before, after, tuple(changed))
