"""The body of POST /v1/completions (https://platform.openai.com/docs/api-reference/completions)."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from skerry.edge.server.wire.chat import StreamOptions
from skerry.edge.server.wire.fields import Label, SamplingFields, Stops

Prompt = str | list[int]


def _prompts(value: Any) -> Any:
    """One prompt, text or token ids, as a list of one; a list of either as it is.

    Raises:
        ValueError: it is neither.
    """
    prompts = [value] if isinstance(value, str) or _are_ids(value) else value
    if not isinstance(prompts, list) or not all(_is_prompt(prompt) for prompt in prompts):
        raise ValueError("a text, a list of token ids, or a list of either is needed")
    return prompts


def _is_prompt(value: Any) -> bool:
    return isinstance(value, str) or _are_ids(value)


def _are_ids(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(type(one) is int for one in value)


class CompletionRequest(SamplingFields):
    model: Label
    prompt: Annotated[list[Prompt], BeforeValidator(_prompts), Field(min_length=1, max_length=32)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: int | None = Field(None, ge=1)
    stop: Stops | None = None
    n: Literal[1] | None = None
    best_of: Literal[1] | None = None
    echo: bool | None = None
    logprobs: int | None = Field(None, ge=0, le=20)
    suffix: str | None = None
    grammar: str | None = None
    adapter: Label | None = None
    user: str | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.suffix:
            raise ValueError("suffix is not supported: the models here only continue a text")
        if self.echo and self.logprobs is not None:
            raise ValueError("echo with logprobs is not supported: prompts are not scored")
        return self
