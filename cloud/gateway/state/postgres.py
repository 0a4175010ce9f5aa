"""The state in a PostgreSQL database: what gateways on several machines share.

Needs psycopg (`pip install 'skerry[postgres]'`). A connection that was lost is made again.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from skerry.cloud.gateway.errors import StateError
from skerry.cloud.gateway.state.sql import SqlState, missing

try:
    import psycopg
except ImportError as error:
    raise StateError(
        "a state in PostgreSQL needs psycopg, which is not installed",
        hint="pip install 'skerry[postgres]'",
    ) from error

_CONNECT_S = 5
_LOCK = 0x536B6572727931
"""Of one gateway at a time that makes the tables."""


class PostgresState(SqlState):
    """See `skerry.cloud.gateway.state.base.State`.

    Raises:
        StateError: the database cannot be reached or used.
    """

    def __init__(self, url: str) -> None:
        self._url, self._lock = url, threading.Lock()
        self._link: Any = None
        self._closed = False
        with self._faults(), self._lock:
            self._migrate(self._connected())

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._drop()

    def _do(self, *statements: tuple[str, Sequence[Any]]) -> list[tuple[Any, ...]]:
        with self._faults(), self._lock:
            link = self._connected()
            with link.transaction(), link.cursor() as cursor:
                for sql, values in statements:
                    cursor.execute(sql.replace("?", "%s"), tuple(values))
                return cursor.fetchall() if cursor.description else []

    def _connected(self) -> Any:
        if self._closed:
            raise psycopg.OperationalError("it was closed")
        if self._link is None or self._link.closed:
            self._link = psycopg.connect(
                self._url, autocommit=True, connect_timeout=_CONNECT_S, application_name="skerry"
            )
        return self._link

    def _drop(self) -> None:
        if self._link is not None:
            with suppress(psycopg.Error):
                self._link.close()

    def _migrate(self, link: Any) -> None:
        with link.transaction(), link.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
            cursor.execute("CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY)")
            cursor.execute("SELECT name FROM migrations")
            for name, sql in missing(name for (name,) in cursor.fetchall()):
                cursor.execute(sql)
                cursor.execute("INSERT INTO migrations VALUES (%s)", (name,))

    @contextmanager
    def _faults(self) -> Iterator[None]:
        """The URL has a password: it is not told."""
        try:
            yield
        except psycopg.Error as error:
            first = str(error).strip().partition("\n")[0]
            raise StateError(
                f"the state in PostgreSQL cannot be used: {first}",
                hint="check the URL under `state`, and that the database runs",
            ) from error
