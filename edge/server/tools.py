"""Tool calls: forced by a grammar where the client insists, read from the model's text where not.

The shape that models are asked for, and that is read, is a JSON object with `name` and `arguments`,
alone or in `<tool_call>` tags (Hermes, Qwen) or a code fence. Whatever else a model says is
text. A call reaches the client only when its arguments fit the function's schema.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from skerry.edge.engines.base import Generation
from skerry.edge.server.answers import TOOL_CALLS, Answering, Step, ToolCall, Whole
from skerry.edge.server.ids import new_id
from skerry.edge.server.structured import (
    Generate,
    Validator,
    grammar_of,
    refusal,
    twice,
)
from skerry.edge.server.wire.chat import ChatRequest, Tool

_TAGGED = re.compile(r"<tool_call>(.*?)(?:</tool_call>|\Z)", re.DOTALL)
_REFERENCE = re.compile(r"^#/(?:\$defs|definitions)/")
_FENCED = re.compile(r"\A```(?:json)?\s*\n(.*?)\n```\Z", re.DOTALL)
_NO_PARAMETERS: Mapping[str, Any] = {"type": "object", "properties": {}}
_DEFINITIONS = ("$defs", "definitions")
_OPENINGS = ("{", "[", "<tool_call>", "```")


@dataclass(frozen=True, slots=True)
class Said:
    """A call as the model wrote it: not checked yet."""

    name: str
    arguments: Mapping[str, Any]


class Toolbox:
    """The tools of one request.

    Raises:
        GrammarError: a tool's parameters are not a schema that can be used.
    """

    def __init__(self, tools: Sequence[Tool]) -> None:
        self.specs = [tool.spec() for tool in tools]
        self._schemas = {
            tool.function.name: tool.function.parameters or _NO_PARAMETERS for tool in tools
        }
        self._validators = {name: Validator(schema) for name, schema in self._schemas.items()}

    def grammar(self, only: str | None = None) -> str:
        """The grammar of one call: of the function `only`, or of any."""
        names = [only] if only is not None else list(self._schemas)
        definitions: dict[str, Any] = {}
        calls = [_call_schema(name, self._schemas[name], definitions) for name in names]
        return grammar_of({"anyOf": calls, "$defs": definitions})

    def problem(self, text: str) -> str:
        """What is wrong with the calls in `text`; empty when there are calls and all fit."""
        said = parse(text)
        if not said:
            return "no call of a function was found"
        return next(filter(None, map(self._problem_of, said)), "")

    def knows(self, text: str) -> bool:
        """Whether `text` is meant as calls of tools that exist."""
        said = parse(text)
        return bool(said) and all(one.name in self._validators for one in said)

    def _problem_of(self, said: Said) -> str:
        validator = self._validators.get(said.name)
        if validator is None:
            return f"there is no function '{said.name[:64]}'"
        return validator.problem(json.dumps(said.arguments))


def _call_schema(
    name: str, parameters: Mapping[str, Any], definitions: dict[str, Any]
) -> dict[str, Any]:
    """The schema of a call. What `parameters` defines moves to `definitions`, under its own name
    after the function's, so that several functions fit in one schema."""
    for place in _DEFINITIONS:
        defined = parameters.get(place)
        for key, schema in defined.items() if isinstance(defined, Mapping) else ():
            definitions[f"{name}.{key}"] = _moved(schema, name)
    own = {key: value for key, value in parameters.items() if key not in _DEFINITIONS}
    return {
        "type": "object",
        "properties": {"name": {"const": name}, "arguments": _moved(own, name)},
        "required": ["name", "arguments"],
        "additionalProperties": False,
    }


def _moved(schema: Any, name: str) -> Any:
    """`schema` with its references following the definitions of the function `name`."""
    if isinstance(schema, list):
        return [_moved(one, name) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: _REFERENCE.sub(rf"#/$defs/{name}.", value)
        if key == "$ref" and isinstance(value, str)
        else _moved(value, name)
        for key, value in schema.items()
    }


def answering(generate: Generate, wanted: Generation, body: ChatRequest) -> Answering:
    """How a request with tools will be answered.

    Raises:
        GrammarError: a tool's parameters are not a schema that can be used.
    """
    toolbox = Toolbox(body.tools or ())
    offered = replace(wanted, tools=toolbox.specs)
    choice = body.tool_choice or "auto"
    most = 1 if body.parallel_tool_calls is False else None
    if choice == "auto":
        return partial(_as_it_likes, generate, offered, toolbox, most)
    only = choice.removeprefix("function:") if choice.startswith("function:") else None
    forced = replace(offered, grammar=toolbox.grammar(only), stop=())
    return partial(_forced, generate, forced, toolbox, most)


def _forced(
    generate: Generate, wanted: Generation, toolbox: Toolbox, most: int | None
) -> Iterator[Step]:
    attempt = twice(generate, wanted, toolbox.problem)
    if attempt.problem:
        yield replace(attempt.answer.last, text="", refusal=refusal(attempt.problem))
        return
    yield _called(attempt.answer, most)


def _called(answer: Whole, most: int | None) -> Step:
    """The last step, with the calls; as text what was cut off before it was a call."""
    if answer.cancelled or answer.cut_off:
        return replace(answer.last, text=answer.text)
    calls = tuple(
        ToolCall(new_id("call", "_"), said.name, json.dumps(said.arguments, ensure_ascii=False))
        for said in parse(answer.text)[:most]
    )
    return replace(answer.last, text="", tokens=(), top=(), calls=calls, finish=TOOL_CALLS)


def _as_it_likes(
    generate: Generate, wanted: Generation, toolbox: Toolbox, most: int | None
) -> Iterator[Step]:
    """Text goes through at once unless it begins as a call does; then it waits for its end.

    A call whose arguments do not fit is asked for once more; if that fails too, it is text.
    """
    steps = generate(wanted)
    held: list[Step] = []
    for step in steps:
        held.append(step)
        if not may_be_call("".join(one.text for one in held)):
            yield from held
            yield from steps
            return
    if not toolbox.knows("".join(step.text for step in held)):
        yield from held
        return
    attempt = twice(_after(held, generate), wanted, toolbox.problem)
    yield from (held if attempt.problem else [_called(attempt.answer, most)])


def _after(first: list[Step], generate: Generate) -> Generate:
    """`generate`, of which the first answer is there already."""
    given = iter([first])
    return lambda wanted: iter(next(given, None) or generate(wanted))


def may_be_call(text: str) -> bool:
    """Whether `text`, so far, is how a call may begin."""
    start = text.lstrip()
    return any(start.startswith(opening) or opening.startswith(start) for opening in _OPENINGS)


def parse(text: str) -> list[Said]:
    """The calls that `text` consists of, in order; none if it is anything else."""
    tagged = _TAGGED.findall(text)
    fenced = _FENCED.match(text.strip())
    bodies = tagged or [fenced.group(1) if fenced else text]
    found = [said for body in bodies for said in _parse_one(body)]
    return [said for said in found if said is not None] if None not in found else []


def _parse_one(body: str) -> list[Said | None]:
    """The calls in one JSON text; a None for what is no call."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return [None]
    return [_said(one) for one in (value if isinstance(value, list) else [value])]


def _said(value: Any) -> Said | None:
    if not isinstance(value, dict) or not isinstance(value.get("name"), str):
        return None
    arguments = value.get("arguments", value.get("parameters"))
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments)
        except (ValueError, RecursionError):
            return None
    return Said(value["name"], arguments) if isinstance(arguments, dict) else None
