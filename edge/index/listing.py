"""What documents there are, for whoever lists, reads or removes them: never by their words."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path

from skerry.edge.encoder.base import TextEncoder
from skerry.edge.errors import InputError
from skerry.edge.index import files, store
from skerry.edge.index.collection import Collection
from skerry.edge.index.governance import document_in_force, gone
from skerry.edge.index.types import Chunk, Document, Stats
from skerry.edge.index.words import plain

Labels = frozenset[str] | None
"""Those that a caller holds; None may read everything."""


def documents(
    connection: sqlite3.Connection,
    now: float,
    labels: Labels,
    *,
    as_of: float | None,
    include_superseded: bool,
) -> list[Document]:
    """The documents in force at `as_of` (None: now), in the order they were added."""
    at = now if as_of is None else as_of
    return [
        document
        for document in store.read_documents(connection)
        if (labels is None or document.labels <= labels)
        and (include_superseded or document_in_force(document, at, now))
    ]


def text(connection: sqlite3.Connection, document_id: int, now: float, labels: Labels) -> str:
    """The whole extracted text of a document.

    Raises:
        InputError: there is none, it has expired for good, or the caller may not read it.
    """
    document = store.read_document(connection, document_id)
    readable = document and (labels is None or document.labels <= labels)
    if document is None or not readable or gone(document, now):
        raise InputError(f"there is no document {document_id}", hint="List the documents.")
    return store.read_text(connection, document_id)


def chunks(
    connection: sqlite3.Connection, ids: Iterable[int], now: float, labels: Labels
) -> list[Chunk]:
    """Those of the chunks `ids` that are still there, in no order."""
    found = store.read_chunks(connection, list(ids)).values()
    readable = (one for one in found if labels is None or one.labels <= labels)
    return [chunk for chunk in readable if not gone(chunk, now)]


def matching_ids(connection: sqlite3.Connection, source_or_id: str | int) -> list[int]:
    """The ids of one version, or of every version of a source or of all files in a folder."""
    if isinstance(source_or_id, int):
        document = store.read_document(connection, source_or_id)
        return [document.id] if document else []
    if not source_or_id:
        return []
    path = files.source_name(files.absolute(Path(source_or_id)))
    return store.ids_of_source(connection, plain(source_or_id), path)


def matching(connection: sqlite3.Connection, source_or_id: str | int) -> list[Document]:
    """The documents of `matching_ids`, in the order they were added."""
    ids = matching_ids(connection, source_or_id)
    found = (store.read_document(connection, id_) for id_ in ids)
    return [document for document in found if document]


def stats(
    connection: sqlite3.Connection,
    collection: Collection,
    now: float,
    encoder: TextEncoder,
    file_bytes: int,
) -> Stats:
    """What the index holds, at the time `now`."""
    table = collection.documents
    (words,) = connection.execute("SELECT count(*) FROM words").fetchone()
    return Stats(
        documents=int(table.alive.sum()),
        superseded=int((table.alive & (table.superseded <= now)).sum()),
        expired=int((table.alive & (table.expires <= now)).sum()),
        chunks=int(table.alive[collection.document_rows].sum()),
        words=words,
        encoder_id=encoder.id,
        dimensions=encoder.dimensions,
        file_bytes=file_bytes,
        memory_bytes=collection.memory_bytes,
    )
