"""Operators' keys, and what operators did."""

from __future__ import annotations

import json
import secrets
from dataclasses import astuple

from skerry.sync.server.roles import Key, Role
from skerry.sync.server.state.records import Deed
from skerry.sync.server.state.sql import Database


class People:
    def __init__(self, database: Database) -> None:
        self._database = database

    def add_key(self, key: Key) -> None:
        self._database.do("INSERT INTO operator_keys VALUES (?, ?, ?, ?, ?, ?, ?)", astuple(key))

    def key_of(self, digest: str) -> Key | None:
        """The key with that digest, where it is good."""
        found = self._keys("digest = ? AND revoked_at IS NULL", digest)
        return found[0] if found else None

    def keys(self, tenant: str | None = None) -> list[Key]:
        """Of a tenant, or all; also revoked ones, the oldest first."""
        return self._keys("tenant = ?", tenant) if tenant is not None else self._keys("1 = 1")

    def revoke_key(self, key_id: str, at: float, *, tenant: str | None = None) -> bool:
        """Whether there is such a key that was not revoked before."""
        sql = "UPDATE operator_keys SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL"
        sql, values = (sql, [at, key_id]) if tenant is None else (
            f"{sql} AND tenant = ?", [at, key_id, tenant]
        )  # fmt: skip
        return bool(self._database.do(f"{sql} RETURNING id", values))

    def note(self, deed: Deed) -> None:
        values = (deed.at, deed.tenant, deed.who, deed.action, deed.subject)
        self._database.do(
            "INSERT INTO deeds VALUES (?, ?, ?, ?, ?, ?, ?)",
            (secrets.token_hex(8), *values, json.dumps(dict(deed.detail))),
        )

    def deeds(
        self, tenant: str, *, subject: str = "", before: float | None = None, most: int = 100
    ) -> list[Deed]:
        """The newest first."""
        sql = "tenant = ?"
        values: list[str | float] = [tenant]
        if subject:
            sql, values = f"{sql} AND subject = ?", [*values, subject]
        if before is not None:
            sql, values = f"{sql} AND at < ?", [*values, before]
        rows = self._database.do(
            "SELECT at, tenant, who, action, subject, detail FROM deeds"
            f" WHERE {sql} ORDER BY at DESC LIMIT ?",
            [*values, most],
        )
        return [
            Deed(at, by, who, action, about, json.loads(detail))
            for at, by, who, action, about, detail in rows
        ]

    def _keys(self, where: str, *values: str) -> list[Key]:
        rows = self._database.do(
            "SELECT id, tenant, person, role, digest, made_at, revoked_at FROM operator_keys"
            f" WHERE {where} ORDER BY made_at, id",
            values,
        )
        return [
            Key(key, tenant, person, Role(role), digest, made_at, revoked_at)
            for key, tenant, person, role, digest, made_at, revoked_at in rows
        ]
