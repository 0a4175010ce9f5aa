"""The tables of reviews: append migrations here, never edit one that has shipped."""

from __future__ import annotations

from skerry.edge.state import Schema

REVIEWS = Schema(
    "skerry.reviews",
    (
        (
            "0001-reviews",
            (
                # `body` is the review as JSON; the other columns are for finding it.
                """
                CREATE TABLE reviews (
                    seq INTEGER PRIMARY KEY AUTOINCREMENT,
                    id TEXT NOT NULL UNIQUE,
                    status TEXT NOT NULL,
                    deadline_at REAL,
                    body TEXT NOT NULL
                )
                """,
                "CREATE INDEX reviews_by_status ON reviews (status, deadline_at)",
            ),
        ),
    ),
)
