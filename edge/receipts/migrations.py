"""The tables of receipts, as named migrations: append here, never edit one that has shipped."""

from __future__ import annotations

import sqlite3

from sqlite_utils import Database, Migrations

migrations = Migrations("skerry.receipts")


@migrations(name="0001-receipts")
def _receipts(database: Database) -> None:
    """`seq` orders by arrival, whatever the clock did; `body` is the receipt's JSON as written."""
    database.execute(
        """
        CREATE TABLE receipts (
            seq INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            created_at REAL NOT NULL,
            session TEXT,
            body TEXT NOT NULL
        )
        """
    )
    database.execute("CREATE INDEX receipts_by_time ON receipts (created_at)")


@migrations(name="0002-append-only")
def _append_only(database: Database) -> None:
    database.execute(
        """
        CREATE TRIGGER receipts_never_change BEFORE UPDATE ON receipts
        BEGIN SELECT RAISE(ABORT, 'receipts never change'); END
        """
    )


def migrate(connection: sqlite3.Connection) -> None:
    """Brings the tables of receipts up to date; leaves every other table alone."""
    migrations.apply(Database(connection))
