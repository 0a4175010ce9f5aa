"""POST /v1/responses."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi import Request as HttpRequest
from pydantic import ValidationError
from starlette.responses import Response

from skerry.edge.server import models, planning
from skerry.edge.server.answers import Answering, Step
from skerry.edge.server.chat import gave_up
from skerry.edge.server.errors import as_api_error, validation_error
from skerry.edge.server.response_events import ResponseEvents
from skerry.edge.server.response_shapes import Asked, output_of
from skerry.edge.server.service import Service, service_of
from skerry.edge.server.sse import EventStream, Json
from skerry.edge.server.threads import Thread, Threads
from skerry.edge.server.wire.chat import ChatRequest
from skerry.edge.server.wire.responses import Item, ResponsesRequest

router = APIRouter()


@router.post("/v1/responses")
async def respond(
    body: ResponsesRequest, http: HttpRequest, service: Annotated[Service, Depends(service_of)]
) -> Response:
    models.find_generating(service.runtime, body.model)
    threads = service.threads
    thread = await asyncio.to_thread(
        threads.begin, body.previous_response_id, body.input, store=body.store is not False
    )
    cancel = threading.Event()
    answering = await asyncio.to_thread(_answering, service, body, thread, cancel)
    asked = Asked(body, thread.id)
    if body.stream:
        steps = await service.begin(http, [answering], cancel)
        return EventStream(_events(ResponseEvents(asked), steps, threads, thread))
    (answer,) = await service.finish(http, [answering], cancel)
    await _keep(threads, thread, answer.text, answer.last)
    return Json(asked.finished(output_of(answer), answer.last))


def _answering(
    service: Service, body: ResponsesRequest, thread: Thread, cancel: threading.Event
) -> Answering:
    """How a response will be answered: as the chat request that it amounts to."""
    fields = body.chat_fields(thread.history, thread.session)
    try:
        wanted = ChatRequest.model_validate(fields)
    except ValidationError as error:
        details = error.errors(include_url=False)
        located = [{**detail, "loc": ("body", *detail["loc"])} for detail in details]
        raise validation_error(located) from None
    (answering,) = planning.chat(service.runtime, wanted, cancel, thread.labels)
    return answering


async def _events(
    events: ResponseEvents, steps: AsyncGenerator[Step, None], threads: Threads, thread: Thread
) -> AsyncGenerator[str, None]:
    """The frames of a streamed response. It is kept before the client hears that it is complete."""
    try:
        async with aclosing(steps):
            for text in events.begin():
                yield text
            async for step in steps:
                if step.void and events.text:
                    raise gave_up()
                if step.finish is not None:
                    await _keep(threads, thread, events.text + step.text, step)
                for text in events.step(step):
                    yield text
    except Exception as error:
        for text in events.fail(as_api_error(error)):
            yield text
        raise


async def _keep(threads: Threads, thread: Thread, text: str, last: Step) -> None:
    """Keeps a finished answer; one that was cut off is kept as it is, a cancelled one is not."""
    if last.finish == "cancelled":
        return
    said = [Item(role="assistant", content=last.refusal or text)]
    calls = [
        Item(type="function_call", call_id=call.id, name=call.name, arguments=call.arguments)
        for call in last.calls
    ]
    await asyncio.to_thread(threads.finish, thread, calls or said, last.receipt)
