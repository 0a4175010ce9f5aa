"""POST /v1/completions: a local model continues raw text, without a chat template."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi import Request as HttpRequest
from starlette.responses import Response

from skerry.edge.engines.base import Generation
from skerry.edge.receipts import TokenUsage
from skerry.edge.runtime import Runtime
from skerry.edge.server import models
from skerry.edge.server.answers import NO_USAGE, Step, Whole, from_model
from skerry.edge.server.errors import bad
from skerry.edge.server.heads import Head, usage_fields
from skerry.edge.server.logprobs import legacy_logprobs
from skerry.edge.server.service import Service, service_of
from skerry.edge.server.sse import DONE, EventStream, Json, frame
from skerry.edge.server.wire.completions import CompletionRequest, Prompt

router = APIRouter()
_KIND = "text_completion"


@router.post("/v1/completions")
async def complete(
    body: CompletionRequest, http: HttpRequest, service: Annotated[Service, Depends(service_of)]
) -> Response:
    target = models.find_generating(service.runtime, body.model)
    if target.kind is models.Kind.PIPELINE:
        raise bad("'skerry' answers questions; name a local model to continue text.", "model")
    wanted = list(_generations(service.runtime, body))
    answer = partial(from_model, service.runtime, target.key)
    echoes = [
        _echo(service.runtime, target.key, prompt) if body.echo else "" for prompt in body.prompt
    ]
    head = Head.new(body.model, "cmpl")
    if body.stream:
        if len(body.prompt) > 1:
            raise bad("only one prompt can be streamed.", "prompt")
        steps = await service.begin(http, partial(answer, wanted[0]), wanted[0].cancel)
        usage = bool(body.stream_options and body.stream_options.include_usage)
        return EventStream(chunks(head, steps, echo=echoes[0], usage=usage))
    wholes = [await service.finish(http, partial(answer, one), one.cancel) for one in wanted]
    return Json(completion(head, wholes, echoes))


def completion(head: Head, answers: list[Whole], echoes: list[str]) -> dict[str, Any]:
    """The body of an answer that is not streamed: a choice for every prompt."""
    choices = [
        {
            "index": index,
            "text": echo + answer.text,
            "logprobs": legacy_logprobs(answer.tokens, answer.top, len(echo)),
            "finish_reason": answer.last.finish,
        }
        for index, (answer, echo) in enumerate(zip(answers, echoes, strict=True))
    ]
    usage = _sum(answer.last.usage or NO_USAGE for answer in answers)
    return {**head.fields(_KIND), "choices": choices, "usage": usage_fields(usage)}


def _sum(usages: Iterator[TokenUsage]) -> TokenUsage:
    every = list(usages)
    return TokenUsage(
        sum(usage.prompt_tokens for usage in every),
        sum(usage.cached_tokens for usage in every),
        sum(usage.completion_tokens for usage in every),
    )


async def chunks(
    head: Head, steps: AsyncGenerator[Step, None], *, echo: str, usage: bool
) -> AsyncGenerator[str, None]:
    offset = len(echo)
    async with aclosing(steps):
        if echo:
            yield _chunk(head, echo)
        async for step in steps:
            if step.text or step.tokens or step.finish is not None:
                logprobs = legacy_logprobs(step.tokens, step.top, offset)
                yield _chunk(head, step.text, logprobs, step.finish)
            offset += len(step.text)
            if step.finish is not None and usage:
                fields = usage_fields(step.usage or NO_USAGE)
                yield frame({**head.fields(_KIND), "choices": [], "usage": fields})
    yield DONE


def _chunk(
    head: Head, text: str, logprobs: dict[str, Any] | None = None, finish: str | None = None
) -> str:
    choice = {"index": 0, "text": text, "logprobs": logprobs, "finish_reason": finish}
    return frame({**head.fields(_KIND), "choices": [choice]})


def _generations(runtime: Runtime, body: CompletionRequest) -> Iterator[Generation]:
    for prompt in body.prompt:
        yield Generation(
            prompt=prompt,
            max_tokens=body.max_tokens or runtime.parts.settings.max_tokens,
            sampling=body.sampling(runtime.parts.sampling),
            stop=body.stop or (),
            grammar=body.grammar,
            top_logprobs=body.logprobs,
            adapter=body.adapter,
        )


def _echo(runtime: Runtime, model: str, prompt: Prompt) -> str:
    """The prompt as text."""
    if isinstance(prompt, str):
        return prompt
    with runtime.parts.engine(model) as engine:
        return engine.detokenize(prompt)
