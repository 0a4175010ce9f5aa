"""What was found in chunks when they were written: kept with them, and believed only if it is ours.

A record belongs to one text, title and headings, one screen (`screen_id`) and one device, whose key
seals it. Whatever does not fit is no record, and the chunk is screened when it is used: an index
that was changed, or comes from elsewhere, says nothing of what is in it.
"""

from __future__ import annotations

import hmac
import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skerry.edge.index.types import IngestWarning
from skerry.edge.private import why_no_secret
from skerry.edge.screen_id import screen_id
from skerry.edge.screening import Screened, encoding
from skerry.edge.sources import findings_in, name_of
from skerry.guardrails.errors import GuardrailError
from skerry.guardrails.findings import Finding, FindingKind, Where
from skerry.guardrails.networks import INSTALLED, Networks

if TYPE_CHECKING:
    from skerry.edge.encoder.base import TextEncoder
    from skerry.edge.index.types import Chunk

_SEAL_BYTES = 16
_FEW = 64  # texts whose findings are remembered: titles are those of many chunks

_EXISTS = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'screened'"
_SELECT = "SELECT chunk_id, screen, findings, seal FROM screened"

Row = tuple[bytes, str, bytes]
"""The columns `screen`, `findings` and `seal`."""


@dataclass(frozen=True, slots=True)
class Passage:
    """What is screened of a chunk: its text, and what it is called."""

    text: str
    name: str

    @classmethod
    def of(cls, chunk: Chunk) -> Passage:
        return cls(chunk.text, name_of(chunk.title, chunk.heading))


def keyless(path: Path) -> IngestWarning:
    """Nothing is lost but time: what is not kept is looked for whenever a passage is used."""
    what = f"the screening key cannot be used: {why_no_secret(path)}"
    hint = (
        "What is found in documents is not kept, and they are screened whenever they are used. "
        "Delete the file, and the next `skerry index add` makes one; or see to its permissions "
        "(chmod 600), or name another (screening_key_file)."
    )
    return IngestWarning(str(path), what, hint)


@dataclass(frozen=True, slots=True)
class Screener:
    """Makes records of what one screen finds, and knows them again. Thread-safe.

    `id` is that of the screen and the key, 16 bytes: records of another are stale.
    """

    id: bytes
    _key: bytes = field(repr=False)
    _encoder: TextEncoder = field(repr=False)
    _networks: Networks = field(default=INSTALLED, repr=False)
    _looked: Screened = field(default_factory=lambda: Screened(_FEW), repr=False)

    @classmethod
    def of(
        cls, encoder: TextEncoder, key: bytes | None, networks: Networks = INSTALLED
    ) -> Screener | None:
        """None without a key, and where nobody knows which screen this is."""
        screen = screen_id(encoder.id, networks)
        if key is None or screen is None:
            return None
        id_ = blake2b(screen, key=key, digest_size=16, person=b"skerry screener").digest()
        return cls(id_, key, encoder, networks)

    def records(self, passages: Sequence[Passage]) -> list[Row]:
        """A record of each passage.

        None at all where they cannot be screened: whoever uses them hears why.
        """
        encode = encoding(self._encoder)
        look = partial(self._looked.findings, networks=self._networks)
        try:
            found = [findings_in(one.text, one.name, encode, look) for one in passages]
        except GuardrailError:
            return []
        return [self._record(*pair) for pair in zip(passages, found, strict=True)]

    def findings(self, passage: Passage, row: Row) -> tuple[Finding, ...] | None:
        """What a record says of a passage; None if it is none of this screen, or of another text.

        The findings have no place; those in the text are before those in the name.
        """
        id_, written, seal = row
        whole = isinstance(written, str) and isinstance(seal, bytes)
        if id_ != self.id or not whole:
            return None
        if not hmac.compare_digest(seal, self._seal(passage, written)):
            return None
        return tuple(_finding(values) for values in json.loads(written))

    def _record(self, passage: Passage, found: Iterable[Finding]) -> Row:
        written = json.dumps([_values(one) for one in found], separators=(",", ":"))
        return self.id, written, self._seal(passage, written)

    def _seal(self, passage: Passage, written: str) -> bytes:
        seal = blake2b(key=self._key, digest_size=_SEAL_BYTES, person=b"skerry screened")
        for part in (passage.text, passage.name, written):
            content = part.encode("utf-8", "surrogatepass")
            seal.update(len(content).to_bytes(8) + content)
        seal.update(self.id)
        return seal.digest()


def write(connection: sqlite3.Connection, chunk_ids: Iterable[int], rows: Iterable[Row]) -> None:
    """Keeps the records of chunks that are there; those of others are dropped."""
    connection.executemany(
        "INSERT OR REPLACE INTO screened SELECT id, ?, ?, ? FROM chunks WHERE id = ?",
        ((*row, id_) for id_, row in zip(chunk_ids, rows, strict=True)),
    )


def read(connection: sqlite3.Connection, ids: Sequence[int]) -> dict[int, Row]:
    """The records of these chunks, as they are, by id; none of a file from before there were."""
    if not connection.execute(_EXISTS).fetchone():
        return {}
    sql = f"{_SELECT} WHERE chunk_id IN (SELECT value FROM json_each(?))"
    rows = connection.execute(sql, (json.dumps(list(ids)),))
    return {id_: (screen, findings, seal) for id_, screen, findings, seal in rows}


def _values(finding: Finding) -> list[object]:
    return [
        finding.kind,
        finding.label,
        finding.start,
        finding.end,
        finding.score,
        finding.where,
        finding.rule,
    ]


def _finding(values: Sequence[Any]) -> Finding:
    kind, label, start, end, score, where, rule = values
    return Finding(FindingKind(kind), label, start, end, score, Where(where), rule)
