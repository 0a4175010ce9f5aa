"""The Protocol behind which keys, usage, drained replicas and collections are kept.

`tests/cloud/gateway/state_conformance.py` is the suite that every one passes. Nothing of what was
asked or answered is kept, only counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Protocol

from skerry.cloud.collections.store import CollectionStore
from skerry.cloud.gateway.config import Role


@dataclass(frozen=True, slots=True)
class Key:
    """A tenant's API key: its SHA-256 in hex, never the key. Times are seconds since 1970."""

    id: str
    tenant: str
    role: Role
    digest: str
    made_at: float
    revoked_at: float | None = None


@dataclass(frozen=True, slots=True)
class Use:
    """What was used, of one day (UTC, `2026-11-28`), tenant, request class and model.

    `estimated` of the tokens were counted by the gateway, where the upstream told no number.
    `cost` is in the unit of the prices of the file.
    """

    day: str
    tenant: str
    request_class: str
    model: str
    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    estimated: int = 0
    drafted: int = 0
    accepted: int = 0
    cost: float = 0.0

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens


COUNTS = tuple(field.name for field in fields(Use))[4:]
"""Those of a `Use` that add up."""


class State(Protocol):
    """Blocks; called from a thread, one call at a time. Every method raises StateError."""

    @property
    def collections(self) -> CollectionStore:
        """What devices search by a vector."""
        ...

    def keys(self) -> list[Key]:
        """Every key, also revoked ones, the oldest first."""
        ...

    def add_key(self, key: Key) -> None: ...

    def revoke_key(self, key_id: str, at: float) -> bool:
        """Whether there is such a key that was not revoked before."""
        ...

    def add_usage(self, uses: Sequence[Use]) -> None:
        """Adds to what is there of the same day, tenant, class and model; all or nothing."""
        ...

    def usage(self, since: str, *, tenant: str | None = None) -> list[Use]:
        """From the day `since` on, in the order of day, tenant, class and model."""
        ...

    def spent(self, day: str) -> dict[str, int]:
        """Tokens of both kinds that each tenant used on a day."""
        ...

    def drained(self) -> set[tuple[str, str]]:
        """Models and their replicas that take no new requests."""
        ...

    def drain(self, model: str, replica: str, *, on: bool) -> None: ...

    def beat(self, gateway: str, now: float, *, within_s: float) -> int:
        """Says that a gateway is alive at `now`; how many were in the last `within_s`, it too."""
        ...

    def close(self) -> None:
        """May be called twice."""
        ...
