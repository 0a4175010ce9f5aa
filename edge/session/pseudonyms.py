"""Where the surrogates of a request are kept: with its conversation, or nowhere.

They never leave the device, and are deleted with the conversation.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
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
_PROCESS_KEY = secrets.token_bytes(32)
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
    """Surrogates of one request without a conversation: in memory, and gone with it.

    Args:
        said: the texts of the request. The same request has the same surrogates for as long as the
            process runs, so that what was approved is what is sent; another one has others.
    """

    def __init__(self, said: Sequence[str] = ()) -> None:
        self._key = _key_of(said) if said else None

    def load(self) -> Pseudonyms:
        return Pseudonyms(self._key)

    def keep(self, pseudonyms: Pseudonyms) -> None:
        pass


def _key_of(said: Sequence[str]) -> bytes:
    packed = json.dumps(said).encode("ascii")
    return blake2b(packed, digest_size=32, key=_PROCESS_KEY).digest()


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
