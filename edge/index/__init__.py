"""What the device knows: documents and records in one file, governed and searched.

Parsing is in `parse`, cutting in `chunking`; `Index` is the door to the rest.
"""

from __future__ import annotations

from skerry.edge.index.index import Index
from skerry.edge.index.reembedding import reembed
from skerry.edge.index.types import (
    BelowFloor,
    Chunk,
    Document,
    Event,
    Failure,
    Hit,
    IndexSettings,
    IngestReport,
    IngestWarning,
    Kind,
    Metadata,
    Progress,
    Query,
    Reranker,
    SourceFreshness,
    Stats,
    Superseded,
    VerifyReport,
)

__all__ = [
    "BelowFloor",
    "Chunk",
    "Document",
    "Event",
    "Failure",
    "Hit",
    "Index",
    "IndexSettings",
    "IngestReport",
    "IngestWarning",
    "Kind",
    "Metadata",
    "Progress",
    "Query",
    "Reranker",
    "SourceFreshness",
    "Stats",
    "Superseded",
    "VerifyReport",
    "reembed",
]
