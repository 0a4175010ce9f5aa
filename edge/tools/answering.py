"""Answers a request that is for a tool: plans, calls, and says what came of it through the gate.

What is said is the tool's result, or why there is none; no model words it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from skerry.edge.addressed import is_for_people
from skerry.edge.engines.base import Engine, Generation
from skerry.edge.events import TextReleased
from skerry.edge.tools import documents
from skerry.edge.tools.asking import is_order
from skerry.edge.tools.plan import Nearness, Plan, by_rules, filled_in, nearest, not_said
from skerry.edge.tools.result import Outcome, Result
from skerry.edge.tools.toolbox import Toolbox
from skerry.guardrails.answer import QUOTED_NEAREST, Answer
from skerry.guardrails.gate import NOT_FOUND, OpenGate, fixed
from skerry.guardrails.passages import Quotation

if TYPE_CHECKING:
    from skerry.edge.tiers import Work

NOTHING_DONE = "Nothing on this device can do that, and nothing was done."
BESIDE = "The documents say:"
NO_TOOLS_NOW = "No tools are used for this request: it tries to give orders to a model."
Lease = Callable[[], AbstractContextManager[Engine]]
ToolRun = Generator[TextReleased, None, Answer]


def run(
    toolbox: Toolbox,
    question: str,
    generation: Generation,
    nearness: Nearness,
    engine: Lease,
    *,
    beside: Callable[[], Quotation | None] = lambda: None,
) -> ToolRun | None:
    """The answer by a tool; None where the request is for none and orders no program to do it.

    Then it is a question: the documents are looked up, which is a call as well. `beside` is what
    the documents plainly have on an order that nothing here can do.

    Raises:
        ToolInvalid: a tool's rules fail.
        ModelError: the model that was to fill in arguments cannot be used.
    """
    plan = by_rules(toolbox, question) or _proposed(toolbox, question, generation, nearness, engine)
    if isinstance(plan, Result):
        return _told(plan)
    if plan is not None and plan.text:
        return _told(toolbox.refuse(plan.tool, plan.arguments, Outcome.UNCLEAR, plan.text))
    if plan is not None:
        return _told(toolbox.call(plan.tool, plan.arguments))
    if is_order(question) and not is_for_people(question):
        return _not_done(toolbox, beside)
    return None


def _not_done(toolbox: Toolbox, beside: Callable[[], Quotation | None]) -> ToolRun:
    """That nothing was done, and what the documents say of it to a role that may look it up."""
    text = nothing_done(toolbox)
    may_look = any(tool.name == documents.NAME for tool in toolbox.tools)
    found = beside() if may_look else None
    if found is None:
        return (yield from _said(text))
    from skerry.edge.referral import told

    text = f"{text}\n\n{BESIDE} {told(found)}"
    yield TextReleased(text)
    return fixed(text, marks=tuple(one.mark for one in (found, *found.more)))


def without_tools(toolbox: Toolbox, question: str) -> ToolRun | None:
    """What is said where no tool may be used: None where the request is for none."""
    if by_rules(toolbox, question) is None and not is_order(question):
        return None
    return _said(NO_TOOLS_NOW)


def look_up(toolbox: Toolbox, query: str) -> ToolRun | None:
    """Looks the documents up; an answer only where that may not be done. What it finds is what the
    caller answers from."""
    if toolbox.registry.find(documents.NAME) is None:
        return None
    result = toolbox.call(documents.NAME, {"query": query[:10_000]})
    return None if result.outcome in (Outcome.OK, Outcome.NOT_FOUND) else _told(result)


def quoted(work: Work, *, has_documents: bool) -> ToolRun:
    """What the documents have on what no tool does, below a warning where it may not answer."""
    from skerry.edge.referral import nearest, told
    from skerry.edge.tiers import NO_DOCUMENTS

    if not work.prompt.sources:
        return (yield from _said(NOT_FOUND if has_documents else NO_DOCUMENTS))
    found = nearest(work) if work.judge.quote() is None else None
    if found is not None:
        text = told(found)
        answer = fixed(text, marks=(found.mark,), instead=QUOTED_NEAREST)
    else:
        text, answer = work.grounded_gate().quote()
    yield TextReleased(text)
    return answer


def nothing_done(toolbox: Toolbox) -> str:
    """That nothing can do it, and what can be done."""
    can = [_lowered(tool.description).rstrip(".") for tool in toolbox.tools]
    return f"{NOTHING_DONE} What can be done: {'; '.join(can)}." if can else NOTHING_DONE


def _proposed(
    toolbox: Toolbox, question: str, generation: Generation, nearness: Nearness, engine: Lease
) -> Plan | Result | None:
    tool = nearest(toolbox.tools, question, nearness)
    if tool is None:
        return None
    if not tool.arguments.model_fields:
        return Plan(tool.name, {})
    with engine() as leased:
        arguments = filled_in(tool, question, leased, generation)
    if name := not_said(tool, arguments, question, toolbox.now()):
        what = tool.description.rstrip(".")
        why = f"{what}: which {name.replace('_', ' ')}? The request does not say it plainly."
        return toolbox.refuse(tool.name, arguments, Outcome.NOT_SAID, why)
    return Plan(tool.name, arguments)


def _told(result: Result) -> ToolRun:
    """What came of a call. A result passes the gate; why there is none are the runtime's words."""
    if not result.ok:
        return (yield from _said(result.text))
    gate = OpenGate(result.text)
    text = gate.feed(result.text)
    rest, answer = gate.finish()
    if shown := text + rest:
        yield TextReleased(shown)
    return answer


def _said(text: str) -> ToolRun:
    yield TextReleased(text)
    return fixed(text)


def _lowered(text: str) -> str:
    return text[:1].lower() + text[1:]
