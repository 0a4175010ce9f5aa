"""POST /v1/completions: a local model continues raw text, without a chat template."""

from __future__ import annotations

import threading
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
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
from skerry.edge.server.choices import of_choice, usage_of
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
    cancel = threading.Event()
    generate = partial(from_model, service.runtime, target.key)
    choices = [partial(generate, one) for one in _generations(service.runtime, body, cancel)]
    starts = tuple(_starts(service.runtime, target.key, body))
    texts = Texts(Head.new(body.model, "cmpl"), starts, body.each)
    if not body.stream:
        return Json(texts.whole(await service.finish(http, choices, cancel)))
    steps = await service.begin(http, choices, cancel)
    options = body.stream_options
    return EventStream(texts.chunks(steps, usage=bool(options and options.include_usage)))


@dataclass(frozen=True, slots=True)
class Texts:
    """The choices as they go on the wire: `each` for every prompt, prompt by prompt.

    `starts` are what the texts of the choices begin with: the prompts where they are echoed.
    """

    head: Head
    starts: Sequence[str]
    each: int

    def whole(self, answers: Sequence[Whole]) -> dict[str, Any]:
        """The body of what is not streamed."""
        usage = self._usage([answer.last.usage for answer in answers])
        choices = [self._choice(number, answer) for number, answer in enumerate(answers)]
        return {**self.head.fields(_KIND), "choices": choices, "usage": usage}

    async def chunks(
        self, steps: AsyncGenerator[Step, None], *, usage: bool
    ) -> AsyncGenerator[str, None]:
        """The events of what is streamed."""
        offsets = [len(start) for start in self.starts]
        usages: list[TokenUsage | None] = [None] * len(offsets)
        async with aclosing(steps):
            for number, start in enumerate(self.starts):
                if start:
                    yield self._chunk(number, Step(start), 0)
            async for step in steps:
                if step.text or step.tokens or step.finish is not None:
                    yield self._chunk(step.choice, step, offsets[step.choice])
                offsets[step.choice] += len(step.text)
                usages[step.choice] = step.usage
        if usage:
            yield frame({**self.head.fields(_KIND), "choices": [], "usage": self._usage(usages)})
        yield DONE

    def _choice(self, number: int, answer: Whole) -> dict[str, Any]:
        start = self.starts[number]
        return {
            "index": number,
            "text": start + answer.text,
            "logprobs": legacy_logprobs(answer.tokens, answer.top, len(start)),
            "finish_reason": answer.last.finish,
        }

    def _chunk(self, number: int, step: Step, offset: int) -> str:
        choice = {
            "index": number,
            "text": step.text,
            "logprobs": legacy_logprobs(step.tokens, step.top, offset),
            "finish_reason": step.finish,
        }
        return frame({**self.head.fields(_KIND), "choices": [choice]})

    def _usage(self, usages: Sequence[TokenUsage | None]) -> dict[str, Any] | None:
        starts = range(0, len(usages), self.each)
        every = [usage_of(usages[start : start + self.each]) or NO_USAGE for start in starts]
        return usage_fields(
            TokenUsage(
                sum(usage.prompt_tokens for usage in every),
                sum(usage.cached_tokens for usage in every),
                sum(usage.completion_tokens for usage in every),
            )
        )


def _generations(
    runtime: Runtime, body: CompletionRequest, cancel: threading.Event
) -> Iterator[Generation]:
    for prompt in body.prompt:
        wanted = Generation(
            prompt=prompt,
            max_tokens=body.max_tokens or runtime.parts.settings.max_tokens,
            sampling=body.sampling(runtime.parts.sampling),
            stop=body.stop or (),
            grammar=body.grammar,
            top_logprobs=body.logprobs,
            adapter=body.adapter,
            cancel=cancel,
        )
        yield from (of_choice(wanted, number) for number in range(body.each))


def _starts(runtime: Runtime, model: str, body: CompletionRequest) -> Iterator[str]:
    for prompt in body.prompt:
        start = _as_text(runtime, model, prompt) if body.echo else ""
        yield from [start] * body.each


def _as_text(runtime: Runtime, model: str, prompt: Prompt) -> str:
    if isinstance(prompt, str):
        return prompt
    with runtime.parts.engine(model) as engine:
        return engine.detokenize(prompt)
