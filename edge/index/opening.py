"""Opens the file of an index for one encoder, and holds what belongs to that file alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from skerry.edge.encoder.base import TextEncoder
from skerry.edge.index import verify
from skerry.edge.index.collection import CollectionCache
from skerry.edge.index.database import Database
from skerry.edge.index.intake import Intake
from skerry.edge.index.schema import check_encoder, fact, migrate, set_fact


@dataclass(frozen=True, slots=True)
class Opened:
    """One file, and what is held of it in memory."""

    database: Database
    cache: CollectionCache
    intake: Intake

    def in_place(self) -> bool:
        return self.database.in_place()

    def close(self) -> None:
        self.database.close()


def open_database(
    path: Path, encoder: TextEncoder, timeout_ms: int, *, read_only: bool, make: bool
) -> Database:
    """The file at `path`, up to date and with the vectors of `encoder`.

    Raises:
        EmbedderMismatch: its vectors are another encoder's.
        IndexFault: see `Database`.
    """
    database = Database(
        path,
        read_only=read_only,
        busy_timeout_ms=timeout_ms,
        make=make,
        problems=verify.problems,
    )
    try:
        migrate(database)
        _pin(database, encoder)
    except BaseException:  # after Ctrl-C as well, no open file is left behind
        database.close()
        raise
    return database


def _pin(database: Database, encoder: TextEncoder) -> None:
    """Checks that the file's vectors are the encoder's; a new file remembers the encoder."""
    with database.reading() as connection:
        check_encoder(connection, encoder.id)
        if fact(connection, "encoder_id") is not None or database.read_only:
            return
    with database.writing() as connection:
        check_encoder(connection, encoder.id)
        set_fact(connection, "encoder_id", encoder.id)
        set_fact(connection, "dimensions", encoder.dimensions)
