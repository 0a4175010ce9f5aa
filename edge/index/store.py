"""Writes and reads documents in the index's tables. One transaction is one generation."""

from __future__ import annotations

import json
import os
import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from typing import Any

from skerry.edge.errors import IndexCorrupt
from skerry.edge.index import postings, screened, sealing
from skerry.edge.index.database import Database
from skerry.edge.index.declared import Declaration, from_text
from skerry.edge.index.drafts import Draft, Governance, Origin, digest
from skerry.edge.index.governance import Version, superseded, supersession
from skerry.edge.index.schema import fact, set_fact
from skerry.edge.index.types import Chunk, Document, Kind, Metadata, Superseded
from skerry.edge.index.vectors import quantise
from skerry.edge.index.words import plain

_LAST_ID = 2**63 - 1  # SQLite's largest integer
_MOST_DEAD = 4096  # removed chunks in the postings, at least, before they are dropped
_MOST_REMOVALS = 10_000  # remembered for readers in other processes; then they read all anew

_DOCUMENT = """
    SELECT d.id, d.title, d.source, d.kind, d.version, d.digest, d.added_at, d.valid_from,
        d.expires_at, d.superseded_at, d.labels, d.domain,
        (SELECT count(*) FROM chunks c WHERE c.document_id = d.id), d.size_bytes
    FROM documents d
"""
_CHUNK = """
    SELECT c.id, c.document_id, c.text, c.heading, c.start, c."end", d.title, d.source, d.kind,
        d.version, d.valid_from, d.expires_at, d.superseded_at, d.labels, d.domain,
        {digest}
    FROM chunks c JOIN documents d ON d.id = c.document_id
    WHERE c.id IN (SELECT value FROM json_each(?))
"""
_INSERT_DOCUMENT = """
    INSERT INTO documents (source, key, title, kind, version, digest, text_digest, text, metadata,
        declared, added_at, valid_from, expires_at, superseded_at, labels, domain, size_bytes,
        modified_ns, generation)
    VALUES (:source, :key, :title, :kind, :version, :digest, :text_digest, :text, :metadata,
        :declared, :added_at, :valid_from, :expires_at, :superseded_at, :labels, :domain,
        :size_bytes, :modified_ns, :generation)
"""
_RELATED = """
    SELECT id, source, version, valid_from, superseded_at FROM documents
    WHERE (source = :source AND key = :key) OR (
        title = :title COLLATE NOCASE AND domain = :domain AND kind = 'anchored'
        AND :kind = 'anchored' AND version != '' AND :version != ''
    )
"""
_WHEN = (float, type(None))
_DOCUMENT_TYPES = (int, *5 * [str], float, float, _WHEN, _WHEN, str, str, int, int)
_CHUNK_TYPES = (int, int, str, str, int, int, *4 * [str], float, _WHEN, _WHEN, str, str)
_KNOWN_TYPES = (str, int, int, str, int, float, float, str, str, str)
_DOCUMENT_FIELDS = tuple(field.name for field in fields(Document))
_CHUNK_FIELDS = tuple(field.name for field in fields(Chunk) if field.name != "collection")


@dataclass(frozen=True, slots=True)
class Known:
    """The newest version that the index has of one source and key.

    `said` is what was declared of a file; of a record, nothing.
    """

    id: int
    origin: Origin
    said: Declaration
    added_at: float
    valid_from: float
    title: str
    labels: frozenset[str]
    domain: str


def newest(connection: sqlite3.Connection, source: str, key: str = "") -> Known | None:
    """The version of a source (and key, for a record) that was added last."""
    row = connection.execute(
        """
        SELECT digest, size_bytes, modified_ns, declared, id, added_at, valid_from, title, labels,
            domain
        FROM documents WHERE source = ? AND key = ? ORDER BY id DESC LIMIT 1
        """,
        (source, key),
    ).fetchone()
    if row is None:
        return None
    _check_types(row, _KNOWN_TYPES)
    id_, added_at, valid_from, title, labels, domain = row[4:]
    return Known(
        id_,
        Origin(source, key, *row[:4]),
        Declaration(None, Metadata()) if key else from_text(row[3]),
        added_at,
        valid_from,
        title,
        frozenset(json.loads(labels)),
        domain,
    )


def labels_of_content(connection: sqlite3.Connection, content_digest: str) -> frozenset[str]:
    """The labels of every document, in any version, that has this content."""
    sql = "SELECT labels FROM documents WHERE digest = ? AND labels != '[]'"
    rows = connection.execute(sql, (content_digest,))
    return frozenset(label for (labels,) in rows for label in json.loads(labels))


def declarations_of_content(connection: sqlite3.Connection, content_digest: str) -> list[str]:
    """What was declared of every file, in any version, that has this content."""
    sql = "SELECT declared FROM documents WHERE digest = ? AND key = ''"
    return [declared for (declared,) in connection.execute(sql, (content_digest,))]


def expired_records(connection: sqlite3.Connection, now: float) -> list[int]:
    """The fluid records whose hard expiry has passed."""
    sql = "SELECT id FROM documents WHERE kind = 'fluid' AND expires_at <= ?"
    return [row[0] for row in connection.execute(sql, (now,))]


def read_chunks(connection: sqlite3.Connection, ids: Sequence[int]) -> dict[int, Chunk]:
    """The chunks with these ids that are there, by id.

    Raises:
        IndexCorrupt: one is not what was written.
    """
    digest = "c.digest" if sealing.has_digests(connection) else "NULL"
    rows = connection.execute(_CHUNK.format(digest=digest), (json.dumps(list(ids)),))
    return {row[0]: _chunk(row) for row in rows}


def _check_types(row: Sequence[Any], types: Sequence[Any]) -> None:
    """Raises TypeError for a value that its column does not have in a whole file."""
    if not all(map(isinstance, row, types)):
        raise TypeError("a value is not of the type of its column")


def _chunk(columns: tuple[Any, ...]) -> Chunk:
    *row, written = columns
    _check_types(row, _CHUNK_TYPES)
    sealing.check(row[0], row[1], row[2:8], written)
    values = dict(zip(_CHUNK_FIELDS, row, strict=True))
    values["heading"] = tuple(json.loads(values["heading"]))
    return Chunk(**_governed(values))


def _document(row: tuple[Any, ...]) -> Document:
    _check_types(row, _DOCUMENT_TYPES)
    return Document(**_governed(dict(zip(_DOCUMENT_FIELDS, row, strict=True))))


def _governed(values: dict[str, Any]) -> dict[str, Any]:
    return {
        **values,
        "kind": Kind(values["kind"]),
        "labels": frozenset(json.loads(values["labels"])),
    }


def read_documents(connection: sqlite3.Connection) -> Iterator[Document]:
    """Every version of every document, in the order they were added."""
    for row in connection.execute(f"{_DOCUMENT} ORDER BY d.id"):
        yield _document(row)


def read_document(connection: sqlite3.Connection, document_id: int) -> Document | None:
    if not 0 < document_id <= _LAST_ID:
        return None
    row = connection.execute(f"{_DOCUMENT} WHERE d.id = ?", (document_id,)).fetchone()
    return _document(row) if row else None


def ids_of_source(connection: sqlite3.Connection, source: str, path: str) -> list[int]:
    """The versions of a source, by its name as it is or by its path, or of the files below it."""
    below = path.rstrip("/\\") + os.sep
    sql = "SELECT id FROM documents WHERE source IN (?, ?) OR substr(source, 1, ?) = ? ORDER BY id"
    return [row[0] for row in connection.execute(sql, (source, path, len(below), below))]


def read_text(connection: sqlite3.Connection, document_id: int) -> str:
    """The extracted text of a document that is there.

    Raises:
        IndexCorrupt: it is not what was written.
    """
    sql = "SELECT text, text_digest FROM documents WHERE id = ?"
    packed, written = connection.execute(sql, (document_id,)).fetchone()
    text = unpacked(packed)
    if digest(text.encode()) != written:
        what = f"the text of document {document_id} was changed in the file by other means"
        hint = f"Restore a copy, or `skerry index rm {document_id}` and add the document again."
        raise IndexCorrupt(what, hint=hint)
    return text


def unpacked(text: bytes) -> str:
    """The text of a document as it was before it was written. Raises zlib.error if damaged."""
    return zlib.decompress(text).decode("utf-8")


@contextmanager
def change(database: Database) -> Iterator[Change]:
    """One transaction: all of its changes become visible together, or none."""
    with database.writing() as connection:
        generation = fact(connection, "generation") + 1
        set_fact(connection, "generation", generation)
        yield Change(connection, generation)


@dataclass(frozen=True, slots=True)
class Change:
    """The changes that a transaction can make."""

    connection: sqlite3.Connection
    generation: int

    def add(self, draft: Draft, *, now: float) -> list[Superseded]:
        """Writes a document with its chunks, and ends the versions that it supersedes: which."""
        ends_at, ended = self._supersede(draft.origin, draft.governance)
        document_id = self._insert_document(draft, now, ends_at)
        chunk_ids = [self._insert_chunk(document_id, draft, n) for n in range(len(draft.pieces))]
        self.connection.executemany(
            "INSERT INTO vectors VALUES (?, ?)",
            zip(chunk_ids, quantise(draft.vectors), strict=True),
        )
        postings.put_words(self.connection, zip(chunk_ids, draft.words, strict=True))
        if draft.screened:
            screened.write(self.connection, chunk_ids, draft.screened)
        return ended

    def seal(self, *, at_least: int) -> None:
        """Moves the words of unsealed chunks into the postings, if there are so many chunks."""
        (unsealed,) = self.connection.execute("SELECT count(*) FROM unsealed").fetchone()
        if unsealed >= at_least:
            postings.seal(self.connection)

    def touch(self, document_id: int, origin: Origin) -> None:
        """Notes that a file was looked at and had the same content."""
        self.connection.execute(
            "UPDATE documents SET modified_ns = ?, size_bytes = ? WHERE id = ?",
            (origin.modified_ns, origin.size_bytes, document_id),
        )

    def remove(self, document_ids: Sequence[int]) -> None:
        """Deletes documents with everything that belongs to them."""
        wanted = (json.dumps(list(document_ids)),)
        among = "IN (SELECT value FROM json_each(?))"
        execute = self.connection.execute
        (chunks,) = execute(
            f"SELECT count(*) FROM chunks WHERE document_id {among}", wanted
        ).fetchone()
        execute(f"DELETE FROM documents WHERE id {among}", wanted)
        self.connection.executemany(
            "INSERT INTO removals VALUES (?, ?)", [(id_, self.generation) for id_ in document_ids]
        )
        set_fact(self.connection, "dead", fact(self.connection, "dead") + chunks)
        self._tidy()

    def new_epoch(self) -> None:
        """Makes every reader, in every process, read its arrays anew."""
        set_fact(self.connection, "epoch", fact(self.connection, "epoch") + 1)

    def _insert_document(self, draft: Draft, now: float, ends_at: float | None) -> int:
        origin, governance = draft.origin, draft.governance
        values = {
            **asdict(origin),
            **asdict(governance),
            "labels": json.dumps(sorted(governance.labels)),
            "text": zlib.compress(draft.text.encode()),
            "text_digest": digest(draft.text.encode()),
            "metadata": json.dumps(dict(draft.metadata)),
            "added_at": now,
            "superseded_at": ends_at,
            "generation": self.generation,
        }
        cursor = self.connection.execute(_INSERT_DOCUMENT, values)
        return int(cursor.lastrowid or 0)

    def _supersede(
        self, origin: Origin, governance: Governance
    ) -> tuple[float | None, list[Superseded]]:
        """Ends the versions that the new one supersedes; when the new one itself ends, and what
        was ended."""
        rows = self.connection.execute(
            _RELATED, {**asdict(origin), **asdict(governance)}
        ).fetchall()
        new = Version(origin.source, governance.version, governance.valid_from)
        others = {row[0]: Version(*row[1:4]) for row in rows}
        ends = {row[0]: row[4] for row in rows}
        outcome = supersession(new, others, ends)
        self.connection.executemany(
            "UPDATE documents SET superseded_at = ?, generation = ? WHERE id = ?",
            [(end, self.generation, id_) for id_, end in outcome.others_end_at.items()],
        )
        return outcome.new_ends_at, [
            Superseded(older.source, older.version, newer.source, newer.version)
            for older, newer in superseded(new, others, ends, outcome)
        ]

    def _insert_chunk(self, document_id: int, draft: Draft, number: int) -> int:
        piece = draft.pieces[number]
        heading = json.dumps(piece.heading, ensure_ascii=False)
        said = (plain(piece.text), heading, piece.start, piece.end)
        named = (draft.governance.title, draft.origin.source)
        row = (
            document_id,
            *said,
            postings.word_total(draft.words[number]),
            sealing.chunk_digest((*said, *named)),
        )
        cursor = self.connection.execute(
            """
            INSERT INTO chunks (document_id, text, heading, start, "end", word_count, digest)
            VALUES (?, ?, ?, ?, ?, ?, ?)
            """,
            row,
        )
        return int(cursor.lastrowid or 0)

    def _tidy(self) -> None:
        """Forgets removals that are many, and drops removed chunks that outnumber the others."""
        count = self.connection.execute
        (removals,) = count("SELECT count(*) FROM removals").fetchone()
        if removals > _MOST_REMOVALS:
            count("DELETE FROM removals")
            self.new_epoch()
        dead = fact(self.connection, "dead")
        if dead > _MOST_DEAD and dead > count("SELECT count(*) FROM chunks").fetchone()[0]:
            postings.compact(self.connection)
            set_fact(self.connection, "dead", 0)
