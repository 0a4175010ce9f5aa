"""The objects of the Responses API: the response, its output items, its usage."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from skerry.edge.engines.base import FinishReason
from skerry.edge.receipts import TokenUsage
from skerry.edge.server.answers import Step, ToolCall, Whole
from skerry.edge.server.ids import new_id
from skerry.edge.server.logprobs import response_logprobs
from skerry.edge.server.wire.responses import ResponsesRequest

COMPLETED, INCOMPLETE, IN_PROGRESS, FAILED = "completed", "incomplete", "in_progress", "failed"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request with the id and time of its response."""

    body: ResponsesRequest
    id: str
    created_at: int = field(default_factory=lambda: int(time.time()))

    def response(
        self,
        status: str,
        output: Sequence[dict[str, Any]] = (),
        usage: TokenUsage | None = None,
        error: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """The response as it stands."""
        body = self.body
        return {
            "id": self.id,
            "object": "response",
            "created_at": self.created_at,
            "status": status,
            "error": error,
            "incomplete_details": {"reason": "max_output_tokens"} if status == INCOMPLETE else None,
            "instructions": body.instructions,
            "max_output_tokens": body.max_output_tokens,
            "metadata": body.metadata or {},
            "model": body.model,
            "output": list(output),
            "parallel_tool_calls": body.parallel_tool_calls is not False,
            "previous_response_id": body.previous_response_id,
            "reasoning": {"effort": None, "summary": None},
            "store": body.store is not False,
            "temperature": body.temperature,
            "text": {"format": body.text.format.model_dump(by_alias=True, exclude_none=True)},
            "tool_choice": body.tool_choice or "auto",
            "tools": [tool.model_dump() for tool in body.tools or ()],
            "top_logprobs": body.top_logprobs or 0,
            "top_p": body.top_p,
            "truncation": "disabled",
            "usage": None if usage is None else usage_fields(usage),
            "user": body.user,
        }

    def finished(self, output: Sequence[dict[str, Any]], last: Step) -> dict[str, Any]:
        """The response after its last step."""
        return {
            **self.response(status_of(last), output, last.usage),
            **(last.extra or {}),
        }


def status_of(last: Step) -> str:
    return COMPLETED if last.finish in {FinishReason.STOP, "tool_calls"} else INCOMPLETE


def message_item(item_id: str, status: str, content: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": item_id,
        "type": "message",
        "role": "assistant",
        "status": status,
        "content": list(content),
    }


def call_item(call: ToolCall, status: str, arguments: str) -> dict[str, Any]:
    return {
        "id": "fc_" + call.id.removeprefix("call_"),
        "type": "function_call",
        "status": status,
        "call_id": call.id,
        "name": call.name,
        "arguments": arguments,
    }


def text_part(text: str, logprobs: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": list(logprobs)}


def refusal_part(refusal: str) -> dict[str, Any]:
    return {"type": "refusal", "refusal": refusal}


def output_of(answer: Whole) -> list[dict[str, Any]]:
    """The output items of a whole answer."""
    last = answer.last
    if last.calls:
        return [call_item(call, COMPLETED, call.arguments) for call in last.calls]
    said = text_part(answer.text, response_logprobs(answer.tokens, answer.top))
    part = refusal_part(last.refusal) if last.refusal else said
    return [message_item(new_id("msg", "_"), status_of(last), [part])]


def usage_fields(usage: TokenUsage) -> dict[str, Any]:
    return {
        "input_tokens": usage.prompt_tokens,
        "input_tokens_details": {"cached_tokens": usage.cached_tokens},
        "output_tokens": usage.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
    }
