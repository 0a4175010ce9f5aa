"""What a search of a collection would send, for a person to see and to approve."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from skerry.cloud.collections.wire import Search
from skerry.edge.escalate.preview import OutgoingMessage, Preview


@dataclass(frozen=True, slots=True)
class VectorPreview(Preview):
    """`body` has the vector; `text` is what it was made of, and does not leave by itself.

    Whoever has the vector may make much of that text of it again. The same body goes to the
    collections `also`, of the same gateway: who approves it for one approves it for all of them.
    """

    collection: str = field(kw_only=True)
    asked: Search = field(kw_only=True, repr=False)
    text: str = field(kw_only=True, repr=False)
    also: tuple[str, ...] = field(kw_only=True, default=())

    @property
    def dimensions(self) -> int:
        return len(self.asked.codes())

    @property
    def vector_digest(self) -> str:
        """SHA-256 of the vector's codes, in hex."""
        return hashlib.sha256(self.asked.codes().tobytes()).hexdigest()

    @property
    def model(self) -> str:
        """The collections: no model is asked."""
        return ", ".join((self.collection, *self.also))

    @property
    def seed(self) -> int | None:
        return None

    @property
    def digest(self) -> str:
        parts = (self.url, *self.also, self.body.decode())
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    @property
    def messages(self) -> tuple[OutgoingMessage, ...]:
        what = f"{self.dimensions} numbers made of this text, from which it may be guessed"
        return (OutgoingMessage("vector", f"{what}: {self.text}"),)
