"""The body of POST /v1/responses (https://platform.openai.com/docs/api-reference/responses/create).

A request is read here and turned into a chat request, so that both are checked by the same rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from skerry.edge.server.wire.chat import TOOL_CHOICES, Name
from skerry.edge.server.wire.fields import (
    Content,
    Label,
    SamplingFields,
    SkerryFields,
    Wire,
    refused,
    text_of,
)

MESSAGE, CALL, OUTPUT = "message", "function_call", "function_call_output"
_REASONING = "reasoning"
_LOGPROBS = "message.output_text.logprobs"


class Item(Wire):
    """A message, a call of a function, or what a function gave back."""

    type: Literal["message", "function_call", "function_call_output"] = "message"
    role: Literal["system", "developer", "user", "assistant"] | None = None
    content: Content = None
    call_id: str | None = None
    name: str | None = None
    arguments: str | None = None
    output: Annotated[str | None, BeforeValidator(text_of)] = None

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        needed = {
            MESSAGE: (self.role, self.content),
            CALL: (self.call_id, self.name, self.arguments),
            OUTPUT: (self.call_id, self.output),
        }
        if None in needed[self.type]:
            raise ValueError(f"an item of type {self.type} lacks a field")
        return self

    def message(self) -> dict[str, Any]:
        """The item as a chat message."""
        if self.type == OUTPUT:
            return {"role": "tool", "tool_call_id": self.call_id, "content": self.output}
        if self.type == CALL:
            function = {"name": self.name, "arguments": self.arguments}
            call = {"id": self.call_id, "type": "function", "function": function}
            return {"role": "assistant", "tool_calls": [call]}
        return {"role": self.role, "content": self.content}


def _items(value: Any) -> Any:
    """A text as one message of the user. What a model thought to itself is left out.

    Raises:
        ValueError: the kind of an item is not known here.
    """
    if isinstance(value, str):
        return [{"role": "user", "content": value}]
    if not isinstance(value, list):
        raise ValueError("a text or a list of items is needed")
    kinds = [one.get("type", MESSAGE) if isinstance(one, dict) else None for one in value]
    for kind in kinds:
        if kind not in (MESSAGE, CALL, OUTPUT, _REASONING):
            raise ValueError(f"items of type {kind!r} are not supported")
    return [one for one, kind in zip(value, kinds, strict=True) if kind != _REASONING]


class Format(Wire):
    type: Literal["text", "json_object", "json_schema"] = "text"
    name: Name = "answer"
    schema_: dict[str, Any] | None = Field(default=None, alias="schema")
    strict: bool | None = None

    def response_format(self) -> dict[str, Any]:
        """The same as chat completions say it."""
        if self.type != "json_schema":
            return {"type": self.type}
        schema = {"name": self.name, "schema": self.schema_ or {}, "strict": self.strict}
        return {"type": self.type, "json_schema": schema}


class Text(Wire):
    format: Format = Format()


class FunctionTool(Wire):
    type: Literal["function"]
    name: Name
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None

    def tool(self) -> dict[str, Any]:
        return {"type": "function", "function": self.model_dump(exclude={"type"})}


def _choice(value: Any) -> Any:
    if value is None or value in TOOL_CHOICES:
        return value
    if isinstance(value, dict) and isinstance(value.get("name"), str):
        return {"type": "function", "function": {"name": value["name"]}}
    raise ValueError(f"one of {', '.join(TOOL_CHOICES)}, or a function, is needed")


class ResponsesRequest(SamplingFields):
    model: Label
    input: Annotated[list[Item], BeforeValidator(_items), Field(min_length=1, max_length=10_000)]
    instructions: str | None = None
    previous_response_id: Label | None = None
    stream: bool | None = None
    store: bool | None = None
    max_output_tokens: int | None = Field(None, ge=1)
    text: Text = Field(default_factory=Text)
    grammar: str | None = None
    tools: list[FunctionTool] | None = Field(None, max_length=128)
    tool_choice: Annotated[Any, BeforeValidator(_choice)] = None
    parallel_tool_calls: bool | None = None
    background: Literal[False] | None = None
    conversation: Annotated[None, refused("go on with previous_response_id")] = None
    prompt: Annotated[None, refused("no prompts are kept here; send input")] = None
    include: list[str] | None = None
    top_logprobs: int | None = Field(None, ge=0, le=20)
    metadata: dict[str, str] | None = None
    user: str | None = None
    skerry: SkerryFields = Field(default_factory=SkerryFields)

    @property
    def logprobs(self) -> bool:
        return _LOGPROBS in (self.include or ())

    def chat_fields(self, history: Sequence[Item], session: str | None) -> dict[str, Any]:
        """The body of the chat request that gives the same answer after `history`."""
        sampling = self.model_dump(include=set(SamplingFields.model_fields))
        system = [{"role": "system", "content": self.instructions}] if self.instructions else []
        return {
            **sampling,
            "model": self.model,
            "messages": [*system, *_messages((*history, *self.input))],
            "max_completion_tokens": self.max_output_tokens,
            "response_format": self.text.format.response_format(),
            "grammar": self.grammar,
            "tools": [tool.tool() for tool in self.tools] if self.tools else None,
            "tool_choice": self.tool_choice,
            "parallel_tool_calls": self.parallel_tool_calls,
            "logprobs": self.logprobs,
            "top_logprobs": self.top_logprobs if self.logprobs else None,
            "prompt_cache_key": session,
            "skerry": self.skerry.model_dump(),
        }


def _messages(items: Iterable[Item]) -> list[dict[str, Any]]:
    """Items as messages; calls that follow each other are one message."""
    messages: list[dict[str, Any]] = []
    for item in items:
        message = item.message()
        if item.type == CALL and messages and "tool_calls" in messages[-1]:
            messages[-1]["tool_calls"] += message["tool_calls"]
        else:
            messages.append(message)
    return messages
