"""What is asked: made whole, without who asks it, as the documents spell it; and its class.

Only what is searched for and routed is understood so. Guardrails and the model see the question as
it was asked.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from skerry.edge.followup import Asked, standalone
from skerry.edge.types import Classification, RequestClass
from skerry.edge.unnamed import without_who_asks
from skerry.guardrails.screen import screen

if TYPE_CHECKING:
    from skerry.edge.encoder.base import Vectors
    from skerry.edge.parts import Parts
    from skerry.edge.policy import Policy
    from skerry.edge.request import Request
    from skerry.guardrails.findings import Finding


@dataclass(frozen=True, slots=True)
class Understood:
    """What is searched for, its vector (float32 [dimensions]), and what kind of request it is."""

    asked: Asked
    vector: Vectors
    seen: Classification


def asked_of(request: Request, findings: Iterable[Finding], parts: Parts) -> Asked:
    """The question with the one before it where it leans on that, without who asks them.

    `findings` are those in the question.
    """
    asked = standalone(request.question, lambda: parts.turns(request))
    before = asked.before and without_who_asks(asked.before, screen(asked.before))
    return replace(asked, question=without_who_asks(asked.question, findings), before=before)


def understood(request: Request, asked: Asked, vector: Vectors, parts: Parts) -> Understood:
    """The question as the documents that the request may see spell it.

    What looks like danger as it was written does so however it is spelt.

    Args:
        vector: that of `asked`.
    """
    seen = _classified(asked, vector, parts)
    spelt = replace(asked, question=parts.respelled(request, asked.question))
    if spelt == asked:
        return Understood(asked, vector, seen)
    vector = parts.encoder.encode([spelt.text])[0]
    if not _looks_like_danger(seen, parts.policy):
        seen = _classified(spelt, vector, parts)
    return Understood(spelt, vector, seen)


def _classified(asked: Asked, vector: Vectors, parts: Parts) -> Classification:
    """What kind of request it is. A question that says too little alone is routed whole."""
    if asked.before and asked.says_enough:
        vector = parts.encoder.encode([asked.question])[0]
        return parts.router.classify(vector, asked.question)
    return parts.router.classify(vector, asked.text)


def _looks_like_danger(seen: Classification, policy: Policy) -> bool:
    likely = seen.scores.get(RequestClass.SAFETY, 0.0)
    return seen.request_class is RequestClass.SAFETY or likely >= policy.safety.class_score
