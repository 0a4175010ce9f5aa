"""POST /v1/chat/completions."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi import Request as HttpRequest
from starlette.responses import Response

from skerry.edge.receipts import TokenUsage
from skerry.edge.server import planning
from skerry.edge.server.answers import NO_USAGE, Step, ToolCall, Whole
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
    answering = await asyncio.to_thread(planning.chat, service.runtime, body, cancel)
    head = Head.new(body.model, "chatcmpl")
    if not body.stream:
        return Json(completion(head, await service.finish(http, answering, cancel)))
    steps = await service.begin(http, answering, cancel)
    options = body.stream_options
    return EventStream(chunks(head, steps, usage=bool(options and options.include_usage)))


def completion(head: Head, answer: Whole) -> dict[str, Any]:
    """The body of an answer that is not streamed."""
    last = answer.last
    said = None if last.refusal or (last.calls and not answer.text) else answer.text
    message: dict[str, Any] = {
        "role": "assistant", "content": said, "refusal": last.refusal or None
    }  # fmt: skip
    if last.calls:
        message["tool_calls"] = [call_fields(call) for call in last.calls]
    choice = {
        "index": 0,
        "message": message,
        "logprobs": chat_logprobs(answer.tokens, answer.top),
        "finish_reason": last.finish,
    }
    fields = head.fields("chat.completion")
    usage = usage_fields(last.usage or NO_USAGE)
    return {**fields, "choices": [choice], "usage": usage, **(last.extra or {})}


async def chunks(
    head: Head, steps: AsyncGenerator[Step, None], *, usage: bool
) -> AsyncGenerator[str, None]:
    """The events of a streamed answer: the role, then text or calls, then the finish.

    Raises:
        ApiError: text that was sent has become void (a tier failed half-way).
    """
    said = False
    async with aclosing(steps):
        yield _chunk(head, {"role": "assistant", "content": ""})
        async for step in steps:
            if step.void and said:
                raise gave_up()
            said = said or bool(step.text)
            for text in _step_chunks(head, step):
                yield text
            if step.finish is not None and usage:
                yield _usage_chunk(head, step.usage or NO_USAGE)
    yield DONE


def gave_up() -> ApiError:
    return ApiError(
        503,
        "the tier that answered failed half-way; ask again, and the next one answers.",
        code="tier_failed",
    )


def _step_chunks(head: Head, step: Step) -> Iterator[str]:
    if step.text:
        yield _chunk(head, {"content": step.text}, chat_logprobs(step.tokens, step.top))
    elif step.tokens:
        yield _chunk(head, {"content": ""}, chat_logprobs(step.tokens, step.top))
    if step.refusal:
        yield _chunk(head, {"refusal": step.refusal})
    for index, call in enumerate(step.calls):
        yield from _call_chunks(head, index, call)
    if step.finish is not None:
        yield _chunk(head, {}, finish=step.finish, extra=step.extra)


def _call_chunks(head: Head, index: int, call: ToolCall) -> Iterator[str]:
    """The name first, then the arguments, as OpenAI sends them."""
    begun = {**call_fields(call), "function": {"name": call.name, "arguments": ""}}
    yield _chunk(head, {"tool_calls": [{"index": index, **begun}]})
    rest = {"index": index, "function": {"arguments": call.arguments}}
    yield _chunk(head, {"tool_calls": [rest]})


def _chunk(
    head: Head,
    delta: dict[str, Any],
    logprobs: dict[str, Any] | None = None,
    finish: str | None = None,
    extra: Any = None,
) -> str:
    choice = {"index": 0, "delta": delta, "logprobs": logprobs, "finish_reason": finish}
    return frame({**head.fields("chat.completion.chunk"), "choices": [choice], **(extra or {})})


def _usage_chunk(head: Head, usage: TokenUsage) -> str:
    fields = head.fields("chat.completion.chunk")
    return frame({**fields, "choices": [], "usage": usage_fields(usage)})


def call_fields(call: ToolCall) -> dict[str, Any]:
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": call.id, "type": "function", "function": function}
