"""Answers a question of the page: every event of the runtime, and what waits for a person's yes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

from skerry.edge.errors import EdgeError
from skerry.edge.events import Event, Finished, TextReleased
from skerry.edge.fields import event_fields
from skerry.edge.request import Request
from skerry.edge.runtime import Runtime
from skerry.edge.server.answers import Step, usage_in
from skerry.edge.server.assent import Assent, Held
from skerry.edge.server.wire.ask import NEW_SESSION, AskRequest


def answer(runtime: Runtime, body: AskRequest, cancel: threading.Event) -> Iterator[Step]:
    """The events of one question as steps whose `extra` is an object of `skerry.event/1`.

    Raises:
        EdgeError: what `Runtime.stream` raises.
    """
    assent = Assent(body.approved_preview, body.confirmed_call, hold=body.hold)
    request = _request(runtime, body, assent, cancel)
    if body.session == NEW_SESSION:
        yield Step(extra={"event": "session", "session": request.session})
    try:
        for event in runtime.stream(request):
            yield from map(_asking, assent.asked())
            yield _step(event)
    except Held:
        yield from map(_asking, assent.asked())
    except EdgeError:
        yield from map(_asking, assent.asked())
        raise


def _request(
    runtime: Runtime, body: AskRequest, assent: Assent, cancel: threading.Event
) -> Request:
    return Request(
        body.question,
        session=_session(runtime, body.session),
        consent=body.consent,
        offline=body.offline,
        domain=body.domain,
        as_of=body.as_of,
        approve=assent.approve,
        confirm=assent.confirm,
        cancel=cancel,
    )


def _session(runtime: Runtime, wanted: str | None) -> str | None:
    """The conversation to go on in. Raises SessionNotFound before anything is done."""
    if wanted is None:
        return None
    sessions = runtime.parts.sessions
    return sessions.create().id if wanted == NEW_SESSION else sessions.get(wanted, last=0).id


def _asking(asked: dict[str, Any]) -> Step:
    return Step(extra=asked)


def _step(event: Event) -> Step:
    fields = event_fields(event)
    if isinstance(event, TextReleased):
        return Step(event.text, extra=fields)
    if isinstance(event, Finished):
        receipt = event.reply.receipt
        usage = usage_in(receipt)
        return Step(finish=event.reply.finish, usage=usage, extra=fields, receipt=receipt)
    return Step(extra=fields)
