"""A person's yes, given over HTTP: to exactly what was seen, and to nothing else.

What waits for a yes is shown with its digest, as an event. To ask again with that digest says yes.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Any

from skerry.edge.errors import Cancelled

if TYPE_CHECKING:
    from skerry.edge.escalate import Preview
    from skerry.edge.tools.toolbox import Confirmation


class Held(Cancelled):
    """The client wants to decide before anything else is done."""

    code = "held"


class Assent:
    """What a person has agreed to in one request; notes what it was shown otherwise.

    Args:
        preview: the digest of what may leave the device.
        call: the digest of the call of a tool that may be made, once.
        hold: end the answer (Held) where a yes is wanted.
    """

    def __init__(self, preview: str | None, call: str | None, *, hold: bool) -> None:
        self._preview = preview
        self._call = call
        self._hold = hold
        self._asked: list[dict[str, Any]] = []

    def approve(self, preview: Preview) -> bool:
        """Whether exactly this may leave. Raises Held where the client asked for that."""
        if _same(preview.digest, self._preview):
            return True
        return self._ask("approval_needed", preview_fields(preview))

    def confirm(self, call: Confirmation) -> bool:
        """Whether exactly this may be done. Raises Held where the client asked for that."""
        if _same(call.digest, self._call):
            self._call = None
            return True
        return self._ask("confirmation_needed", confirmation_fields(call))

    def asked(self) -> list[dict[str, Any]]:
        """What a person was asked since the last call, as events."""
        asked, self._asked = self._asked, []
        return asked

    def _ask(self, event: str, shown: dict[str, Any]) -> bool:
        self._asked.append({"event": event, **shown})
        if self._hold:
            raise Held("nothing was done", hint="look at what is shown, and ask again to agree")
        return False


def _same(digest: str, given: str | None) -> bool:
    return given is not None and hmac.compare_digest(digest, given)


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


def confirmation_fields(call: Confirmation) -> dict[str, Any]:
    """What a tool would do, and the digest that confirms exactly that."""
    shown = {"tool": call.tool, "arguments": dict(call.arguments), "text": call.text}
    return {"confirmation": {"digest": call.digest, **shown}}
