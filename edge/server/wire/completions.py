"""The body of POST /v1/completions (https://platform.openai.com/docs/api-reference/completions)."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from skerry.edge.server.wire.chat import StreamOptions
from skerry.edge.server.wire.fields import Choices, Label, SamplingFields, Stops, refused

Prompt = str | list[int]
_MOST_CHOICES = 128


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
    n: Choices | None = None
    best_of: int | None = None
    echo: bool | None = None
    logprobs: int | None = Field(None, ge=0, le=20)
    suffix: Annotated[None, refused("the models here only continue a text")] = None
    grammar: str | None = None
    adapter: Label | None = None
    user: str | None = None

    @field_validator("best_of")
    @classmethod
    def _all_of_them(cls, value: int | None, info: ValidationInfo) -> int | None:
        """The best of as many as are given back are all of them."""
        if value not in (None, info.data.get("n") or 1):
            raise ValueError("nothing here ranks answers; ask for n, and choose among them")
        return value

    @property
    def each(self) -> int:
        """Choices for each prompt."""
        return self.n or 1

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if len(self.prompt) * self.each > _MOST_CHOICES:
            raise ValueError(f"prompts times n is more than {_MOST_CHOICES}")
        if self.echo and self.logprobs is not None:
            raise ValueError("echo with logprobs is not supported: prompts are not scored")
        return self
