"""The tables of an index file, as named migrations that are only ever added to."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from skerry.edge.errors import EmbedderMismatch, IndexFault
from skerry.edge.index.database import Database
from skerry.edge.index.sealing import has_digests

APPLICATION_ID = 0x534B5259  # "SKRY": tells an index from other SQLite files

_TABLES = """
CREATE TABLE facts (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
INSERT INTO facts VALUES ('generation', 0), ('epoch', 0), ('dead', 0);

CREATE TABLE documents (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    source TEXT NOT NULL,
    key TEXT NOT NULL,
    title TEXT NOT NULL,
    kind TEXT NOT NULL,
    version TEXT NOT NULL,
    digest TEXT NOT NULL,
    text_digest TEXT NOT NULL,
    text BLOB NOT NULL,
    metadata TEXT NOT NULL,
    declared TEXT NOT NULL,
    added_at REAL NOT NULL,
    valid_from REAL NOT NULL,
    expires_at REAL,
    superseded_at REAL,
    labels TEXT NOT NULL,
    domain TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    modified_ns INTEGER NOT NULL,
    generation INTEGER NOT NULL
);
CREATE INDEX documents_by_source ON documents (source, key);
CREATE INDEX documents_by_title ON documents (title COLLATE NOCASE);
CREATE INDEX documents_by_generation ON documents (generation);
CREATE INDEX documents_by_end ON documents (expires_at) WHERE kind = 'fluid';

CREATE TABLE chunks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    document_id INTEGER NOT NULL REFERENCES documents ON DELETE CASCADE,
    heading TEXT NOT NULL,
    text TEXT NOT NULL,
    start INTEGER NOT NULL,
    "end" INTEGER NOT NULL,
    word_count INTEGER NOT NULL
);
CREATE INDEX chunks_by_document ON chunks (document_id);

CREATE TABLE vectors (
    chunk_id INTEGER PRIMARY KEY REFERENCES chunks ON DELETE CASCADE, vector BLOB NOT NULL
);
CREATE TABLE next_vectors (
    chunk_id INTEGER PRIMARY KEY REFERENCES chunks ON DELETE CASCADE, vector BLOB NOT NULL
);

CREATE TABLE words (id INTEGER PRIMARY KEY, word TEXT NOT NULL UNIQUE);
CREATE TABLE unsealed (
    chunk_id INTEGER PRIMARY KEY REFERENCES chunks ON DELETE CASCADE, words BLOB NOT NULL
);
CREATE TABLE postings (
    word_id INTEGER NOT NULL,
    first_chunk_id INTEGER NOT NULL,
    offsets BLOB NOT NULL,
    counts BLOB NOT NULL,
    PRIMARY KEY (word_id, first_chunk_id)
) WITHOUT ROWID;

CREATE TABLE removals (document_id INTEGER PRIMARY KEY, generation INTEGER NOT NULL);
CREATE TABLE sources (
    source TEXT PRIMARY KEY, sla_seconds REAL, half_life_seconds REAL, last_at REAL
);
"""


def _tables(connection: sqlite3.Connection) -> None:
    for statement in filter(str.strip, _TABLES.split(";")):
        connection.execute(statement)


def _labelled_contents(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE INDEX documents_labelled ON documents (digest) WHERE labels != '[]'")


def _contents(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE INDEX documents_by_digest ON documents (digest)")
    connection.execute("DROP INDEX IF EXISTS documents_labelled")


def _screened(connection: sqlite3.Connection) -> None:
    connection.execute(
        """
        CREATE TABLE IF NOT EXISTS screened (
            chunk_id INTEGER PRIMARY KEY REFERENCES chunks ON DELETE CASCADE,
            screen BLOB NOT NULL,
            findings TEXT NOT NULL,
            seal BLOB NOT NULL
        )
        """
    )
    connection.execute("CREATE INDEX IF NOT EXISTS screened_by_screen ON screened (screen)")


def _chunk_digests(connection: sqlite3.Connection) -> None:
    if not has_digests(connection):
        connection.execute("ALTER TABLE chunks ADD COLUMN digest BLOB")
    connection.execute(
        "CREATE INDEX IF NOT EXISTS chunks_without_digest ON chunks (document_id) "
        "WHERE digest IS NULL"
    )


MIGRATIONS: tuple[tuple[str, Callable[[sqlite3.Connection], None]], ...] = (
    ("tables", _tables),
    ("labelled contents", _labelled_contents),
    ("contents", _contents),
    ("screened", _screened),
    ("chunk digests", _chunk_digests),
)
"""Name and step of each migration, oldest first; `user_version` counts those applied."""


def migrate(database: Database) -> None:
    """Brings the file's tables up to date; a new or empty file gets all of them.

    A file that is only read stays as it is: what the later migrations add, readers can do without.

    Raises:
        IndexFault: the file belongs to another program, or to a later version of this one.
    """
    with database.reading() as connection:
        applied = _applied(connection, database.path)
    if applied == len(MIGRATIONS) or (applied and database.read_only):
        return
    with database.writing() as connection:
        for _, step in MIGRATIONS[_applied(connection, database.path) :]:
            step(connection)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")


def fact(connection: sqlite3.Connection, name: str) -> Any:
    """A value that holds for the whole file, None if it was never set.

    `generation` counts write transactions; `epoch` those after which what a reader holds
    in memory must be read anew; `dead` the removed chunks that the postings still have.
    """
    row = connection.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
    return row[0] if row else None


def set_fact(connection: sqlite3.Connection, name: str, value: str | int | None) -> None:
    connection.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))


def check_encoder(connection: sqlite3.Connection, encoder_id: str) -> None:
    """Raises EmbedderMismatch if the file's vectors come from another encoder."""
    pinned = fact(connection, "encoder_id")
    if pinned not in (None, encoder_id):
        what = f"the index was built with the encoder '{pinned}', not with '{encoder_id}'"
        raise EmbedderMismatch(what, hint="Run `skerry index reembed` to bring it up to date.")


def _applied(connection: sqlite3.Connection, path: Path) -> int:
    """How many migrations the file has had."""
    (application_id,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if application_id != APPLICATION_ID and (application_id or version or tables):
        what = f"'{path}' is a SQLite database of another program, not an index"
        raise IndexFault(what, hint="Name another file for the index.")
    if version > len(MIGRATIONS):
        what = f"the index '{path}' was written by a later version of Skerry"
        raise IndexFault(what, hint="Upgrade Skerry, or build a new index.")
    return int(version)
