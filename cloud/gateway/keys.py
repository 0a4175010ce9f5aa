"""API keys: how one is made, what is kept of it, and whose it is."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from skerry.cloud.gateway.config import Gateway, Role, Tenant
from skerry.cloud.gateway.errors import Refusal
from skerry.cloud.gateway.state.base import Key

PREFIX = "sk-skerry-"
_BYTES = 32
_LONGEST = 512


@dataclass(frozen=True, slots=True)
class Holder:
    """Who asks: the key by its id, its tenant and role."""

    key_id: str
    tenant: str
    role: Role
    rules: Tenant


def made(tenant: str, role: Role) -> tuple[str, Key]:
    """A new key of 256 random bits, and what is kept of it.

    A digest without salt is enough: nobody can try all keys of 256 bits.
    """
    key = PREFIX + secrets.token_urlsafe(_BYTES)
    return key, Key(secrets.token_hex(4), tenant, role, digest(key), time.time())


def digest(key: str) -> str:
    """SHA-256, in hex."""
    return hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()


class KeyRing:
    """The keys that are good now."""

    def __init__(self, config: Gateway, kept: Iterable[Key] = ()) -> None:
        """Of the file and of `kept`; those of tenants that the file has no more are no good."""
        self._holders: dict[str, tuple[str, Holder]] = {}
        for tenant, rules in config.tenants.items():
            for i, own in enumerate(rules.keys, 1):
                self._add(own.digest, Holder(f"{tenant}-{i}", tenant, own.role, rules))
        for key in kept:
            if key.revoked_at is None and key.tenant in config.tenants:
                rules = config.tenants[key.tenant]
                self._add(key.digest, Holder(key.id, key.tenant, key.role, rules))
        self.ids = frozenset(holder.key_id for _, holder in self._holders.values())

    def _add(self, key_digest: str, holder: Holder) -> None:
        self._holders[key_digest[:16]] = (key_digest, holder)

    def holder(self, headers: Mapping[str, str]) -> Holder:
        """Whose key `Authorization: Bearer` shows. Compared by digest, in constant time.

        Raises:
            Refusal: 401: there is none, or none that is good.
        """
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not given.strip():
            what = "there is no API key; send it as 'Authorization: Bearer KEY'"
            raise Refusal(401, "missing_api_key", what)
        shown = digest(given.strip()[:_LONGEST])
        kept, holder = self._holders.get(shown[:16], ("", None))
        if not hmac.compare_digest(shown, kept) or holder is None:
            raise Refusal(401, "invalid_api_key", "this API key is not good, or not any more")
        return holder


def check_role(holder: Holder, least: Role) -> None:
    """Raises Refusal: 403: the key's role does not cover `least`."""
    if not holder.role.covers(least):
        what = f"this needs a key of the role '{least}', and this one is of '{holder.role}'"
        raise Refusal(403, "wrong_role", what)
