"""POST /v1/chat/completions."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi import Request as HttpRequest
from starlette.responses import Response

from skerry.edge.receipts import TokenUsage
from skerry.edge.server import planning
from skerry.edge.server.answers import Step, ToolCall, Whole
from skerry.edge.server.choices import usage_of
from skerry.edge.server.errors import ApiError
from skerry.edge.server.heads import Head, usage_fields
from skerry.edge.server.logprobs import chat_logprobs
from skerry.edge.server.service import Service, service_of
from skerry.edge.server.sse import DONE, EventStream, Json, frame
from skerry.edge.server.wire.chat import ChatRequest

router = APIRouter()


@router.post("/v1/chat/completions")
async def chat(
    body: ChatRequest, http: HttpRequest, service: Annotated[Service, Depends(service_of)]
) -> Response:
    cancel = threading.Event()
    choices = await asyncio.to_thread(planning.chat, service.runtime, body, cancel)
    head = Head.new(body.model, "chatcmpl")
    if not body.stream:
        return Json(completion(head, await service.finish(http, choices, cancel)))
    steps = await service.begin(http, choices, cancel)
    options = body.stream_options
    usage = bool(options and options.include_usage)
    return EventStream(chunks(head, steps, count=len(choices), usage=usage))


def completion(head: Head, answers: Sequence[Whole]) -> dict[str, Any]:
    """The body of answers that are not streamed."""
    return {
        **head.fields("chat.completion"),
        "choices": [_choice(number, answer) for number, answer in enumerate(answers)],
        "usage": usage_fields(usage_of([answer.last.usage for answer in answers])),
        **(answers[0].last.extra or {}),
    }


def _choice(number: int, answer: Whole) -> dict[str, Any]:
    last = answer.last
    said = None if last.refusal or (last.calls and not answer.text) else answer.text
    message: dict[str, Any] = {
        "role": "assistant", "content": said, "refusal": last.refusal or None
    }  # fmt: skip
    if last.calls:
        message["tool_calls"] = [call_fields(call) for call in last.calls]
    return {
        "index": number,
        "message": message,
        "logprobs": chat_logprobs(answer.tokens, answer.top),
        "finish_reason": last.finish,
    }


async def chunks(
    head: Head, steps: AsyncGenerator[Step, None], *, count: int, usage: bool
) -> AsyncGenerator[str, None]:
    """The events of `count` streamed answers: the role, then text or calls, then the finish.

    Raises:
        ApiError: text that was sent has become void (a tier failed half-way).
    """
    said = False
    ends = [Step()] * count
    async with aclosing(steps):
        for number in range(count):
            yield _Chunks(head, number).delta({"role": "assistant", "content": ""})
        async for step in steps:
            if step.void and said:
                raise gave_up()
            said = said or bool(step.text)
            for text in _Chunks(head, step.choice).of(step):
                yield text
            if step.finish is not None:
                ends[step.choice] = step
    if usage:
        yield _usage_chunk(head, usage_of([end.usage for end in ends]))
    yield DONE


def gave_up() -> ApiError:
    return ApiError(
        503,
        "the tier that answered failed half-way; ask again, and the next one answers.",
        code="tier_failed",
    )


@dataclass(frozen=True, slots=True)
class _Chunks:
    """The frames of one choice."""

    head: Head
    index: int

    def of(self, step: Step) -> Iterator[str]:
        logprobs = chat_logprobs(step.tokens, step.top)
        if step.text or logprobs:
            yield self.delta({"content": step.text}, logprobs=logprobs)
        if step.refusal:
            yield self.delta({"refusal": step.refusal})
        for index, call in enumerate(step.calls):
            yield from self._call(index, call)
        if step.finish is not None:
            yield self.delta({}, finish=step.finish, extra=step.extra)

    def _call(self, index: int, call: ToolCall) -> Iterator[str]:
        """The name first, then the arguments, as OpenAI sends them."""
        begun = {**call_fields(call), "function": {"name": call.name, "arguments": ""}}
        yield self.delta({"tool_calls": [{"index": index, **begun}]})
        rest = {"index": index, "function": {"arguments": call.arguments}}
        yield self.delta({"tool_calls": [rest]})

    def delta(
        self,
        delta: dict[str, Any],
        *,
        logprobs: dict[str, Any] | None = None,
        finish: str | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> str:
        choice = {
            "index": self.index,
            "delta": delta,
            "logprobs": logprobs,
            "finish_reason": finish,
        }
        fields = self.head.fields("chat.completion.chunk")
        return frame({**fields, "choices": [choice], **(extra or {})})


def _usage_chunk(head: Head, usage: TokenUsage | None) -> str:
    fields = head.fields("chat.completion.chunk")
    return frame({**fields, "choices": [], "usage": usage_fields(usage)})


def call_fields(call: ToolCall) -> dict[str, Any]:
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": call.id, "type": "function", "function": function}
