"""Reads what a server of the completions API says. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from skerry.cloud.errors import TargetError

_AS_ID = "token_id:"


@dataclass(frozen=True, slots=True)
class Choice:
    """The token that follows a prefix; `ended`: the server says that it ends the answer."""

    token: int
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Served:
    """A model that a server has; `context_tokens` 0: it does not say."""

    name: str
    owner: str
    context_tokens: int


class _Content(msgspec.Struct):
    id: int | None = None


class _Logprobs(msgspec.Struct):
    tokens: list[str] | None = None
    content: list[_Content] | None = None


class _Choice(msgspec.Struct):
    index: int = 0
    finish_reason: str | None = None
    token_ids: list[int] | None = None
    logprobs: _Logprobs | None = None


class _Completion(msgspec.Struct):
    choices: list[_Choice]


class _Meta(msgspec.Struct):
    n_ctx: int | None = None


class _Model(msgspec.Struct):
    id: str
    owned_by: str = ""
    max_model_len: int | None = None
    meta: _Meta | None = None


class _Models(msgspec.Struct):
    data: list[_Model]


class _Tokens(msgspec.Struct):
    tokens: list[int]


class _Text(msgspec.Struct):
    prompt: str | None = None
    content: str | None = None


def read_choices(data: bytes, count: int) -> list[Choice]:
    """[count]: the tokens that follow the prefixes, in their order.

    Raises:
        TargetError: it is no answer to `count` prefixes, or tells no token ids.
    """
    decoded: list[_Completion] | _Completion = _decoded(data, list[_Completion] | _Completion)
    parts = decoded if isinstance(decoded, list) else [decoded]
    choices = [choice for part in parts for choice in part.choices]
    if isinstance(decoded, _Completion):
        choices.sort(key=lambda one: one.index)
    if len(choices) != count:
        raise TargetError(
            f"the target's server answered {count} prefixes with {len(choices)} choices",
            hint="use a server that takes a list of prompts, such as vLLM",
        )
    return [_read(one) for one in choices]


def read_models(data: bytes) -> list[Served]:
    """Raises TargetError: it is no list of models."""
    models: _Models = _decoded(data, _Models)
    return [
        Served(one.id, one.owned_by, one.max_model_len or (one.meta and one.meta.n_ctx) or 0)
        for one in models.data
    ]


def read_tokens(data: bytes) -> list[int]:
    """What `/tokenize` says. Raises TargetError: it is no list of tokens."""
    said: _Tokens = _decoded(data, _Tokens)
    return said.tokens


def read_text(data: bytes) -> str:
    """What `/apply-template` or `/detokenize` says. Raises TargetError: it is no text."""
    said: _Text = _decoded(data, _Text)
    text = said.content if said.prompt is None else said.prompt
    if text is None:
        raise TargetError("the target's server tells no text", hint="use vLLM or llama-server")
    return text


def _read(choice: _Choice) -> Choice:
    token = _token(choice)
    if token is None or token < 0:
        raise TargetError(
            "the target's server does not tell the ids of its tokens",
            hint="use vLLM, SGLang or llama-server",
        )
    return Choice(token, choice.finish_reason == "stop")


def _token(choice: _Choice) -> int | None:
    if choice.token_ids:
        return choice.token_ids[0]
    logprobs = choice.logprobs or _Logprobs()
    if logprobs.content:
        return logprobs.content[0].id
    text = (logprobs.tokens or [""])[0]
    number = text.removeprefix(_AS_ID)
    return int(number) if text.startswith(_AS_ID) and number.isdecimal() else None


def _decoded(data: bytes, kind: Any) -> Any:
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise TargetError(
            f"the target's server did not answer like a completions API: {error}",
            hint="check the URL; a proxy that cuts answers short also looks like this",
        ) from error
