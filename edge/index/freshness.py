"""What each fluid source promised: how fresh its records are, and how fast they lose weight."""

from __future__ import annotations

import math

from skerry.edge.errors import InputError
from skerry.edge.index.database import Database
from skerry.edge.index.governance import freshness_alert
from skerry.edge.index.store import change
from skerry.edge.index.types import SourceFreshness


def heard_from(database: Database, source: str, at: float) -> None:
    """Notes that a record of the source is from the time `at`."""
    with database.writing() as connection:
        connection.execute(
            """
            INSERT INTO sources (source, last_at) VALUES (?, ?)
            ON CONFLICT DO UPDATE
            SET last_at = max(coalesce(last_at, excluded.last_at), excluded.last_at)
            """,
            (source, at),
        )


def set_sla(database: Database, source: str, seconds: float | None) -> None:
    """Sets how old the newest record of a source may be; None takes the promise back."""
    _check_seconds(seconds)
    with database.writing() as connection:
        connection.execute(
            """
            INSERT INTO sources (source, sla_seconds) VALUES (?, ?)
            ON CONFLICT DO UPDATE SET sla_seconds = excluded.sla_seconds
            """,
            (source, seconds),
        )


def set_half_life(database: Database, source: str, seconds: float | None) -> None:
    """Sets the age at which a record of a source counts half; None goes back to the default."""
    _check_seconds(seconds)
    with change(database) as transaction:
        transaction.connection.execute(
            """
            INSERT INTO sources (source, half_life_seconds) VALUES (?, ?)
            ON CONFLICT DO UPDATE SET half_life_seconds = excluded.half_life_seconds
            """,
            (source, seconds),
        )


def freshness(database: Database, now: float) -> list[SourceFreshness]:
    """Every source that sent a record or promised one, by name."""
    sql = "SELECT source, last_at, sla_seconds FROM sources ORDER BY source"
    with database.reading() as connection:
        return [_freshness(now, *row) for row in connection.execute(sql)]


def _freshness(
    now: float, source: str, last_at: float | None, sla_seconds: float | None
) -> SourceFreshness:
    age = None if last_at is None else max(0.0, now - last_at)
    alert = freshness_alert(source, age, sla_seconds)
    return SourceFreshness(source, last_at, age, sla_seconds, alert)


def _check_seconds(seconds: float | None) -> None:
    if seconds is not None and not (math.isfinite(seconds) and seconds > 0):
        raise InputError(f"{seconds} is not a time", hint="Give seconds above 0.")
