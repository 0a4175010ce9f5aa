"""The table of receipts: append migrations here, never edit one that has shipped."""

from __future__ import annotations

from skerry.edge.state import Schema

RECEIPTS = Schema(
    "skerry.receipts",
    (
        (
            "0001-receipts",
            (
                # `seq` orders by arrival, whatever the clock did; `body` is the JSON as written.
                """
                CREATE TABLE receipts (
                    seq INTEGER PRIMARY KEY AUTOINCREMENT,
                    id TEXT NOT NULL UNIQUE,
                    created_at REAL NOT NULL,
                    body TEXT NOT NULL
                )
                """,
                "CREATE INDEX receipts_by_time ON receipts (created_at)",
                """
                CREATE TRIGGER receipts_never_change BEFORE UPDATE ON receipts
                BEGIN SELECT RAISE(ABORT, 'receipts never change'); END
                """,
            ),
        ),
    ),
)
