"""Gives the chunks of an index from before there were digests theirs, document by document."""

from __future__ import annotations

import zlib

from skerry.edge.index import store
from skerry.edge.index.database import Database
from skerry.edge.index.drafts import digest
from skerry.edge.index.sealing import chunk_digest
from skerry.edge.index.verify import is_of

_MISSING = "SELECT DISTINCT document_id FROM chunks WHERE digest IS NULL"
_DOCUMENT = "SELECT text, text_digest, title, source FROM documents WHERE id = ?"
_CHUNKS = """
    SELECT id, text, heading, start, "end" FROM chunks WHERE document_id = ? AND digest IS NULL
"""


def reseal(database: Database) -> None:
    """Digests of all chunks that have none and match the text of their document, which has one.

    What does not match stays without: `verify` tells it.
    """
    with database.reading() as connection:
        ids = [id_ for (id_,) in connection.execute(_MISSING)]
    for document_id in ids:
        _reseal(database, document_id)


def _reseal(database: Database, document_id: int) -> None:
    with database.writing() as connection:
        document = connection.execute(_DOCUMENT, (document_id,)).fetchone()
        if document is None:  # another has removed it meanwhile
            return
        packed, written, *named = document
        try:
            text = store.unpacked(packed)
        except (zlib.error, UnicodeDecodeError):
            return
        if digest(text.encode()) != written:
            return
        rows = connection.execute(_CHUNKS, (document_id,)).fetchall()
        connection.executemany(
            "UPDATE chunks SET digest = ? WHERE id = ?",
            [(chunk_digest([*said, *named]), id_) for id_, *said in rows if is_of(said, text)],
        )
