"""Answers a question of the page: every event of the runtime, and what waits for approval."""

from __future__ import annotations

import hmac
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from skerry.edge.errors import Cancelled, EdgeError
from skerry.edge.events import Event, Finished, TextReleased
from skerry.edge.fields import event_fields
from skerry.edge.request import Request
from skerry.edge.runtime import Runtime
from skerry.edge.server.answers import Step, usage_in
from skerry.edge.server.wire.ask import NEW_SESSION, AskRequest

if TYPE_CHECKING:
    from skerry.edge.escalate import Preview


class Held(Cancelled):
    """The client wants to decide before anybody else answers."""

    code = "held"


class Approval:
    """Approves exactly the preview that a person has seen; notes what it was shown otherwise."""

    def __init__(self, approved: str | None, *, hold: bool) -> None:
        self._approved = approved
        self._hold = hold
        self._asked: list[dict[str, Any]] = []

    def __call__(self, preview: Preview) -> bool:
        """Raises Held where the client asked for that."""
        if self._approved is not None and hmac.compare_digest(preview.digest, self._approved):
            return True
        self._asked.append(preview_fields(preview))
        if self._hold:
            raise Held("nothing has left this device", hint="approve the preview, and ask again")
        return False

    def noted(self) -> Iterator[Step]:
        """The previews since the last call, as events."""
        while self._asked:
            yield Step(extra={"event": "approval_needed", **self._asked.pop(0)})


def answer(runtime: Runtime, body: AskRequest, cancel: threading.Event) -> Iterator[Step]:
    """The events of one question as steps whose `extra` is an object of `skerry.event/1`.

    Raises:
        EdgeError: what `Runtime.stream` raises.
    """
    approval = Approval(body.approved_preview, hold=body.hold)
    request = _request(runtime, body, approval, cancel)
    if body.session == NEW_SESSION:
        yield Step(extra={"event": "session", "session": request.session})
    try:
        for event in runtime.stream(request):
            yield from approval.noted()
            yield _step(event)
    except Held:
        yield from approval.noted()
    except EdgeError:
        yield from approval.noted()
        raise


def preview_fields(preview: Preview) -> dict[str, Any]:
    """What a person must see before it leaves, and the digest that approves exactly that."""
    return {
        "digest": preview.digest,
        "preview": {
            "destination": preview.destination,
            "model": preview.model,
            "messages": [{"role": one.role, "text": one.text} for one in preview.messages],
            "size_bytes": preview.size_bytes,
            "redactions": preview.redactions,
        },
    }


def _request(
    runtime: Runtime, body: AskRequest, approval: Approval, cancel: threading.Event
) -> Request:
    return Request(
        body.question,
        session=_session(runtime, body.session),
        consent=body.consent,
        offline=body.offline,
        domain=body.domain,
        as_of=body.as_of,
        approve=approval,
        cancel=cancel,
    )


def _session(runtime: Runtime, wanted: str | None) -> str | None:
    """The conversation to go on in. Raises SessionNotFound before anything is done."""
    if wanted is None:
        return None
    sessions = runtime.parts.sessions
    return sessions.create().id if wanted == NEW_SESSION else sessions.get(wanted, last=0).id


def _step(event: Event) -> Step:
    fields = event_fields(event)
    if isinstance(event, TextReleased):
        return Step(event.text, extra=fields)
    if isinstance(event, Finished):
        receipt = event.reply.receipt
        usage = usage_in(receipt)
        return Step(finish=event.reply.finish, usage=usage, extra=fields, receipt=receipt)
    return Step(extra=fields)
