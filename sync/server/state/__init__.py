"""What outlives a server, or is shared by several: keys, tokens, devices, rollouts, deeds."""

from __future__ import annotations

from pathlib import Path

from skerry.sync.server.state.fleet import Fleet
from skerry.sync.server.state.sql import Database
from skerry.sync.server.state.sqlite import SqliteDatabase

__all__ = ["Fleet", "opened"]

_POSTGRES = ("postgresql://", "postgres://")


def opened(place: str) -> Fleet:
    """The state at `place`: a `postgresql://` URL, or a file.

    Raises:
        FleetStateError: it cannot be opened.
    """
    return Fleet(_database(place))


def _database(place: str) -> Database:
    if place.startswith(_POSTGRES):
        from skerry.sync.server.state.postgres import PostgresDatabase

        return PostgresDatabase(place)
    return SqliteDatabase(Path(place).expanduser())
