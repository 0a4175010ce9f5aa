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
        (
            "0002-urgency",
            (
                "ALTER TABLE reviews ADD COLUMN urgency REAL NOT NULL DEFAULT 0",
                # Those that wait already: `why` has the label of what was found, and no score.
                """
                UPDATE reviews SET urgency = CASE
                    WHEN json_extract(body, '$.why') LIKE '%(self_harm)%' THEN 2
                    WHEN json_extract(body, '$.why') LIKE '%(clinical_red_flag)%' THEN 2
                    WHEN json_extract(body, '$.why') LIKE '%sign of danger%' THEN 1
                    ELSE 0 END
                WHERE json_valid(body)
                """,
            ),
        ),
    ),
)
