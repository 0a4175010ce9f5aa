"""The body of POST /api/ask."""

from __future__ import annotations

from pydantic import Field

from skerry.edge.server.wire.fields import SkerryFields

NEW_SESSION = "new"


class AskRequest(SkerryFields):
    """`session` "new" begins a conversation. `approved_preview` is the digest of what a person
    saw and approved; nothing else leaves on its strength. With `hold`, an answer that
    needs approval ends there instead of falling to the device.
    """

    question: str
    approved_preview: str | None = Field(None, pattern="^[0-9a-f]{64}$")
    hold: bool = False
