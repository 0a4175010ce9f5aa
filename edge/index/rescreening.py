"""Brings the records of what was found in chunks up to date with the screen, batch by batch.

What is stopped half-way goes on from there.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable

from skerry.edge.index import screened
from skerry.edge.index.database import Database
from skerry.edge.index.screened import Passage, Screener
from skerry.edge.index.types import Progress
from skerry.edge.sources import name_of

_BATCH = 64  # chunks in one transaction

_STALE = """
    SELECT c.id, d.title, c.heading, c.text FROM chunks c JOIN documents d ON d.id = c.document_id
    LEFT JOIN screened s ON s.chunk_id = c.id
    WHERE c.id > ? AND s.screen IS NOT ? ORDER BY c.id LIMIT ?
"""


def rescreen(
    database: Database, screener: Screener, progress: Callable[[Progress], None] | None = None
) -> int:
    """Screens every chunk that this screen has not seen; how many those were."""
    with database.reading() as connection:
        missing = _missing(connection, screener)
    done = last = 0
    while done < missing:
        with database.reading() as connection:
            batch = _batch(connection, screener, last)
        ids = list(batch)
        rows = screener.records(list(batch.values()))
        if not rows:  # others have removed or screened the rest, or it cannot be screened now
            break
        with database.writing() as connection:
            screened.write(connection, ids, rows)
        done, last = done + len(ids), ids[-1]
        if progress is not None:
            progress(Progress(str(database.path), done, max(missing, done), done))
    return done


def _missing(connection: sqlite3.Connection, screener: Screener) -> int:
    """How many chunks have no record of this screen. Read from two small indexes."""
    (chunks,) = connection.execute("SELECT count(*) FROM chunks").fetchone()
    sql = "SELECT count(*) FROM screened WHERE screen = ?"
    (known,) = connection.execute(sql, (screener.id,)).fetchone()
    return int(chunks) - int(known)


def _batch(connection: sqlite3.Connection, screener: Screener, last: int) -> dict[int, Passage]:
    rows = connection.execute(_STALE, (last, screener.id, _BATCH))
    return {
        id_: Passage(text, name_of(title, json.loads(heading)))
        for id_, title, heading, text in rows
    }
