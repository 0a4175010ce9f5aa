"""The SQL that SQLite and PostgreSQL share; `?` stands for a value in both."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import astuple, fields
from typing import Any

from skerry.cloud.collections import store
from skerry.cloud.collections.store import SqlCollections
from skerry.cloud.gateway.config import Role
from skerry.cloud.gateway.state.base import COUNTS, Key, Use

MIGRATIONS: dict[str, str] = {
    "0001-keys": "CREATE TABLE keys (id TEXT PRIMARY KEY, tenant TEXT NOT NULL, role TEXT NOT NULL,"
    " digest TEXT NOT NULL UNIQUE, made_at DOUBLE PRECISION NOT NULL, revoked_at DOUBLE PRECISION)",
    "0002-usage": "CREATE TABLE usage (day TEXT NOT NULL, tenant TEXT NOT NULL,"
    " request_class TEXT NOT NULL, model TEXT NOT NULL, requests BIGINT NOT NULL,"
    " prompt_tokens BIGINT NOT NULL, completion_tokens BIGINT NOT NULL, estimated BIGINT NOT NULL,"
    " drafted BIGINT NOT NULL, accepted BIGINT NOT NULL, cost DOUBLE PRECISION NOT NULL,"
    " PRIMARY KEY (day, tenant, request_class, model))",
    "0003-drained": "CREATE TABLE drained (model TEXT NOT NULL, replica TEXT NOT NULL,"
    " PRIMARY KEY (model, replica))",
    "0004-gateways": "CREATE TABLE gateways (id TEXT PRIMARY KEY,"
    " seen_at DOUBLE PRECISION NOT NULL)",
    **store.MIGRATIONS,
}
"""Append only: each is applied once, in this order."""

_USE = [field.name for field in fields(Use)]
_ADD = (
    f"INSERT INTO usage ({', '.join(_USE)}) VALUES ({', '.join('?' * len(_USE))})"
    " ON CONFLICT (day, tenant, request_class, model) DO UPDATE SET "
    + ", ".join(f"{name} = usage.{name} + excluded.{name}" for name in COUNTS)
)

_GONE = "DELETE FROM gateways WHERE seen_at < ? OR seen_at > ?"
"""Also those of a clock that was set back meanwhile."""


class SqlState(ABC):
    """See `skerry.cloud.gateway.state.base.State`."""

    @abstractmethod
    def _do(self, *statements: tuple[str, Sequence[Any]]) -> list[tuple[Any, ...]]:
        """Runs statements in one transaction; the rows of the last one, or how many it changed.

        Raises:
            StateError: the database cannot be used.
        """

    @abstractmethod
    def close(self) -> None: ...

    @property
    def collections(self) -> SqlCollections:
        return SqlCollections(self._do)

    def keys(self) -> list[Key]:
        rows = self._do(
            ("SELECT id, tenant, role, digest, made_at, revoked_at FROM keys ORDER BY made_at", ())
        )
        return [Key(one, tenant, Role(role), *rest) for one, tenant, role, *rest in rows]

    def add_key(self, key: Key) -> None:
        places = ", ".join("?" * len(fields(Key)))
        self._do((f"INSERT INTO keys VALUES ({places})", astuple(key)))

    def revoke_key(self, key_id: str, at: float) -> bool:
        sql = "UPDATE keys SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL RETURNING id"
        return bool(self._do((sql, (at, key_id))))

    def add_usage(self, uses: Sequence[Use]) -> None:
        self._do(*((_ADD, astuple(use)) for use in uses))

    def usage(self, since: str, *, tenant: str | None = None) -> list[Use]:
        sql = f"SELECT {', '.join(_USE)} FROM usage WHERE day >= ?"
        sql += " AND tenant = ?" if tenant is not None else ""
        values = (since,) if tenant is None else (since, tenant)
        rows = self._do((f"{sql} ORDER BY day, tenant, request_class, model", values))
        return [Use(*row) for row in rows]

    def spent(self, day: str) -> dict[str, int]:
        sql = "SELECT tenant, SUM(prompt_tokens + completion_tokens) FROM usage WHERE day = ?"
        return {tenant: int(sum_) for tenant, sum_ in self._do((f"{sql} GROUP BY tenant", (day,)))}

    def drained(self) -> set[tuple[str, str]]:
        return {(model, replica) for model, replica in self._do(("SELECT * FROM drained", ()))}

    def drain(self, model: str, replica: str, *, on: bool) -> None:
        off = ("DELETE FROM drained WHERE model = ? AND replica = ?", (model, replica))
        self._do(off, *([("INSERT INTO drained VALUES (?, ?)", (model, replica))] if on else []))

    def beat(self, gateway: str, now: float, *, within_s: float) -> int:
        sql = "INSERT INTO gateways VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET seen_at = ?"
        rows = self._do(
            (_GONE, (now - within_s, now + within_s)),
            (sql, (gateway, now, now)),
            ("SELECT COUNT(*) FROM gateways", ()),
        )
        return int(rows[0][0])


def missing(applied: Iterable[str]) -> list[tuple[str, str]]:
    """Migrations that were not applied yet: name and statement."""
    done = set(applied)
    return [(name, sql) for name, sql in MIGRATIONS.items() if name not in done]
