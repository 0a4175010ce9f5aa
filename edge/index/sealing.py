"""The digest of each chunk, by which a chunk that was changed in the file by other means is noticed
when it is read.

It tells of accidents and of hands that do not know of it. Whoever writes the file on purpose can
write the digest, too: `screened` has what is sealed with the device's key.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

from skerry.edge.errors import IndexCorrupt

_BYTES = 16

_HAS_DIGESTS = "SELECT 1 FROM pragma_table_info('chunks') WHERE name = 'digest'"
Said = Sequence[Any]
"""Of a chunk: its text, headings as JSON, start and end; of its document: title and source."""


def has_digests(connection: sqlite3.Connection) -> bool:
    """False for a file of an earlier version that is only read."""
    return connection.execute(_HAS_DIGESTS).fetchone() is not None


def chunk_digest(said: Said) -> bytes:
    """16 bytes that are equal for equal chunks of documents with the same title and source."""
    whole = blake2b(digest_size=_BYTES, person=b"skerry chunk")
    for part in said:
        content = str(part).encode("utf-8", "surrogatepass")
        whole.update(len(content).to_bytes(8) + content)
    return whole.digest()


def check(chunk_id: int, document_id: int, said: Said, digest: bytes | None) -> None:
    """Raises IndexCorrupt for a chunk that is not what was written. None is unknown: no digest."""
    if digest is not None and digest != chunk_digest(said):
        raise IndexCorrupt(
            f"chunk {chunk_id} of document {document_id} was changed in the file by other means",
            hint=f"Restore a copy, or `skerry index rm {document_id}` and add the document again.",
        )
