"""The body of POST /api/ask."""

from __future__ import annotations

from pydantic import Field

from skerry.edge.server.wire.fields import DIGEST, SkerryFields

NEW_SESSION = "new"


class AskRequest(SkerryFields):
    """`session` "new" begins a conversation. `approved_preview` is the digest of what a person
    saw and approved; nothing else leaves on its strength. With `hold`, an answer that waits for
    that, or for `confirmed_call`, ends there.
    """

    question: str
    approved_preview: str | None = Field(None, pattern=DIGEST)
    hold: bool = False
