"""Who an operator is, by the key that a request shows, and what is noted of what they did."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastapi import Request

from skerry.sync.server.errors import Refusal
from skerry.sync.server.roles import Key, Right, Role, digest
from skerry.sync.server.state import Fleet
from skerry.sync.server.state.records import Deed


@dataclass(frozen=True, slots=True)
class Operator:
    """Whoever asks, and for which tenant: nothing of another is there for them."""

    tenant: str
    person: str
    role: Role
    key_id: str
    fleet: Fleet

    def did(self, action: str, subject: str, **detail: object) -> None:
        """Notes it in the audit log of the tenant."""
        detail = {**detail, "key": self.key_id}
        self.fleet.people.note(Deed(time.time(), self.tenant, self.person, action, subject, detail))


def needs(fleet: Fleet, right: Right) -> Callable[[Request], Operator]:
    """A dependency of a route: the operator, where their role has the right.

    It raises Refusal, 401 or 403. The key is looked up each time: one that was revoked is no good
    at once, in every process.
    """

    def operator(request: Request) -> Operator:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not given.strip():
            what = "there is no key; send it as 'Authorization: Bearer KEY'"
            raise Refusal(401, "missing_key", what)
        key = fleet.people.key_of(digest(given.strip()))
        if key is None:
            raise Refusal(401, "invalid_key", "this key is not good, or not any more")
        if not key.role.may(right):
            what = f"this needs the right to {right}, which a key of the role '{key.role}' has not"
            raise Refusal(403, "wrong_role", what)
        return Operator(key.tenant, key.person, key.role, key.id, fleet)

    return operator


def shown(key: Key) -> dict[str, Any]:
    """Without its digest."""
    return {
        "id": key.id, "tenant": key.tenant, "person": key.person, "role": key.role,
        "made_at": key.made_at, "revoked_at": key.revoked_at,
    }  # fmt: skip
