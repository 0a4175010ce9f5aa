"""The tables of conversations: append migrations here, never edit one that has shipped."""

from __future__ import annotations

from skerry.edge.session import pseudonyms
from skerry.edge.state import Schema

SESSIONS = Schema(
    "skerry.sessions",
    (
        (
            "0001-sessions",
            (
                """
                CREATE TABLE session_heads (
                    id TEXT NOT NULL PRIMARY KEY,
                    created_at REAL NOT NULL,
                    updated_at REAL NOT NULL,
                    turns INTEGER NOT NULL,
                    size_bytes INTEGER NOT NULL
                )
                """,
                "CREATE INDEX session_heads_by_time ON session_heads (updated_at)",
                # `text` is UTF-8 as a blob: it may hold NULs, and lone surrogates as they came.
                """
                CREATE TABLE session_turns (
                    session_id TEXT NOT NULL REFERENCES session_heads (id) ON DELETE CASCADE,
                    number INTEGER NOT NULL,
                    role TEXT NOT NULL,
                    text BLOB NOT NULL,
                    at REAL NOT NULL,
                    receipt_id TEXT,
                    UNIQUE (session_id, number)
                )
                """,
            ),
        ),
        # A JSON list; NULL where they were not noted.
        ("0002-labels", ("ALTER TABLE session_turns ADD COLUMN labels TEXT",)),
        ("0003-pseudonyms", (pseudonyms.CREATE,)),
    ),
)
