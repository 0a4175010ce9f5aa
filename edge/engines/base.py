"""What a device engine is: the one Protocol that every local model backend implements.

An engine owns one loaded model. It turns messages or token ids into a stream of pieces.
It knows nothing of retrieval, routing or policy. `tests/edge/engines/conformance.py` is
the suite that every engine passes.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

Message = Mapping[str, Any]
"""One chat message in OpenAI's shape: `role`, `content`, perhaps `tool_calls`, `tool_call_id`."""


class FinishReason(StrEnum):
    STOP = "stop"
    LENGTH = "length"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is chosen; the names are those of the field.

    `temperature` 0 is greedy. `seed` None draws one; the engine reports it in `Usage`.
    """

    temperature: float = 0.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    repeat_penalty: float = 1.0
    frequency_penalty: float = 0.0
    presence_penalty: float = 0.0
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class Generation:
    """One request to an engine.

    Exactly one of `messages` (rendered by the model's own chat template) and `prompt`
    (raw text or token ids) is given. `session` names a conversation: its KV prefix is kept and
    reused while memory lasts. `grammar` is GBNF text, already compiled from a
    JSON schema where there was one. `top_logprobs` 0 asks for the chosen token's alone;
    None asks for none. `cancel` stops generation at the next token.
    """

    messages: Sequence[Message] | None = None
    prompt: str | Sequence[int] | None = None
    max_tokens: int = 256
    sampling: Sampling = Sampling()
    stop: Sequence[str] = ()
    grammar: str | None = None
    top_logprobs: int | None = None
    tools: Sequence[Mapping[str, Any]] = ()
    adapter: str | None = None
    session: str | None = None
    cancel: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True, slots=True)
class TokenLogprob:
    """A token with its natural-log probability under the unmodified distribution."""

    token_id: int
    text: str
    logprob: float


@dataclass(frozen=True, slots=True)
class TokenStats:
    """Token statistics of a finished generation, for answer confidence.

    All are means over generated tokens, in nats: log-probability of the chosen token, the lowest
    such, entropy of the distribution, and the gap in log-probability between the best
    two tokens.
    """

    mean_logprob: float
    min_logprob: float
    mean_entropy: float
    mean_margin: float


@dataclass(frozen=True, slots=True)
class Usage:
    """What a generation took. Times in milliseconds; `cached_tokens` were reused KV."""

    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    prefill_ms: float
    decode_ms: float
    queued_ms: float
    seed: int
    stats: TokenStats | None


@dataclass(frozen=True, slots=True)
class Piece:
    """A step of a stream. Text never splits a UTF-8 character and never shows a stop string.

    The last piece has `finish` and `usage`; its text may be empty.
    """

    text: str
    tokens: Sequence[TokenLogprob] = ()
    top: Sequence[Sequence[TokenLogprob]] = ()
    finish: FinishReason | None = None
    usage: Usage | None = None


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What is known of a loaded model. `digest` is the SHA-256 of its file, or of its manifest."""

    name: str
    path: Path
    engine: str
    architecture: str
    parameters: int
    size_bytes: int
    context_tokens: int
    trained_context_tokens: int
    vocabulary: int
    quantization: str
    digest: str
    licence: str | None = None


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """How a model is loaded. Zero or None lets the engine choose.

    `kv_type` is a ggml type name (`f16`, `q8_0`, …) for both K and V. `parallel` is the
    number of sequences decoded together; `context_tokens` is per sequence. `chat_template` is Jinja
    source in place of the model's own.
    """

    context_tokens: int = 0
    threads: int = 0
    batch_tokens: int = 0
    kv_type: str = "f16"
    parallel: int = 1
    gpu_layers: int = 0
    adapters: Mapping[str, Path] = field(default_factory=dict)
    chat_template: str = ""


@runtime_checkable
class Engine(Protocol):
    """A loaded model. Thread-safe: several generations may run at once."""

    @property
    def info(self) -> ModelInfo: ...

    def tokenize(self, text: str, *, special: bool = False) -> list[int]:
        """Token ids of `text`, without BOS; `special` parses control tokens such as <|im_end|>."""
        ...

    def detokenize(self, ids: Sequence[int]) -> str: ...

    def render(
        self, messages: Sequence[Message], *, tools: Sequence[Mapping[str, Any]] = ()
    ) -> str:
        """The prompt text that the model's chat template makes of `messages`.

        Raises:
            InputError: a message has no role or a content that the template cannot take.
        """
        ...

    def generate(self, request: Generation) -> Iterator[Piece]:
        """Streams pieces; closing the iterator cancels.

        Raises:
            ContextOverflow: the prompt and one token do not fit.
            GrammarError: the grammar does not compile.
            AdapterError: no adapter of that name.
            Cancelled: never; a cancelled stream ends with `FinishReason.CANCELLED`.
        """
        ...

    def check_grammar(self, grammar: str) -> None:
        """Raises GrammarError for a grammar that this engine cannot use."""
        ...

    def close(self) -> None:
        """Frees the model; running generations end as cancelled. May be called twice."""
        ...
