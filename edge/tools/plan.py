"""Which tool a request is for, and with which arguments: by the tools' own rules, or else a model's
proposal, which is checked by rules.

A model sees the request alone, never a document, so that no document can have a tool run. It fills
in the arguments of the one tool whose description is nearest; what it fills in must have been said.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from skerry.edge.engines.base import Engine, Generation
from skerry.edge.errors import EdgeError
from skerry.edge.tools.definition import Arguments, Tool, Unclear
from skerry.edge.tools.errors import ToolInvalid
from skerry.edge.tools.toolbox import Toolbox
from skerry.edge.tools.when import NoSuchTime, find_when
from skerry.guardrails.words import numbers

LEAST_NEAR = 0.45
"""Least cosine of a request with the description of a tool that a model may propose."""

Nearness = Callable[[str, Sequence[str]], Sequence[float]]
"""How near a text is to each of others: cosines."""

_MOST_TOKENS = 256
_SHORT_REPLY = 8
ASKS_BACK = ("On which day?", "At what time?", "Which one?")
"""How answers begin that ask for what a request lacks."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A call to make; or, with `text`, what to say instead because the request is unclear."""

    tool: str
    arguments: Arguments
    text: str = ""


def by_rules(toolbox: Toolbox, question: str) -> Plan | None:
    """The first tool whose rules know the request as theirs, by itself or as the answer to what was
    asked back.

    A tool that the role may not run is planned for all the same: the call is then refused, and the
    receipt says so. Of what its rules found, nothing is told.

    Raises:
        ToolInvalid: a tool's rules fail.
    """
    found = _planned(toolbox, question)
    if found is None and toolbox.before and len(question.split()) <= _SHORT_REPLY:
        found = _planned(toolbox, f"{toolbox.before} {question}")
        return found if found is not None and not found.text else None
    return found


def _planned(toolbox: Toolbox, question: str) -> Plan | None:
    mine = {tool.name for tool in toolbox.tools}
    for one in toolbox.registry.all():
        found = _understood(one.tool, question, toolbox.now())
        if found is not None and one.tool.name not in mine:
            return Plan(one.tool.name, {})
        if isinstance(found, Unclear):
            return Plan(one.tool.name, {}, found.text)
        if found is not None:
            return Plan(one.tool.name, found)
    return None


def _understood(tool: Tool, question: str, now: datetime) -> Arguments | Unclear | None:
    if tool.understand is None:
        return None
    try:
        return tool.understand(question, now)
    except EdgeError:
        raise
    except Exception as error:
        what = f"the tool '{tool.name}' cannot read requests: {type(error).__name__}: {error}"
        raise ToolInvalid(what, hint="mend its rules (understand)") from error


def asked_before(turns: Sequence[tuple[str, str]]) -> str:
    """What the user said last, where the answer to it asked back; `turns` are (role, text)."""
    match turns:
        case [*_, ("user", asked), ("assistant", told)] if told.startswith(ASKS_BACK):
            return asked
    return ""


def nearest(tools: Sequence[Tool], question: str, nearness: Nearness) -> Tool | None:
    """The tool without rules of its own whose description is nearest, if it is near."""
    open_to_models = [tool for tool in tools if tool.understand is None]
    if not open_to_models:
        return None
    scores = nearness(question, [tool.description for tool in open_to_models])
    best = max(range(len(scores)), key=scores.__getitem__)
    return open_to_models[best] if scores[best] >= LEAST_NEAR else None


def filled_in(tool: Tool, question: str, engine: Engine, generation: Generation) -> Arguments:
    """The arguments of `tool` that the model reads in the request, by a grammar of their schema.

    Empty where it comes to no end; the call is then refused for what is missing.
    """
    if not tool.arguments.model_fields:
        return {}
    wanted = replace(
        generation,
        messages=_messages(tool, question),
        prompt=None,
        grammar=_grammar(tool),
        max_tokens=_MOST_TOKENS,
        stop=(),
        session=None,
    )
    text = "".join(piece.text for piece in engine.generate(wanted))
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _messages(tool: Tool, question: str) -> list[dict[str, str]]:
    schema = json.dumps(tool.schema.get("properties", {}), ensure_ascii=False)
    system = (
        f"Read the arguments of a function in what the user says. The function: {tool.description} "
        f"Its parameters: {schema}. Answer with a JSON object of them and nothing else. Copy words "
        "as they are."
    )
    return [{"role": "system", "content": system}, {"role": "user", "content": question}]


def _grammar(tool: Tool) -> str:
    from skerry.edge.engines.grammar import json_schema_to_gbnf

    return json_schema_to_gbnf(tool.schema)


def not_said(tool: Tool, arguments: Arguments, question: str, now: datetime) -> str:
    """The first argument whose value the request does not have; empty where all were said.

    A value that is the parameter's default needs not be said, nor yes or no.
    """
    fields = tool.arguments.model_fields
    for name, value in arguments.items():
        default = fields[name].default if name in fields else None
        if value != default and not all(_is_said(one, question, now) for one in _leaves(value)):
            return name
    return ""


def _leaves(value: Any) -> Iterable[Any]:
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list):
        return [leaf for item in value for leaf in _leaves(item)]
    return [value]


def _is_said(value: Any, question: str, now: datetime) -> bool:
    if value is None or isinstance(value, bool):
        return True
    if isinstance(value, int | float):
        return bool(numbers(f"{value:g}") & numbers(question))
    said, asked = _folded(str(value)), _folded(question)
    return not said or f" {said} " in f" {asked} " or _is_a_time(str(value), question, now)


def _folded(text: str) -> str:
    """Words alone, in one case."""
    return " ".join("".join(c if c.isalnum() else " " for c in text.casefold()).split())


def _is_a_time(value: str, question: str, now: datetime) -> bool:
    """Whether it is a day or a time of day that the question names in words."""
    try:
        when = find_when(question, now)
    except NoSuchTime:
        return False
    days = {day.isoformat() for day in when.days}
    times = {moment.isoformat() for moment in (when.at, when.start, when.end) if moment}
    return value in days or any(value.startswith(moment) for moment in times)
