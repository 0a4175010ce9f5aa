"""Checks that an index file is whole: the file, the texts, the vectors, the words."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterator

import numpy as np

from skerry.edge.index import store
from skerry.edge.index.database import Database
from skerry.edge.index.drafts import digest
from skerry.edge.index.postings import ENTRY
from skerry.edge.index.schema import fact
from skerry.edge.index.types import VerifyReport
from skerry.edge.index.vectors import row_type


def verify(database: Database) -> VerifyReport:
    """Looks at everything once; takes about a second for 10,000 chunks.

    Raises:
        IndexCorrupt: the file is so damaged that it cannot be read to the end.
    """
    with database.reading() as connection:
        problems = [
            *_file(connection),
            *_texts(connection),
            *_vectors(connection),
            *_words(connection),
        ]
        (documents,) = connection.execute("SELECT count(*) FROM documents").fetchone()
        (chunks,) = connection.execute("SELECT count(*) FROM chunks").fetchone()
    return VerifyReport(documents, chunks, tuple(problems))


def _file(connection: sqlite3.Connection) -> Iterator[str]:
    for (problem,) in connection.execute("PRAGMA integrity_check(20)"):
        if problem != "ok":
            yield f"the file is damaged: {problem}"
    for table, row, *_ in connection.execute("PRAGMA foreign_key_check"):
        yield f"row {row} of '{table}' belongs to nothing"


def _texts(connection: sqlite3.Connection) -> Iterator[str]:
    sql = "SELECT id, source, text, text_digest FROM documents"
    for id_, source, text, expected in connection.execute(sql):
        try:
            whole = digest(store.unpacked(text).encode()) == expected
        except (zlib.error, UnicodeDecodeError):
            whole = False
        if not whole:
            yield f"the text of document {id_} ('{source}') does not match its digest"
    without = "SELECT id FROM documents WHERE id NOT IN (SELECT document_id FROM chunks)"
    for (id_,) in connection.execute(without):
        yield f"document {id_} has no chunks"


def _vectors(connection: sqlite3.Connection) -> Iterator[str]:
    sql = """
        SELECT c.id FROM chunks c LEFT JOIN vectors v ON v.chunk_id = c.id
        WHERE v.vector IS NULL OR length(v.vector) != ?
    """
    size = row_type(fact(connection, "dimensions") or 0).itemsize
    for (id_,) in connection.execute(sql, (size,)):
        yield f"chunk {id_} has no vector, or one of the wrong length"


def _words(connection: sqlite3.Connection) -> Iterator[str]:
    """Each chunk must have as many words in the postings as were counted when it was written."""
    rows = connection.execute("SELECT id, word_count FROM chunks ORDER BY id").fetchall()
    if not rows:
        return
    ids = np.array([id_ for id_, _ in rows], np.int64)
    found = np.zeros(ids[-1] + 1, np.int64)
    for chunk_ids, counts in _word_counts(connection):
        known = chunk_ids < len(found)
        np.add.at(found, chunk_ids[known], counts[known])
    for id_ in ids[found[ids] != [count for _, count in rows]].tolist():
        yield f"the words of chunk {id_} are not all in the postings"


def _word_counts(connection: sqlite3.Connection) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Chunk ids, with repetitions, and the counts of words in them."""
    for chunk_id, words in connection.execute("SELECT chunk_id, words FROM unsealed"):
        counts = np.frombuffer(words, ENTRY)["count"].astype(np.int64)
        yield np.full(len(counts), chunk_id), counts
    sql = "SELECT first_chunk_id, offsets, counts FROM postings"
    for first, offsets, counts in connection.execute(sql):
        chunk_ids = np.frombuffer(offsets, "<u2").astype(np.int64) + first
        yield chunk_ids, np.frombuffer(counts, np.uint8).astype(np.int64)
