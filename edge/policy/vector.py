"""Whether a vector of a question may leave, to search cloud collections: as its text would have to.

A vector can be read back into text, nearly (docs/collections.md), so nothing is easier for it than
for a question that goes to a cloud.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from skerry.edge.policy.decide import previews
from skerry.edge.policy.permit import permit
from skerry.edge.policy.request import PolicyInput, assess
from skerry.edge.policy.rules import Policy
from skerry.edge.types import Reason, Tier
from skerry.guardrails.findings import Where


@dataclass(frozen=True, slots=True)
class VectorRule:
    """`blocks`: why it may not leave; empty where it may. `needs_approval`: a person must see and
    approve it first."""

    blocks: tuple[Reason, ...]
    needs_approval: bool

    @property
    def why(self) -> str:
        return " ".join(reason.text for reason in self.blocks)


def vector_rule(request: PolicyInput, policy: Policy) -> VectorRule:
    """What holds for a vector of the question of `request`. Never raises.

    Deny rules for the cloud hold for it, too. What was found in documents does not count, nor do
    their access labels, since none goes with it: `request` has the labels of earlier turns alone.
    """
    said = tuple(one for one in request.findings if one.where is not Where.CHUNK)
    asked = replace(request, findings=said, available=frozenset(Tier))
    found = assess(asked, policy)
    blocks = permit(asked, found, policy).blocks[Tier.CLOUD]
    if not policy.cloud.allow_collections:
        off = Reason("cloud.allow_collections", "Policy keeps vectors on this device.")
        blocks = (*blocks, off)
    return VectorRule(blocks, previews(asked, found, policy))
