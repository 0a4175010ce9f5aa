"""Checks that an index file is whole: the file, its values, the texts, the vectors, the words.

What makes a reader stumble is among what is found here, so that damage can be told from a fault of
the program's. Nothing protects what is damaged into another valid value, such as a date.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Callable, Iterator

import numpy as np

from skerry.edge.index import declared, sealing, store
from skerry.edge.index.database import Database
from skerry.edge.index.drafts import digest
from skerry.edge.index.postings import ENTRY
from skerry.edge.index.schema import fact
from skerry.edge.index.types import Kind, VerifyReport
from skerry.edge.index.vectors import row_type

_UNIT = 0.02  # how far the length of a vector may be from 1, quantised as it is
_FACTS = ("generation", "epoch", "dead")


def verify(database: Database) -> VerifyReport:
    """Looks at everything once; takes about a second for 10,000 chunks."""
    with database.reading() as connection:
        found = tuple(problems(connection))
        documents, chunks = (_count(connection, table) for table in ("documents", "chunks"))
    return VerifyReport(documents, chunks, found)


def problems(connection: sqlite3.Connection) -> Iterator[str]:
    """What is wrong with the file, in words. What cannot be read to the end is told, not raised."""
    for part, check in _CHECKS.items():
        try:
            yield from check(connection)
        except Exception as error:  # noqa: BLE001 -- whatever it is, damage made it
            yield f"the {part} cannot be read to the end: {_told(error)}"


def _told(error: Exception) -> str:
    """The error without what it quotes of the documents."""
    return str(error).partition(" with text ")[0] or type(error).__name__


def _count(connection: sqlite3.Connection, table: str) -> int:
    try:
        return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
    except sqlite3.DatabaseError:  # told already
        return 0


def _file(connection: sqlite3.Connection) -> Iterator[str]:
    for (problem,) in connection.execute("PRAGMA integrity_check(20)"):
        if problem != "ok":
            yield f"the file is damaged: {problem}"
    for table, row, *_ in connection.execute("PRAGMA foreign_key_check"):
        yield f"row {row} of '{table}' belongs to nothing"


def _types(connection: sqlite3.Connection) -> Iterator[str]:
    """Each value must be of the type of its column: SQLite itself would take any."""
    tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    for (table,) in connection.execute(tables).fetchall():
        for _, column, type_, required, *_ in connection.execute(f'PRAGMA table_info("{table}")'):
            allowed = [type_.lower()] if required or not type_ else [type_.lower(), "null"]
            sql = f'SELECT count(*) FROM "{table}" WHERE typeof("{column}") NOT IN ({{}})'
            marks = ", ".join("?" * len(allowed))
            (wrong,) = connection.execute(sql.format(marks), allowed).fetchone()
            if type_ and wrong:
                yield f"{wrong} rows of '{table}' have no {type_} in '{column}'"
            if type_ == "TEXT" and not _is_utf8(connection, table, column):
                yield f"'{column}' of '{table}' has a text that is not UTF-8"
    for name in _FACTS:
        if not isinstance(fact(connection, name), int):
            yield f"the file's {name} is no number"


def _is_utf8(connection: sqlite3.Connection, table: str, column: str) -> bool:
    try:
        for (value,) in connection.execute(f'SELECT CAST("{column}" AS BLOB) FROM "{table}"'):
            bytes(value or b"").decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _facts_of_documents(connection: sqlite3.Connection) -> Iterator[str]:
    sql = "SELECT id, kind, labels, metadata, key, declared FROM documents"
    for id_, kind, labels, metadata, key, said in connection.execute(sql):
        try:
            Kind(kind)
            if not key:
                declared.from_text(said)
            whole = _is_texts(json.loads(labels)) and isinstance(json.loads(metadata), dict)
        except (ValueError, TypeError, KeyError):
            whole = False
        if not whole:
            yield f"what governs document {id_} is damaged"


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _texts(connection: sqlite3.Connection) -> Iterator[str]:
    sql = "SELECT id, source, text, text_digest FROM documents"
    for id_, source, packed, expected in connection.execute(sql):
        try:
            text = store.unpacked(packed)
            whole = digest(text.encode()) == expected
        except (zlib.error, UnicodeDecodeError, TypeError):
            text, whole = "", False
        if whole:
            yield from _chunks(connection, id_, text)
        else:
            yield f"the text of document {id_} ('{source}') does not match its digest"
    without = "SELECT id FROM documents WHERE id NOT IN (SELECT document_id FROM chunks)"
    for (id_,) in connection.execute(without):
        yield f"document {id_} has no chunks"


def _chunks(connection: sqlite3.Connection, document_id: int, whole: str) -> Iterator[str]:
    """Each chunk must end with its place in the text, headings be a list, and the digest fit."""
    digest = "c.digest" if sealing.has_digests(connection) else "NULL"
    sql = f"""
        SELECT c.id, c.text, c.heading, c.start, c."end", d.title, d.source, {digest}
        FROM chunks c JOIN documents d ON d.id = c.document_id WHERE c.document_id = ?
    """
    for id_, *said, written in connection.execute(sql, (document_id,)):
        if not is_of(said, whole) or written not in (None, sealing.chunk_digest(said)):
            yield f"chunk {id_} does not match the text of document {document_id}"


def is_of(said: sealing.Said, whole: str) -> bool:
    """Whether a chunk is one of the document with the text `whole`."""
    text, heading, start, end, *_ = said
    try:
        same = text.endswith(whole[start:end]) and _is_texts(json.loads(heading))
    except (ValueError, TypeError, AttributeError):
        return False
    return same and 0 <= start < end


def _vectors(connection: sqlite3.Connection) -> Iterator[str]:
    kind = row_type(fact(connection, "dimensions") or 0)
    sql = "SELECT c.id, v.vector FROM chunks c LEFT JOIN vectors v ON v.chunk_id = c.id"
    for id_, vector in connection.execute(sql):
        if not isinstance(vector, bytes) or len(vector) != kind.itemsize:
            yield f"chunk {id_} has no vector, or one of the wrong length"
        elif not abs(_length(np.frombuffer(vector, kind)[0]) - 1) <= _UNIT:
            yield f"the vector of chunk {id_} has not the length 1"


def _length(row: np.void) -> float:
    return float(row["scale"]) * float(np.linalg.norm(row["codes"].astype(np.float32)))


def _words(connection: sqlite3.Connection) -> Iterator[str]:
    """Each chunk must have as many words in the postings as were counted when it was written."""
    rows = connection.execute("SELECT id, word_count FROM chunks ORDER BY id").fetchall()
    if not rows:
        return
    ids = np.array([id_ for id_, _ in rows], np.int64)
    found = np.zeros(len(ids), np.int64)
    for chunk_ids, counts in _word_counts(connection):
        places = np.minimum(np.searchsorted(ids, chunk_ids), len(ids) - 1)
        known = ids[places] == chunk_ids
        np.add.at(found, places[known], counts[known])
    for id_ in ids[found != [count for _, count in rows]].tolist():
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


_CHECKS: dict[str, Callable[[sqlite3.Connection], Iterator[str]]] = {
    "file": _file,
    "values": _types,
    "facts of documents": _facts_of_documents,
    "texts": _texts,
    "vectors": _vectors,
    "words": _words,
}
