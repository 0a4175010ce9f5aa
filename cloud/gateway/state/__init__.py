"""What outlives a gateway, or is shared by several: keys, usage, drained replicas,
collections."""

from __future__ import annotations

from pathlib import Path

from skerry.cloud.gateway.state.base import State
from skerry.cloud.gateway.state.sqlite import SqliteState

__all__ = ["State", "opened"]

_POSTGRES = ("postgresql://", "postgres://")


def opened(place: str, folder: Path) -> State:
    """The state at `place`: a `postgresql://` URL, or a file, of `folder` where it is relative.

    Raises:
        StateError: it cannot be opened.
    """
    if place.startswith(_POSTGRES):
        from skerry.cloud.gateway.state.postgres import PostgresState

        return PostgresState(place)
    return SqliteState(folder / Path(place).expanduser())
