"""Where a request meets the tools: which requests are for one, and how they are answered.

Imports nothing of the tools until a request comes: a program that embeds the runtime starts fast.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import TYPE_CHECKING

from skerry.edge.types import Classification, RequestClass, Route

if TYPE_CHECKING:
    from skerry.edge.encoder.base import TextEncoder
    from skerry.edge.engines.base import Engine
    from skerry.edge.events import TextReleased
    from skerry.edge.parts import Parts
    from skerry.edge.request import Request
    from skerry.edge.tiers import Work
    from skerry.edge.tools.plan import Plan
    from skerry.guardrails.answer import Answer
    from skerry.guardrails.passages import Quotation


def planned_by_rules(request: Request, parts: Parts) -> Plan | None:
    """What the tools' own rules make of a request; None where an answer of a form is wanted."""
    from skerry.edge.tools.plan import by_rules

    if request.grammar is not None:
        return None
    return by_rules(parts.toolbox(request), request.question)


def no_danger(plan: Plan | None, seen: Classification) -> Plan | None:
    """The plan, unless there may be danger: that is none of a tool's business."""
    return None if seen.request_class is RequestClass.SAFETY else plan


def claimed(seen: Classification, plan: Plan | None) -> Classification:
    """The router's opinion, unless a tool's rules know the request: rules come before opinions.

    The probabilities stay, by which policy may still see danger.
    """
    if plan is None:
        return seen
    return replace(
        seen,
        request_class=RequestClass.TOOL,
        confidence=1.0,
        complexity=0.0,
        reasoning=0.0,
        in_scope=1.0,
        rules_of=plan.tool,
    )


def wants_tool(request: Request, route: Route) -> bool:
    return route.request_class is RequestClass.TOOL and request.grammar is None


def with_tools(
    work: Work,
    encoder: TextEncoder,
    engine: Callable[[], AbstractContextManager[Engine]],
    *,
    has_documents: bool = True,
) -> Generator[TextReleased, None, Answer] | None:
    """The answer by a tool; None where the documents are to be asked, which were then looked up.

    What people are told or asked to do, and no tool does, is answered by a quotation or not at all:
    no model says that it was done.

    Raises:
        ToolInvalid: a tool's rules fail.
        ModelError: the model that was to fill in arguments cannot be used.
    """
    from skerry.edge.tools import answering
    from skerry.edge.tools.asking import is_order

    box, question = work.toolbox, work.request.question
    if box is None:
        return None
    box.search = lambda query: work.evidence() if query == work.query else ()

    def nearness(text: str, others: Sequence[str]) -> Sequence[float]:
        vectors = encoder.encode([text, *others])
        return [float(cosine) for cosine in vectors[1:] @ vectors[0]]

    if not work.route.tools:
        return answering.without_tools(box, question)

    def beside() -> Quotation | None:
        from skerry.edge.referral import plainly_on

        return plainly_on(work)

    run = answering.run(box, question, work.generation, nearness, engine, beside=beside)
    run = run if run is not None else answering.look_up(box, work.query)
    if run is None and is_order(question):
        return answering.quoted(work, has_documents=has_documents)
    return run
