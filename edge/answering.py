"""Who answers: the tier of the route, then its fallbacks; and within a tier, what.

Words of the runtime's own, a tool, a passage quoted whole, or a model.
"""

from __future__ import annotations

from collections.abc import Generator
from functools import partial
from typing import TYPE_CHECKING

from skerry.edge import tiers
from skerry.edge.assembly import gives_text
from skerry.edge.errors import ApprovalRequired, CloudError
from skerry.edge.events import Event, TierFailed
from skerry.edge.forms import fill
from skerry.edge.referral import refer
from skerry.edge.tiers import NothingToQuote, Outcome, Work
from skerry.edge.tools.routing import wants_tool, with_tools
from skerry.edge.trace import Trace
from skerry.edge.types import RequestClass, Tier
from skerry.guardrails.gate import NOT_FOUND

if TYPE_CHECKING:
    from skerry.edge.parts import Parts

_NEEDS_SOURCES = frozenset({RequestClass.LOOKUP, RequestClass.QUESTION, RequestClass.TOOL})
_NOTHING_TO_SEND = "the documents have nothing on it, so nothing was sent"
_NEXT_TIER_MAY = (CloudError, ApprovalRequired, NothingToQuote)


def answered(
    work: Work, parts: Parts, trace: Trace, failures: list[TierFailed]
) -> Generator[Event, None, tuple[Tier, Outcome]]:
    """Runs the route's tier, then its fallbacks in order, until one answers."""
    order = (work.route.tier, *work.route.fallback)
    if order[0].leaves_device and cannot_be_grounded(work, parts):
        failures.append(TierFailed(order[0], Tier.DEVICE, _NOTHING_TO_SEND))
        order = (Tier.DEVICE,)
    for tier, following in zip(order, (*order[1:], None), strict=True):
        try:
            with trace.step(f"answer:{tier}"):
                return tier, (yield from trace.watch(_run(tier, work, parts)))
        except _NEXT_TIER_MAY as error:
            if following is None:
                raise
            failures.append(TierFailed(tier, following, error.what))
            yield failures[-1]
    raise AssertionError("the last tier returns or raises")


def _run(tier: Tier, work: Work, parts: Parts) -> tiers.TierRun:
    if tier is Tier.REFUSE:
        return tiers.decline(tiers.REFUSED)
    if tier is Tier.HUMAN:
        return refer(work, parts.policy.safety.notice)
    if work.own_words:
        return tiers.decline(work.own_words)
    if tier is Tier.DEVICE and wants_tool(work.request, work.route):
        return _by_tool(work, parts)
    return _from_documents(tier, work, parts)


def _by_tool(work: Work, parts: Parts) -> tiers.TierRun:
    """What a tool says; the documents, where none is wanted."""
    engine = partial(parts.engine, work.request.model)
    run = with_tools(work, parts.encoder, engine, has_documents=parts.has_documents)
    if run is not None:
        return Outcome((yield from run))
    return (yield from _from_documents(Tier.DEVICE, work, parts))


def _from_documents(tier: Tier, work: Work, parts: Parts) -> tiers.TierRun:
    if cannot_be_grounded(work, parts):
        return tiers.decline(NOT_FOUND if parts.expects_documents else tiers.NO_DOCUMENTS)
    if work.gives_orders and not work.grounded:
        return tiers.decline(tiers.REFUSED)
    if not tier.leaves_device and work.is_quoted_whole:
        return tiers.quote_whole(work)
    if tier is Tier.RULES:
        return tiers.quote(work)
    if tier is Tier.DEVICE:
        return _on_device(work, parts)
    remote = parts.split if tier is Tier.SPLIT else parts.cloud
    return tiers.ask_cloud(work, remote, reasoning=tier is Tier.CLOUD_REASONING)


def _on_device(work: Work, parts: Parts) -> tiers.TierRun:
    with parts.engine(work.request.model) as engine:
        if work.request.grammar is None:
            return (yield from tiers.generate_here(work, engine))
        brings_text = gives_text(work.request.question)
        strict = parts.has_documents and not brings_text
        return (yield from fill(work, engine, strict=strict))


def cannot_be_grounded(work: Work, parts: Parts) -> bool:
    """A question about documents, of which none fits: no source is better than a wrong one.

    Where there are none at all, policy says whether a model may answer.
    """
    return (
        not work.prompt.sources
        and work.route.request_class in _NEEDS_SOURCES
        and (parts.expects_documents or not parts.policy.gate.without_documents)
    )
