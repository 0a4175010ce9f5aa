"""The events of a streamed response, in OpenAI's order
(https://platform.openai.com/docs/api-reference/responses-streaming)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

from skerry.edge.server.answers import Step, ToolCall
from skerry.edge.server.errors import ApiError
from skerry.edge.server.ids import new_id
from skerry.edge.server.logprobs import response_logprobs
from skerry.edge.server.response_shapes import (
    COMPLETED,
    FAILED,
    IN_PROGRESS,
    Asked,
    call_item,
    message_item,
    refusal_part,
    status_of,
    text_part,
)
from skerry.edge.server.sse import frame


class ResponseEvents:
    """Turns the steps of one answer into frames; `text` and `output` are what was sent so far."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._numbers = count()
        self._item_id = new_id("msg", "_")
        self._begun = False
        self._logprobs: list[dict[str, Any]] = []
        self.text = ""
        self.output: list[dict[str, Any]] = []

    def begin(self) -> Iterator[str]:
        response = self._asked.response(IN_PROGRESS)
        yield self._frame("response.created", response=response)
        yield self._frame("response.in_progress", response=response)

    def step(self, step: Step) -> Iterator[str]:
        if step.text or step.tokens:
            yield from self._begin_message()
            logprobs = response_logprobs(step.tokens, step.top)
            self.text += step.text
            self._logprobs += logprobs
            yield self._part_frame("response.output_text.delta", delta=step.text, logprobs=logprobs)
        if step.finish is not None:
            yield from self._end(step)

    def fail(self, error: ApiError) -> Iterator[str]:
        """What comes before the `error` event."""
        fault = {"code": error.code or "server_error", "message": error.detail}
        response = self._asked.response(FAILED, self.output, error=fault)
        yield self._frame("response.failed", response=response)

    def _end(self, last: Step) -> Iterator[str]:
        for call in last.calls:
            yield from self._call(call)
        if last.refusal:
            yield from self._refuse(last)
        elif self._begun or not last.calls:
            yield from self._end_message(last)
        response = self._asked.finished(self.output, last)
        yield self._frame(f"response.{response['status']}", response=response)

    def _begin_message(self) -> Iterator[str]:
        if self._begun:
            return
        self._begun = True
        yield self._item_frame("added", message_item(self._item_id, IN_PROGRESS, []))
        yield self._part_frame("response.content_part.added", part=text_part(""))

    def _end_message(self, last: Step) -> Iterator[str]:
        yield from self._begin_message()
        done = {"text": self.text, "logprobs": self._logprobs}
        yield self._part_frame("response.output_text.done", **done)
        part = text_part(self.text, self._logprobs)
        yield self._part_frame("response.content_part.done", part=part)
        yield from self._done(message_item(self._item_id, status_of(last), [part]))

    def _refuse(self, last: Step) -> Iterator[str]:
        part = refusal_part(last.refusal)
        yield self._item_frame("added", message_item(self._item_id, IN_PROGRESS, []))
        yield self._part_frame("response.content_part.added", part=refusal_part(""))
        yield self._part_frame("response.refusal.delta", delta=last.refusal)
        yield self._part_frame("response.refusal.done", refusal=last.refusal)
        yield self._part_frame("response.content_part.done", part=part)
        yield from self._done(message_item(self._item_id, COMPLETED, [part]))

    def _call(self, call: ToolCall) -> Iterator[str]:
        item = call_item(call, IN_PROGRESS, "")
        yield self._item_frame("added", item)
        place = {"item_id": item["id"], "output_index": len(self.output)}
        kind = "response.function_call_arguments"
        yield self._frame(f"{kind}.delta", **place, delta=call.arguments)
        yield self._frame(f"{kind}.done", **place, name=call.name, arguments=call.arguments)
        yield from self._done(call_item(call, COMPLETED, call.arguments))

    def _done(self, item: dict[str, Any]) -> Iterator[str]:
        yield self._item_frame("done", item)
        self.output.append(item)

    def _item_frame(self, what: str, item: dict[str, Any]) -> str:
        kind = f"response.output_item.{what}"
        return self._frame(kind, output_index=len(self.output), item=item)

    def _part_frame(self, kind: str, **fields: Any) -> str:
        place = {"item_id": self._item_id, "output_index": len(self.output), "content_index": 0}
        return self._frame(kind, **place, **fields)

    def _frame(self, kind: str, **fields: Any) -> str:
        numbered = {"type": kind, "sequence_number": next(self._numbers), **fields}
        return frame(numbered, event=kind)
