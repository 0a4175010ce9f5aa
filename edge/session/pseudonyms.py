"""Where the surrogates of a request are kept: with its conversation, or nowhere.

They never leave the device, and are deleted with the conversation.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from skerry.guardrails.pseudonyms import Pseudonyms

if TYPE_CHECKING:
    from skerry.edge.session.store import SessionStore

CREATE = """
    CREATE TABLE session_pseudonyms (
        session_id TEXT NOT NULL PRIMARY KEY REFERENCES session_heads (id) ON DELETE CASCADE,
        mapping BLOB NOT NULL
    )
"""
GET = "SELECT mapping FROM session_pseudonyms WHERE session_id = ?"
PUT = "INSERT OR REPLACE INTO session_pseudonyms VALUES (?, ?)"


class Keeper(Protocol):
    def load(self) -> Pseudonyms:
        """The surrogates so far."""
        ...

    def keep(self, pseudonyms: Pseudonyms) -> None:
        """Keeps them, before anything leaves."""
        ...


class ForRequest:
    """Surrogates of one request without a conversation: in memory, and gone with it."""

    def load(self) -> Pseudonyms:
        return Pseudonyms()

    def keep(self, pseudonyms: Pseudonyms) -> None:
        pass


@dataclass(frozen=True, slots=True)
class ForSession:
    """Surrogates of a conversation: the same value has the same in every turn.

    Both raise SessionNotFound for a conversation that is gone, and StateError.
    """

    store: SessionStore
    session: str

    def load(self) -> Pseudonyms:
        packed = self.store.mapping(self.session)
        return Pseudonyms() if packed is None else Pseudonyms.load(json.loads(packed))

    def keep(self, pseudonyms: Pseudonyms) -> None:
        packed = json.dumps(pseudonyms.dump()).encode()
        self.store.keep_mapping(self.session, packed)
