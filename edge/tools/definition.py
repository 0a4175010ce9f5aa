"""What a tool is: a typed function whose arguments are checked by the JSON Schema of its types.

A tool says how it may be understood from a request, what a person confirms before it runs, and how
its result is told. Who may run it is not its own business: see `rules`.
"""

from __future__ import annotations

import inspect
import json
import re
import threading
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, get_type_hints, overload

from pydantic import BaseModel, ConfigDict, PydanticUserError, create_model
from pydantic.json_schema import PydanticJsonSchemaWarning
from pydantic_core import SchemaError

from skerry.edge.errors import GrammarError
from skerry.edge.tools.errors import ToolInvalid
from skerry.guardrails.answer import Evidence

Arguments = Mapping[str, Any]
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_NO_SCHEMA = (PydanticUserError, PydanticJsonSchemaWarning, SchemaError, TypeError, ValueError)
_KINDS = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


class Impact(StrEnum):
    """`read` changes nothing. `high` changes something: a person confirms each call."""

    READ = "read"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class Context:
    """What a tool may use beside its arguments: give a parameter this type.

    `now` is the device's local time. `cancelled` is set when nobody waits any longer: a tool
    that changes something looks at it last, before it does. `search` finds passages for a text
    among the documents that the one who asks may see.
    """

    now: datetime
    cancelled: threading.Event = field(default_factory=threading.Event)
    search: Callable[[str], Sequence[Evidence]] = lambda _: ()


@dataclass(frozen=True, slots=True)
class Unclear:
    """The request is for this tool, but says too little or too much: what to say back."""

    text: str


Understand = Callable[[str, datetime], Arguments | Unclear | None]
"""Reads a request by rules: the arguments, what to ask back, or None where it is not for this tool.

It takes the text of the request and the device's local time, and no model has a part in it."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A function with what is needed to call it safely.

    `arguments` is the model of its parameters: unknown names and values of another type are
    refused. `context` is the name of the parameter that takes a `Context`, if any. `describe`
    puts a call into words for who confirms it; `say` the result for who asked.
    """

    name: str
    description: str
    function: Callable[..., Any]
    arguments: type[BaseModel]
    context: str | None = None
    impact: Impact = Impact.READ
    understand: Understand | None = None
    describe: Callable[[Arguments], str] | None = None
    say: Callable[[Any], str] | None = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The plain function, unguarded, as in its own tests."""
        return self.function(*args, **kwargs)

    @property
    def schema(self) -> dict[str, Any]:
        """JSON Schema of the arguments (draft 2020-12)."""
        return self.arguments.model_json_schema()

    def run(self, arguments: BaseModel, context: Context) -> Any:
        """Calls the function with checked arguments."""
        given = {name: getattr(arguments, name) for name in type(arguments).model_fields}
        return self.function(**given, **({self.context: context} if self.context else {}))

    def in_words(self, arguments: Arguments) -> str:
        """What a call would do, for the person who confirms it."""
        if self.describe is not None:
            return self.describe(arguments)
        said = ", ".join(f"{name} {value}" for name, value in arguments.items())
        return f"{self.description.rstrip('.')}: {said}" if said else self.description


@overload
def tool(function: Callable[..., Any], /) -> Tool: ...


@overload
def tool(
    *,
    name: str | None = None,
    impact: Impact = Impact.READ,
    understand: Understand | None = None,
    describe: Callable[[Arguments], str] | None = None,
    say: Callable[[Any], str] | None = None,
) -> Callable[[Callable[..., Any]], Tool]: ...


def tool(
    function: Callable[..., Any] | None = None,
    /,
    *,
    name: str | None = None,
    impact: Impact = Impact.READ,
    understand: Understand | None = None,
    describe: Callable[[Arguments], str] | None = None,
    say: Callable[[Any], str] | None = None,
) -> Tool | Callable[[Callable[..., Any]], Tool]:
    """Makes a tool of a function: its parameters' types are its schema, its docstring's first line
    is its description.

    Raises:
        ToolInvalid: a parameter has no type, there is no docstring, or the types have no schema
            that a grammar can ensure.
    """

    def make(function: Callable[..., Any]) -> Tool:
        called = name or function.__name__
        if not _NAME.fullmatch(called):
            raise ToolInvalid(f"'{called}' is no name of a tool", hint="use a-z, 0-9 and _")
        context, model = _arguments(function, called)
        made = Tool(
            called, _description(function, called), function, model, context,
            impact, understand, describe, say,
        )  # fmt: skip
        _check_schema(made)
        return made

    return make if function is None else make(function)


def _description(function: Callable[..., Any], name: str) -> str:
    text = inspect.getdoc(function)
    if not text or not text.strip():
        raise ToolInvalid(f"the tool '{name}' has no docstring", hint="say in a line what it does")
    return text.strip().splitlines()[0]


def _arguments(function: Callable[..., Any], name: str) -> tuple[str | None, type[BaseModel]]:
    """The parameter that takes the context, if any, and a model of the others."""
    types = _types(function, name)
    context, fields = None, {}
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind not in _KINDS or parameter.name.startswith("_"):
            raise ToolInvalid(
                f"the tool '{name}' takes '{parameter}', which no schema can name",
                hint="use plain named parameters",
            )
        if types.get(parameter.name) is Context:
            context = parameter.name
        elif parameter.name not in types:
            raise ToolInvalid(
                f"the parameter '{parameter.name}' of the tool '{name}' has no type",
                hint="annotate it",
            )
        else:
            required = parameter.default is inspect.Parameter.empty
            default = ... if required else parameter.default
            fields[parameter.name] = (types[parameter.name], default)
    return context, _model(name, fields)


def _types(function: Callable[..., Any], name: str) -> dict[str, Any]:
    try:
        return get_type_hints(function, include_extras=True)
    except (NameError, TypeError) as error:
        raise ToolInvalid(f"the types of the tool '{name}' cannot be read: {error}") from error


def _model(name: str, fields: dict[str, Any]) -> type[BaseModel]:
    try:
        made: type[BaseModel] = create_model(name, __config__=ConfigDict(extra="forbid"), **fields)
        with warnings.catch_warnings():
            warnings.simplefilter("error", PydanticJsonSchemaWarning)
            made.model_json_schema()
    except _NO_SCHEMA as error:
        raise ToolInvalid(
            f"the types of the tool '{name}' have no JSON Schema: {error}".splitlines()[0],
            hint="use str, int, float, bool, date, enums, literals, lists or pydantic models",
        ) from error
    return made


def _check_schema(made: Tool) -> None:
    from skerry.edge.engines.grammar import json_schema_to_gbnf

    try:
        json.dumps(made.schema)
        json_schema_to_gbnf(made.schema)
    except (GrammarError, TypeError) as error:
        what = f"no grammar ensures the arguments of the tool '{made.name}': {error}"
        raise ToolInvalid(what, hint="use plainer types") from error
