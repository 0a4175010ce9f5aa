"""Fields that several requests share, with their ranges.

Where OpenAI takes either of two shapes, the validators here make one of them, so that an error
names the field and nothing else.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from skerry.edge.engines.base import Sampling
from skerry.edge.types import Consent

_SEEDS = 1 << 32


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Stops = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=1000)]],
    Field(max_length=4),
    BeforeValidator(_as_list),
]


_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_MAX_LABEL = 256
_UNFIT = frozenset(("Cc", "Cs"))  # Unicode's categories of controls and of surrogates


def _id(text: str) -> str:
    if not _ID.fullmatch(text):
        raise ValueError("an id has 1 to 128 letters, digits, dashes and underscores")
    return text


def _label(text: str) -> str:
    if len(text) > _MAX_LABEL or _UNFIT & set(map(unicodedata.category, text)):
        raise ValueError(
            f"at most {_MAX_LABEL} characters, without controls and lone surrogates, are taken"
        )
    return text


DIGEST = "^[0-9a-f]{64}$"
"""A SHA-256 digest in hexadecimal."""

Choices = Annotated[int, Field(ge=1, le=16)]
"""How many answers are wanted."""

Id = Annotated[str, AfterValidator(_id)]
"""An id that this device gave out."""

Label = Annotated[str, AfterValidator(_label)]
"""A name that the client chose: one line of Unicode."""


class Wire(BaseModel):
    """A request body. Unknown fields are ignored; a null is the same as leaving the field out."""

    model_config = ConfigDict(extra="ignore", frozen=True, protected_namespaces=())


def refused(why: str) -> BeforeValidator:
    """For a field that would change the answer and is not supported: refused for `why` rather than
    ignored. Null and what is empty mean nothing, and pass."""

    def refuse(value: Any) -> None:
        if value not in (None, False, [], {}, ""):
            raise ValueError(why)

    return BeforeValidator(refuse)


_NO_BIAS = "the models here take no bias; a grammar (GBNF) rules tokens out"


class SamplingFields(Wire):
    """How tokens are chosen. `top_k`, `min_p` and `repeat_penalty` are llama.cpp's."""

    temperature: float | None = Field(None, ge=0, le=2)
    top_p: float | None = Field(None, gt=0, le=1)
    top_k: int | None = Field(None, ge=0, le=1 << 30)
    min_p: float | None = Field(None, ge=0, le=1)
    repeat_penalty: float | None = Field(None, ge=0.01, le=100)
    frequency_penalty: float | None = Field(None, ge=-2, le=2)
    presence_penalty: float | None = Field(None, ge=-2, le=2)
    seed: int | None = None
    logit_bias: Annotated[None, refused(_NO_BIAS)] = None

    def sampling(self, default: Sampling) -> Sampling:
        """`default` with what the request says. Seeds of any size are folded into 32 bits."""
        seed = default.seed if self.seed is None else self.seed % _SEEDS
        return Sampling(
            temperature=_or(self.temperature, default.temperature),
            top_k=_or(self.top_k, default.top_k),
            top_p=_or(self.top_p, default.top_p),
            min_p=_or(self.min_p, default.min_p),
            repeat_penalty=_or(self.repeat_penalty, default.repeat_penalty),
            frequency_penalty=_or(self.frequency_penalty, default.frequency_penalty),
            presence_penalty=_or(self.presence_penalty, default.presence_penalty),
            seed=seed,
        )


def _or(value: Any, default: Any) -> Any:
    return default if value is None else value


class SkerryFields(Wire):
    """The extension object `skerry` of a request to the whole pipeline.

    `confirmed_call` is the digest of the call of a tool that a person has agreed to.
    """

    session: Id | None = None
    offline: bool = False
    consent: Consent | None = None
    as_of: float | None = Field(default=None, allow_inf_nan=False)
    domain: Label | None = None
    confirmed_call: str | None = Field(default=None, pattern=DIGEST)


def text_of(content: Any) -> Any:
    """Text parts as one text; strings and null as they are.

    Raises:
        ValueError: a part is not text.
    """
    if not isinstance(content, list):
        return content
    return "\n".join(_part_text(part) for part in content)


_TEXT_PARTS = ("text", "input_text", "output_text", "refusal")


def _part_text(part: Any) -> str:
    kind = part.get("type", "text") if isinstance(part, dict) else type(part).__name__
    if kind not in _TEXT_PARTS:
        raise ValueError(
            f"a part of type {kind!r} is not supported; the models here read only text"
        )
    text = part.get("refusal" if kind == "refusal" else "text")
    if not isinstance(text, str):
        raise ValueError(f"a part of type {kind!r} has no text")
    return text


Content = Annotated[str | None, BeforeValidator(text_of)]
