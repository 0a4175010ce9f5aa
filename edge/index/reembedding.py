"""Moves an index to another encoder while the old vectors go on serving.

The new vectors are written beside the old, batch by batch, and take their place in one
transaction at the end. What is stopped half-way goes on from there.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

from skerry.edge.encoder.base import TextEncoder
from skerry.edge.index.database import Database
from skerry.edge.index.drafts import searchable
from skerry.edge.index.rescreening import rescreen
from skerry.edge.index.schema import fact, migrate, set_fact
from skerry.edge.index.screened import Screener
from skerry.edge.index.store import change
from skerry.edge.index.types import Progress
from skerry.edge.index.vectors import quantise
from skerry.edge.index.verify import problems
from skerry.edge.private import secret
from skerry.guardrails.networks import INSTALLED, Networks

_BATCH = 64  # chunks in one transaction

_MISSING = """
    SELECT c.id, d.title, c.heading, c.text FROM chunks c JOIN documents d ON d.id = c.document_id
    WHERE c.id NOT IN (SELECT chunk_id FROM next_vectors) ORDER BY c.id LIMIT ?
"""


def reembed(
    path: Path,
    encoder: TextEncoder,
    progress: Callable[[Progress], None] | None = None,
    *,
    busy_timeout_ms: int = 5_000,
    screening_key: Path | None = None,
    networks: Networks = INSTALLED,
) -> int:
    """Makes the index at `path` one of `encoder`'s; says how many chunks were encoded now.

    Other processes go on searching with the old encoder until the end, and then get
    EmbedderMismatch. Documents that they add meanwhile are taken along.

    Args:
        screening_key: as for `Index.open`; what is found in the chunks is then found anew, too,
            by `networks`.

    Raises:
        IndexFault: see `Index.open`.
    """
    database = Database(path, read_only=False, busy_timeout_ms=busy_timeout_ms, problems=problems)
    try:
        migrate(database)
        encoded = reembed_database(database, encoder, progress)
        key = screening_key and secret(screening_key, make=True)
        if screener := Screener.of(encoder, key or None, networks):
            rescreen(database, screener, progress)
        return encoded
    finally:
        database.close()


def reembed_database(
    database: Database, encoder: TextEncoder, progress: Callable[[Progress], None] | None
) -> int:
    """As `reembed`, for a file that is open."""
    if not _begin(database, encoder):
        return 0
    encoded = 0
    while not _finish(database, encoder):
        with database.reading() as connection:
            batch = connection.execute(_MISSING, (_BATCH,)).fetchall()
            (total,) = connection.execute("SELECT count(*) FROM chunks").fetchone()
            (done,) = connection.execute("SELECT count(*) FROM next_vectors").fetchone()
        encoded += _encode(database, encoder, batch)
        if progress is not None:
            progress(Progress(str(database.path), done + len(batch), total, encoded))
    return encoded


def _begin(database: Database, encoder: TextEncoder) -> bool:
    """Whether there is anything to do. What was begun for a third encoder is dropped."""
    with database.writing() as connection:
        if fact(connection, "encoder_id") == encoder.id:
            return False
        if fact(connection, "next_encoder_id") != encoder.id:
            connection.execute("DELETE FROM next_vectors")
            set_fact(connection, "next_encoder_id", encoder.id)
    return True


def _encode(
    database: Database, encoder: TextEncoder, batch: list[tuple[int, str, str, str]]
) -> int:
    texts = [searchable(title, json.loads(heading), text) for _, title, heading, text in batch]
    vectors = quantise(encoder.encode(texts))
    with database.writing() as connection:
        # A chunk may have been removed, or encoded by a second migration, meanwhile.
        connection.executemany(
            "INSERT OR IGNORE INTO next_vectors SELECT id, ? FROM chunks WHERE id = ?",
            [(vector, row[0]) for row, vector in zip(batch, vectors, strict=True)],
        )
    return len(batch)


def _finish(database: Database, encoder: TextEncoder) -> bool:
    """Puts the new vectors in the place of the old, if none is missing."""
    with database.reading() as connection:
        if connection.execute(_MISSING, (1,)).fetchone():
            return False
    with change(database) as transaction:
        connection = transaction.connection
        if connection.execute(_MISSING, (1,)).fetchone():
            return False
        _switch(connection)
        set_fact(connection, "encoder_id", encoder.id)
        set_fact(connection, "dimensions", encoder.dimensions)
        set_fact(connection, "next_encoder_id", None)
        transaction.new_epoch()
    return True


def _switch(connection: sqlite3.Connection) -> None:
    for statement in (
        "ALTER TABLE vectors RENAME TO old_vectors",
        "ALTER TABLE next_vectors RENAME TO vectors",
        "ALTER TABLE old_vectors RENAME TO next_vectors",
        "DELETE FROM next_vectors",
    ):
        connection.execute(statement)
