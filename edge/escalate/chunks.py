"""Reads one event of a chat completion stream. No I/O.

The format is OpenAI's `chat.completion.chunk`
(https://platform.openai.com/docs/api-reference/chat/streaming), read leniently where servers
differ and strictly where a wrong reading would lose text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from skerry.edge.engines.base import FinishReason
from skerry.edge.errors import CloudRefused
from skerry.edge.escalate.faults import event_fault, protocol_fault
from skerry.edge.escalate.options import CloudOptions

DONE = "[DONE]"
UNFIT = dict.fromkeys(
    [
        *(code for code in range(0x20) if chr(code) not in "\n\t"),
        *range(0x7F, 0xA0),
        *range(0x202A, 0x202F),
        *range(0x2066, 0x206A),
    ]
)
"""What an answer has no use for but a terminal obeys: C0, DEL and C1 controls, and the marks that
turn the direction of text around (Unicode 15, section 23.2). Single characters, so that it does not
matter how a sequence is split over events."""
_THOUGHTS = ("reasoning_content", "reasoning")


@dataclass(frozen=True, slots=True)
class TokenCounts:
    """What the server says that the request took, in tokens."""

    prompt: int = 0
    cached: int = 0
    completion: int = 0


@dataclass(frozen=True, slots=True)
class Chunk:
    """One event. `thinking`: the model made hidden text, which is progress but no answer."""

    text: str = ""
    thinking: bool = False
    finish: FinishReason | None = None
    counts: TokenCounts | None = None

    @property
    def is_progress(self) -> bool:
        return bool(self.text) or self.thinking or self.finish is not None


def parse_chunk(options: CloudOptions, data: str) -> Chunk:
    """The chunk in the data of one event.

    Raises:
        CloudUnavailable, CloudRefused: it is an error object, is malformed, or says that the
            server withheld the answer.
    """
    try:
        event = json.loads(data)
    except (ValueError, RecursionError):
        raise protocol_fault(options, "an event is not JSON") from None
    if not isinstance(event, dict):
        raise protocol_fault(options, "an event is not a JSON object")
    if error := event.get("error"):
        raise event_fault(options, error, data)
    choice = _first_choice(options, event)
    return _chunk(options, choice, _counts(event.get("usage")))


def _first_choice(options: CloudOptions, event: Mapping[str, Any]) -> Mapping[str, Any]:
    """The first choice; the last event, with the usage, has none."""
    choices = event.get("choices") or [{}]
    if not isinstance(choices, list) or not isinstance(choices[0], dict):
        raise protocol_fault(options, "an event's choices are no list of objects")
    return choices[0]


def _chunk(options: CloudOptions, choice: Mapping[str, Any], counts: TokenCounts | None) -> Chunk:
    delta = choice.get("delta") or {}
    text = delta.get("content") or "" if isinstance(delta, dict) else None
    if not isinstance(text, str):
        raise protocol_fault(options, "a piece of the answer is not text")
    thinking = any(delta.get(name) for name in _THOUGHTS)
    finish = _finish(options, choice.get("finish_reason"))
    return Chunk(_presentable(text), thinking, finish, counts)


def _finish(options: CloudOptions, reason: object) -> FinishReason | None:
    if not reason:
        return None
    if reason == "content_filter":
        raise CloudRefused(
            f"the content filter of {options.destination} withheld the rest of the answer",
            hint="ask in other words, or let the device answer",
            status=200,
        )
    return FinishReason.LENGTH if reason == "length" else FinishReason.STOP


def _counts(usage: object) -> TokenCounts | None:
    if not isinstance(usage, dict):
        return None
    details = usage.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, dict) else 0
    prompt, completion = usage.get("prompt_tokens"), usage.get("completion_tokens")
    return TokenCounts(_natural(prompt), _natural(cached), _natural(completion))


def _natural(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0


def _presentable(text: str) -> str:
    """JSON may name half of a surrogate pair, which no UTF-8 text can hold, and controls."""
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return whole.translate(UNFIT)
