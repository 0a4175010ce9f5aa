"""What of an index may be given to others: documents of everybody, with their vectors.

Left out is what has access labels, what has expired or was superseded, and fluid records.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skerry.edge.index import store
from skerry.edge.index.types import Chunk, Document, Kind
from skerry.edge.index.vectors import row_type


@dataclass(frozen=True, slots=True)
class Shared:
    """The chunks of a document in their order, and their codes, int8 [len(chunks), dimensions].

    A vector is its codes by a scale, which is left out: a cosine needs none.
    """

    document: Document
    chunks: tuple[Chunk, ...]
    codes: NDArray[np.int8]


def kept_back(document: Document, now: float) -> str:
    """Why a document is not for others, in a word or two; empty where it is."""
    ends = [end for end in (document.expires_at, document.superseded_at) if end is not None]
    if document.kind is Kind.FLUID:
        return "fluid record"
    if document.labels:
        return "access label"
    if any(end <= now for end in ends):
        return "not in force any more"
    return "" if document.chunks else "without text"


def shared(connection: sqlite3.Connection, document: Document, dimensions: int) -> Shared:
    """A document that is there.

    Raises:
        IndexCorrupt: a chunk is not what was written.
    """
    sql = "SELECT c.id, v.vector FROM chunks c JOIN vectors v ON v.chunk_id = c.id"
    rows = connection.execute(
        f"{sql} WHERE c.document_id = ? ORDER BY c.start, c.id", (document.id,)
    )
    ids, vectors = zip(*rows, strict=True)
    chunks = store.read_chunks(connection, ids)
    codes = np.frombuffer(b"".join(vectors), row_type(dimensions))["codes"]
    return Shared(document, tuple(chunks[id_] for id_ in ids), np.ascontiguousarray(codes))
