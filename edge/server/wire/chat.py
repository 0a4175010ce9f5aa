"""The body of POST /v1/chat/completions
(https://platform.openai.com/docs/api-reference/chat/create)."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from skerry.edge.engines.base import Message
from skerry.edge.engines.schema_limits import check_limits
from skerry.edge.errors import GrammarError
from skerry.edge.server.wire.fields import (
    Choices,
    Content,
    Label,
    SamplingFields,
    SkerryFields,
    Stops,
    Wire,
    refused,
)

Name = Annotated[str, Field(pattern=r"^[a-zA-Z0-9_.-]{1,64}$")]
TOOL_CHOICES = ("none", "auto", "required")


class CalledFunction(Wire):
    name: str
    arguments: str


class Call(Wire):
    id: str
    type: Literal["function"] = "function"
    function: CalledFunction


class ChatMessage(Wire):
    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: Content = None
    name: str | None = None
    tool_calls: list[Call] | None = None
    tool_call_id: str | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.content is None and not self.tool_calls:
            raise ValueError("a message needs content")
        return self

    def message(self) -> Message:
        """The message as an engine takes it; `developer` is what older models call `system`."""
        role = "system" if self.role == "developer" else self.role
        rest = self.model_dump(include={"name", "tool_calls", "tool_call_id"}, exclude_none=True)
        return {"role": role, "content": self.content or "", **rest}


class Function(Wire):
    name: Name
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class Tool(Wire):
    type: Literal["function"]
    function: Function

    def spec(self) -> dict[str, Any]:
        """The tool as chat templates expect it."""
        return self.model_dump(exclude_none=True, exclude={"function": {"strict"}})


def _choice(value: Any) -> Any:
    """`{"type": "function", "function": {"name": N}}` as `function:N`."""
    if value is None or isinstance(value, str):
        if value is not None and value not in TOOL_CHOICES:
            raise ValueError(f"one of {', '.join(TOOL_CHOICES)}, or a function, is needed")
        return value
    name = value.get("function", value) if isinstance(value, dict) else None
    if not isinstance(name, dict) or not isinstance(name.get("name"), str):
        raise ValueError("a tool choice names a function")
    return f"function:{name['name']}"


class JsonSchema(Wire):
    name: Name
    schema_: dict[str, Any] = Field(default_factory=dict, alias="schema")
    strict: bool | None = None


class ResponseFormat(Wire):
    type: Literal["text", "json_object", "json_schema"]
    json_schema: JsonSchema | None = None

    @model_validator(mode="after")
    def _has_schema(self) -> Self:
        if self.type == "json_schema" and self.json_schema is None:
            raise ValueError("'json_schema' is missing")
        return self


class StreamOptions(Wire):
    include_usage: bool = False


class ChatRequest(SamplingFields):
    model: Label
    messages: list[ChatMessage] = Field(min_length=1, max_length=10_000)
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: int | None = Field(None, ge=1)
    max_completion_tokens: int | None = Field(None, ge=1)
    stop: Stops | None = None
    n: Choices | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = Field(None, ge=0, le=20)
    response_format: ResponseFormat | None = None
    grammar: str | None = None
    tools: list[Tool] | None = Field(None, max_length=128)
    tool_choice: Annotated[str | None, BeforeValidator(_choice)] = None
    parallel_tool_calls: bool | None = None
    adapter: Label | None = None
    prompt_cache_key: Label | None = None
    user: str | None = None
    metadata: dict[str, str] | None = None
    modalities: list[Literal["text"]] | None = None
    functions: Annotated[None, refused("this older form is not read; send tools")] = None
    web_search_options: Annotated[None, refused("nothing here searches the web")] = None
    skerry: SkerryFields = Field(default_factory=SkerryFields)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.top_logprobs is not None and not self.logprobs:
            raise ValueError("top_logprobs needs logprobs")
        self._check_schemas()
        names = {tool.function.name for tool in self.tools or ()}
        if len(names) < len(self.tools or ()):
            raise ValueError("two tools have the same name")
        self._check_choice(names)
        forms = [self.grammar is not None, self.schema_wanted is not None or self.json_wanted]
        if sum(forms) > 1:
            raise ValueError("give either grammar or response_format, not both")
        return self

    def _check_schemas(self) -> None:
        schemas = [tool.function.parameters for tool in self.tools or ()]
        try:
            check_limits([*schemas, self.schema_wanted])
        except GrammarError as error:
            raise ValueError(f"{error.what}; {error.hint}") from None

    def _check_choice(self, names: set[str]) -> None:
        choice = self.tool_choice or "none"
        if choice.startswith("function:") and choice.removeprefix("function:") not in names:
            raise ValueError(
                f"tool_choice names '{choice.removeprefix('function:')}', no such tool"
            )
        if choice == "required" and not names:
            raise ValueError("tool_choice is required, but there are no tools")

    @property
    def limit(self) -> int | None:
        """The newer name wins."""
        return self.max_completion_tokens or self.max_tokens

    @property
    def top(self) -> int | None:
        """`Generation.top_logprobs` of this request."""
        return (self.top_logprobs or 0) if self.logprobs else None

    @property
    def json_wanted(self) -> bool:
        return self.response_format is not None and self.response_format.type == "json_object"

    @property
    def schema_wanted(self) -> dict[str, Any] | None:
        form = self.response_format
        if form is None or form.type != "json_schema" or form.json_schema is None:
            return None
        return form.json_schema.schema_
