"""The SQL that SQLite and PostgreSQL share; `?` stands for a value in both."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

MIGRATIONS: dict[str, str] = {
    "0001-keys": "CREATE TABLE operator_keys (id TEXT PRIMARY KEY, tenant TEXT NOT NULL,"
    " person TEXT NOT NULL, role TEXT NOT NULL, digest TEXT NOT NULL UNIQUE,"
    " made_at DOUBLE PRECISION NOT NULL, revoked_at DOUBLE PRECISION)",
    "0002-tokens": "CREATE TABLE tokens (id TEXT PRIMARY KEY, tenant TEXT NOT NULL,"
    " digest TEXT NOT NULL UNIQUE, channel TEXT NOT NULL, fleet_group TEXT NOT NULL,"
    " tags TEXT NOT NULL, made_by TEXT NOT NULL, made_at DOUBLE PRECISION NOT NULL,"
    " expires_at DOUBLE PRECISION NOT NULL, used_at DOUBLE PRECISION, device TEXT)",
    "0003-devices": "CREATE TABLE devices (id TEXT PRIMARY KEY, tenant TEXT NOT NULL,"
    " name TEXT NOT NULL, public_key TEXT NOT NULL, profile TEXT NOT NULL, channel TEXT NOT NULL,"
    " fleet_group TEXT NOT NULL, tags TEXT NOT NULL, enrolled_at DOUBLE PRECISION NOT NULL,"
    " revoked_at DOUBLE PRECISION, seen_at DOUBLE PRECISION, signed_at BIGINT NOT NULL,"
    " digest TEXT NOT NULL, version TEXT NOT NULL, free_bytes BIGINT NOT NULL,"
    " signals TEXT NOT NULL, signals_digest TEXT NOT NULL, changed_at DOUBLE PRECISION NOT NULL,"
    " UNIQUE (tenant, name))",
    "0004-devices-by-channel": "CREATE INDEX devices_by_channel ON devices (tenant, channel, id)",
    "0005-devices-changed": "CREATE INDEX devices_changed ON devices (changed_at)",
    "0006-rollouts": "CREATE TABLE rollouts (id TEXT PRIMARY KEY, tenant TEXT NOT NULL,"
    " channel TEXT NOT NULL, made_at DOUBLE PRECISION NOT NULL, revision BIGINT NOT NULL,"
    " state TEXT NOT NULL, started INTEGER NOT NULL, document TEXT NOT NULL)",
    "0007-targets": "CREATE TABLE targets (rollout TEXT NOT NULL, device TEXT NOT NULL,"
    " state TEXT NOT NULL, stage INTEGER NOT NULL, attempt INTEGER NOT NULL,"
    " offered_at DOUBLE PRECISION NOT NULL, settled_at DOUBLE PRECISION, what TEXT NOT NULL,"
    " PRIMARY KEY (rollout, device))",
    "0008-happenings": "CREATE TABLE happenings (id TEXT PRIMARY KEY, rollout TEXT NOT NULL,"
    " document TEXT NOT NULL)",
    "0009-happenings-by-rollout": "CREATE INDEX happenings_by_rollout ON happenings (rollout)",
    "0010-deeds": "CREATE TABLE deeds (id TEXT PRIMARY KEY, at DOUBLE PRECISION NOT NULL,"
    " tenant TEXT NOT NULL, who TEXT NOT NULL, action TEXT NOT NULL, subject TEXT NOT NULL,"
    " detail TEXT NOT NULL)",
    "0011-deeds-by-time": "CREATE INDEX deeds_by_time ON deeds (tenant, at)",
    "0012-ddi-tokens": "CREATE TABLE ddi_tokens (digest TEXT PRIMARY KEY, tenant TEXT NOT NULL,"
    " device TEXT NOT NULL, channel TEXT NOT NULL, fleet_group TEXT NOT NULL,"
    " made_at DOUBLE PRECISION NOT NULL)",
    "0013-ddi-artifacts": "CREATE TABLE ddi_artifacts (id TEXT PRIMARY KEY, hashes TEXT NOT NULL,"
    " signed TEXT NOT NULL, target TEXT NOT NULL, version TEXT NOT NULL, digest TEXT NOT NULL,"
    " made_at DOUBLE PRECISION NOT NULL)",
}
"""Append only: each is applied once, in this order."""

Rows = list[tuple[Any, ...]]


class Execute(Protocol):
    """Runs statements within one transaction."""

    def __call__(self, sql: str, values: Sequence[Any] = ()) -> Rows: ...

    def many(self, sql: str, rows: Sequence[Sequence[Any]]) -> list[Rows]:
        """The rows of each, of a statement that returns some."""
        ...


class Database(ABC):
    """One connection; its callers take turns."""

    @abstractmethod
    def transaction(self) -> AbstractContextManager[Execute]:
        """All or nothing.

        Raises:
            FleetStateError: the database cannot be used.
        """

    @abstractmethod
    def close(self) -> None:
        """May be called twice."""

    def do(self, sql: str, values: Sequence[Any] = ()) -> Rows:
        with self.transaction() as execute:
            return execute(sql, values)


def missing(applied: Iterable[str]) -> list[tuple[str, str]]:
    """Migrations that were not applied yet: name and statement."""
    done = set(applied)
    return [(name, sql) for name, sql in MIGRATIONS.items() if name not in done]
