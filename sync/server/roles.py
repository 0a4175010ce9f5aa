"""What operators may do, by role; and their keys."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from enum import StrEnum

PREFIX = "skf-"
_BYTES = 32
_LONGEST = 512


class Right(StrEnum):
    SEE = "see"
    OPERATE = "operate"
    APPROVE = "approve"
    HALT = "halt"
    ADMINISTER = "administer"


class Role(StrEnum):
    """`VIEWER` sees; `OPERATOR` also enrols devices, and plans and runs rollouts; `APPROVER` sees,
    agrees to rollouts of others or denies them, and halts; `ADMIN` may do all of it, and makes
    keys. Nobody approves a rollout of their own."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    APPROVER = "approver"
    ADMIN = "admin"

    def may(self, right: Right) -> bool:
        return right in _RIGHTS[self]


_RIGHTS = {
    Role.VIEWER: {Right.SEE},
    Role.OPERATOR: {Right.SEE, Right.OPERATE, Right.HALT},
    Role.APPROVER: {Right.SEE, Right.APPROVE, Right.HALT},
    Role.ADMIN: set(Right),
}


@dataclass(frozen=True, slots=True)
class Key:
    """An operator's key: its SHA-256 in hex, never the key. `person` is whose it is: two keys of
    one person are one approver."""

    id: str
    tenant: str
    person: str
    role: Role
    digest: str
    made_at: float
    revoked_at: float | None = None


def made(tenant: str, person: str, role: Role, now: float) -> tuple[str, Key]:
    """A new key of 256 random bits, and what is kept of it."""
    key = PREFIX + secrets.token_urlsafe(_BYTES)
    return key, Key(secrets.token_hex(4), tenant, person, role, digest(key), now)


def digest(secret: str) -> str:
    """SHA-256, in hex: nobody can try all secrets of 256 bits, so no salt is needed."""
    return hashlib.sha256(secret[:_LONGEST].encode(errors="surrogatepass")).hexdigest()
