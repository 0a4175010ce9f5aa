"""Chat templates: messages in OpenAI's shape to the prompt text that a model was trained on.

Control tokens that a user writes inside a message are kept apart from those of the
template, so that `<|im_end|>` in a question is six letters and signs, never the end of a turn.
Tokenising the parts is the engine's own.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jinja2
from jinja2 import meta

from skerry.edge.engines.base import Message
from skerry.edge.engines.template_limits import TooCostly, paying
from skerry.edge.engines.template_sandbox import LONGEST_SOURCE, TemplateSandbox
from skerry.edge.engines.text import clean_text
from skerry.edge.engines.tools import with_tools
from skerry.edge.errors import InputError, ModelInvalid

CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content']"
    " + '<|im_end|>' + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
"""Used when a model brings no template of its own (ChatML, OpenAI 2023)."""

_RENDER_ERRORS = (
    jinja2.TemplateError,
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)

_COMPILE_ERRORS = (*_RENDER_ERRORS, MemoryError, SyntaxError)


@dataclass(frozen=True, slots=True)
class PromptPart:
    """A stretch of prompt text; `special` says whether control tokens in it count as such."""

    text: str
    special: bool


class ChatTemplate:
    """A model's chat template, compiled when it is first used.

    Args:
        source: Jinja source; None or empty for ChatML.
        control: the texts of the vocabulary's control tokens.
        bos, eos: texts of those tokens, for templates that write them.
    """

    def __init__(
        self, source: str | None, *, control: Collection[str], bos: str = "", eos: str = ""
    ) -> None:
        self._source = source or CHATML
        self._tokens = {"bos_token": bos, "eos_token": eos}
        longest_first = sorted(filter(None, control), key=len, reverse=True)
        self._control = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")

    def render(self, messages: Sequence[Message], tools: Sequence[Mapping[str, Any]] = ()) -> str:
        """The prompt text, ending where the assistant begins to speak.

        Raises:
            InputError: a message has no role, or a content that is not text.
            ModelInvalid: the template itself cannot be compiled, or takes too much.
        """
        return "".join(part.text for part in self.parts(messages, tools))

    def parts(
        self, messages: Sequence[Message], tools: Sequence[Mapping[str, Any]] = ()
    ) -> list[PromptPart]:
        """The same text in parts: the users' control-token texts apart from the rest.

        Only those texts are cut out (a placeholder stands in for each while the template runs), so
        whatever a template does with a message, and how the rest is tokenised, stays the same.
        """
        apart = _Apart(self._control)
        talk = apart.guard([plain_message(message) for message in messages])
        given = apart.guard([_plain(tool) for tool in tools])
        return apart.split(self._rendered(talk, given))

    def _rendered(self, messages: list[Any], tools: list[Any]) -> str:
        if tools and not self._takes_tools:
            messages, tools = with_tools(messages, tools), []
        try:
            with paying(_characters((messages, tools))):
                return self._compiled.render(
                    messages=messages,
                    tools=tools or None,
                    add_generation_prompt=True,
                    **self._tokens,
                )
        except (TooCostly, MemoryError) as error:
            raise ModelInvalid(
                f"the model's chat template cannot be used: {error or 'it takes too much memory'}",
                hint="use another build of the model, or give the prompt as raw text",
            ) from error
        except _RENDER_ERRORS as error:
            raise InputError(
                f"the model's chat template refuses these messages: {error}",
                hint="check the roles, their order and the contents of the messages",
            ) from error

    @cached_property
    def _takes_tools(self) -> bool:
        parsed = self._compiled.environment.parse(self._source)
        return "tools" in meta.find_undeclared_variables(parsed)

    @cached_property
    def _compiled(self) -> jinja2.Template:
        try:
            if len(self._source) > LONGEST_SOURCE:
                raise ValueError(f"it has more than {LONGEST_SOURCE:,} characters")
            return TemplateSandbox().from_string(self._source)
        except _COMPILE_ERRORS as error:
            raise ModelInvalid(
                f"the model's chat template cannot be compiled: {error}",
                hint="use another build of the model, or give the prompt as raw text",
            ) from error


def _characters(value: Any) -> int:
    """The characters of all texts in lists and mappings, and one for each other value."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, Mapping):
        return sum(map(_characters, (*value.keys(), *value.values())))
    if isinstance(value, list | tuple):
        return sum(map(_characters, value))
    return 1


class _Apart:
    """Swaps control-token texts for placeholders, and finds them again in rendered text."""

    def __init__(self, control: re.Pattern[str]) -> None:
        self._control = control
        self._texts: list[str] = []
        self._mark = f"x{secrets.token_hex(12)}x"

    def guard(self, value: Any) -> Any:
        """`value` with placeholders in every string of it, keys included."""
        if isinstance(value, str):
            return self._control.sub(self._placeholder, value)
        if isinstance(value, Mapping):
            return {self.guard(key): self.guard(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.guard(item) for item in value]
        return value

    def split(self, text: str) -> list[PromptPart]:
        pieces = re.split(f"{self._mark}([0-9]+)x", text)
        parts = [
            PromptPart(self._texts[int(piece)], special=False)
            if index % 2
            else PromptPart(piece, special=True)
            for index, piece in enumerate(pieces)
        ]
        return [part for part in parts if part.text]

    def _placeholder(self, match: re.Match[str]) -> str:
        self._texts.append(match.group())
        return f"{self._mark}{len(self._texts) - 1}x"


def plain_message(message: Message) -> dict[str, Any]:
    """A message with clean text: contents as one string, arguments of tool calls as objects.

    Raises:
        InputError: no role, or a content that is not text.
    """
    role = message.get("role")
    if not isinstance(role, str) or not role:
        raise InputError("a message has no role", hint='give "role": "user", "system", …')
    plain = {**_plain(dict(message)), "content": _content(message.get("content"), role)}
    if plain.get("tool_calls"):
        plain["tool_calls"] = [_call(call) for call in plain["tool_calls"]]
    return plain


def _content(content: object, role: str) -> str:
    if content is None:
        return ""
    if isinstance(content, str):
        return clean_text(content)
    if isinstance(content, list) and all(_is_text(part) for part in content):
        return clean_text("\n".join(part["text"] for part in content))
    raise InputError(
        f"the content of a {role} message is not text",
        hint="give a string, or a list of parts of type text; this engine reads nothing else",
    )


def _is_text(part: object) -> bool:
    return isinstance(part, Mapping) and isinstance(part.get("text"), str)


def _call(call: Any) -> Any:
    """OpenAI sends a call's arguments as JSON text; templates were written for the object."""
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict) or not isinstance(function.get("arguments"), str):
        return call
    try:
        arguments = json.loads(function["arguments"])
    except ValueError:
        return call
    return {**call, "function": {**function, "arguments": arguments}}


def _plain(value: Any) -> Any:
    """A deep copy with clean strings; sequences as lists, mappings as dicts."""
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, Mapping):
        return {_plain(key): _plain(item) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [_plain(item) for item in value]
    return value
