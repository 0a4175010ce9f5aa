"""The state in a PostgreSQL database: what servers on several machines share.

Needs psycopg (`pip install 'skerry[fleet]'`). A connection that was lost is made again.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from skerry.sync.server.errors import FleetStateError
from skerry.sync.server.state.sql import Database, Rows, missing

try:
    import psycopg
except ImportError as error:
    raise FleetStateError(
        "a state in PostgreSQL needs psycopg, which is not installed",
        hint="pip install 'skerry[fleet]'",
    ) from error

_CONNECT_S = 5
_LOCK = 0x536B6572727932
"""Of one server at a time that makes the tables."""


class _Execute:
    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor

    def __call__(self, sql: str, values: Sequence[Any] = ()) -> Rows:
        self._cursor.execute(sql.replace("?", "%s"), tuple(values))
        return self._cursor.fetchall() if self._cursor.description else []

    def many(self, sql: str, rows: Sequence[Sequence[Any]]) -> list[Rows]:
        """In one round trip (pipeline mode)."""
        if not rows:
            return []
        returning = "RETURNING" in sql or sql.startswith("SELECT")
        self._cursor.executemany(sql.replace("?", "%s"), rows, returning=returning)
        if not returning:
            return [[] for _ in rows]
        found = [self._cursor.fetchall()]
        while self._cursor.nextset():
            found.append(self._cursor.fetchall())
        return found


class PostgresDatabase(Database):
    """Raises FleetStateError: the database cannot be reached or used."""

    def __init__(self, url: str) -> None:
        self._url, self._lock = url, threading.Lock()
        self._link: Any = None
        self._closed = False
        with self.transaction() as execute:
            execute("SELECT pg_advisory_xact_lock(?)", (_LOCK,))
            execute("CREATE TABLE IF NOT EXISTS fleet_migrations (name TEXT PRIMARY KEY)")
            applied = [name for (name,) in execute("SELECT name FROM fleet_migrations")]
            for name, sql in missing(applied):
                execute(sql)
                execute("INSERT INTO fleet_migrations VALUES (?)", (name,))

    @contextmanager
    def transaction(self) -> Iterator[_Execute]:
        with self._faults(), self._lock:
            link = self._connected()
            with link.transaction(), link.cursor() as cursor:
                yield _Execute(cursor)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            if self._link is not None:
                with suppress(psycopg.Error):
                    self._link.close()

    def _connected(self) -> Any:
        if self._closed:
            raise psycopg.OperationalError("it was closed")
        if self._link is None or self._link.closed:
            self._link = psycopg.connect(
                self._url, autocommit=True, connect_timeout=_CONNECT_S, application_name="skerry"
            )
        return self._link

    @contextmanager
    def _faults(self) -> Iterator[None]:
        """The URL has a password: it is not told."""
        try:
            yield
        except psycopg.Error as error:
            first = str(error).strip().partition("\n")[0]
            raise FleetStateError(
                f"the state in PostgreSQL cannot be used: {first}",
                hint="check the URL of --state, and that the database runs",
            ) from error
