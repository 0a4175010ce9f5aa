"""Where collections are kept: the Protocol, and what SQLite and PostgreSQL do alike.

A part is there whole or not at all; a collection has all parts of one version, or all of another.
Parts that no collection has are kept for a day, so that an interrupted publisher goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from skerry.cloud.collections.wire import Governed, Info, Part, Passage, Publish, version_of
from skerry.cloud.errors import RequestError

STAGED_S = 86_400.0
_AT_ONCE = 400  # values of one statement
_FREE = "NOT EXISTS (SELECT 1 FROM collection_members WHERE part = digest)"

MIGRATIONS: dict[str, str] = {
    "0005-collection-parts": "CREATE TABLE collection_parts (digest TEXT PRIMARY KEY,"
    " encoder TEXT NOT NULL, dimensions BIGINT NOT NULL, source TEXT NOT NULL,"
    " document BYTEA NOT NULL, passages BIGINT NOT NULL, vectors BYTEA NOT NULL,"
    " staged_at DOUBLE PRECISION NOT NULL)",
    "0006-collection-passages": "CREATE TABLE collection_passages (part TEXT NOT NULL REFERENCES"
    " collection_parts (digest) ON DELETE CASCADE, place BIGINT NOT NULL, passage BYTEA NOT NULL,"
    " PRIMARY KEY (part, place))",
    "0007-collections": "CREATE TABLE collections (name TEXT PRIMARY KEY, encoder TEXT NOT NULL,"
    " dimensions BIGINT NOT NULL, documents BIGINT NOT NULL, passages BIGINT NOT NULL,"
    " digest TEXT NOT NULL, published_at DOUBLE PRECISION NOT NULL)",
    "0008-collection-members": "CREATE TABLE collection_members (collection TEXT NOT NULL,"
    " part TEXT NOT NULL REFERENCES collection_parts (digest), PRIMARY KEY (collection, part))",
    "0009-members-by-part": "CREATE INDEX collection_members_by_part ON collection_members (part)",
}

Do = Callable[..., list[tuple[Any, ...]]]


class UnknownParts(RequestError):
    """A collection was to have parts that were never sent, or of another encoder."""

    code = "unknown_parts"


class TooManyPassages(RequestError):
    """A collection would have more passages than it may."""

    code = "too_many_passages"


@dataclass(frozen=True, slots=True)
class Held:
    """A part as it is searched: int8 codes [passages, dimensions] as bytes, and its document."""

    digest: str
    document: Governed
    vectors: bytes


class CollectionStore(Protocol):
    """Blocks; called from a thread. Every method raises StateError."""

    def published(self) -> list[Info]:
        """Every collection, by name."""
        ...

    def missing(self, parts: Sequence[str], now: float) -> list[str]:
        """Those of `parts` that are not there, in their order; the others stay for a day more."""
        ...

    def add(self, digest: str, part: Part, now: float) -> None:
        """Keeps a part, all of it or nothing; twice is as once."""
        ...

    def publish(self, name: str, wanted: Publish, now: float, most: int) -> Info:
        """Gives a collection all these parts and no other, at once.

        Raises:
            UnknownParts: one is not there, or of another encoder.
            TooManyPassages: they are more than `most`.
        """
        ...

    def remove(self, name: str) -> bool:
        """Deletes a collection with all that no other one has; whether there was one."""
        ...

    def held(self, info: Info) -> Iterator[Held]:
        """Every part of a collection, with its vectors, of that encoder."""
        ...

    def passages(self, places: Sequence[tuple[str, int]]) -> dict[tuple[str, int], Passage]:
        """Passages by their part and place in it; those that are gone are left out."""
        ...


class SqlCollections:
    """See `CollectionStore`. `do` runs statements in one transaction: the rows of the last."""

    def __init__(self, do: Do) -> None:
        self._do = do

    def published(self) -> list[Info]:
        columns = "name, encoder, dimensions, documents, passages, digest, published_at"
        rows = self._do((f"SELECT {columns} FROM collections ORDER BY name", ()))
        return [Info(*row) for row in rows]

    def missing(self, parts: Sequence[str], now: float) -> list[str]:
        there = set[str]()
        for some in _batches(list(dict.fromkeys(parts))):
            sql = f"UPDATE collection_parts SET staged_at = ? WHERE digest IN ({_marks(some)})"
            rows = self._do((f"{sql} RETURNING digest", (now, *some)))
            there.update(digest for (digest,) in rows)
        return [one for one in dict.fromkeys(parts) if one not in there]

    def add(self, digest: str, part: Part, now: float) -> None:
        if not self.missing([digest], now):
            return
        row = (
            digest, part.encoder, part.dimensions, part.document.source,
            msgspec.msgpack.encode(part.document), len(part.passages), part.vectors, now,
        )  # fmt: skip
        insert = "INSERT INTO collection_passages VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
        self._do(
            (
                f"INSERT INTO collection_parts VALUES ({_marks(row)}) ON CONFLICT DO NOTHING",
                row,
            ),
            *(
                (insert, (digest, place, msgspec.msgpack.encode(one)))
                for place, one in enumerate(part.passages)
            ),
        )

    def publish(self, name: str, wanted: Publish, now: float, most: int) -> Info:
        parts = sorted(set(wanted.parts))
        documents, passages = self._counted(parts, wanted)
        if passages > most:
            what = f"these are {passages:,} passages; '{name}' may have {most:,}"
            hint = "raise most_passages in the gateway's file, or publish less"
            raise TooManyPassages(what, hint=hint)
        version = version_of(wanted.encoder, parts)
        info = Info(name, wanted.encoder, wanted.dimensions, documents, passages, version, now)
        row = msgspec.structs.astuple(info)
        self._do(
            ("DELETE FROM collection_members WHERE collection = ?", (name,)),
            *_joined(name, parts),
            ("DELETE FROM collections WHERE name = ?", (name,)),
            (f"INSERT INTO collections VALUES ({_marks(row)})", row),
            _unused(now - STAGED_S),
        )
        return info

    def remove(self, name: str) -> bool:
        members = "SELECT part FROM collection_members WHERE collection = ?"
        parts = [part for (part,) in self._do((members, (name,)))]
        rows = self._do(
            ("DELETE FROM collection_members WHERE collection = ?", (name,)),
            *(
                (f"DELETE FROM collection_parts WHERE digest IN ({_marks(some)}) AND {_FREE}", some)
                for some in _batches(parts)
            ),
            ("DELETE FROM collections WHERE name = ? RETURNING name", (name,)),
        )
        return bool(rows)

    def held(self, info: Info) -> Iterator[Held]:
        rows = self._do(("SELECT part FROM collection_members WHERE collection = ?", (info.name,)))
        for some in _batches(sorted(part for (part,) in rows)):
            sql = "SELECT digest, document, vectors FROM collection_parts WHERE encoder = ?"
            sql += f" AND dimensions = ? AND digest IN ({_marks(some)}) ORDER BY digest"
            for digest, document, vectors in self._do(
                (sql, (info.encoder, info.dimensions, *some))
            ):
                yield Held(digest, msgspec.msgpack.decode(document, type=Governed), bytes(vectors))

    def passages(self, places: Sequence[tuple[str, int]]) -> dict[tuple[str, int], Passage]:
        if not places:
            return {}
        either = " OR ".join(["(part = ? AND place = ?)"] * len(places))
        sql = f"SELECT part, place, passage FROM collection_passages WHERE {either}"
        rows = self._do((sql, tuple(value for place in places for value in place)))
        return {
            (part, place): msgspec.msgpack.decode(passage, type=Passage)
            for part, place, passage in rows
        }

    def _counted(self, parts: Sequence[str], wanted: Publish) -> tuple[int, int]:
        """Documents and passages of all these parts.

        Raises:
            UnknownParts: one is not there, or of another encoder.
        """
        sources, passages, there = set[str](), 0, 0
        for some in _batches(parts):
            sql = "SELECT source, passages FROM collection_parts WHERE encoder = ?"
            sql += f" AND dimensions = ? AND digest IN ({_marks(some)})"
            rows = self._do((sql, (wanted.encoder, wanted.dimensions, *some)))
            there += len(rows)
            sources.update(source for source, _ in rows)
            passages += sum(count for _, count in rows)
        if there != len(parts):
            what = f"{len(parts) - there} of {len(parts)} parts are not here, or of another encoder"
            raise UnknownParts(what, hint="publish it again: only what is missing is sent")
        return len(sources), passages


def _joined(name: str, parts: Sequence[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for some in _batches(parts, _AT_ONCE // 2):
        rows = ", ".join(["(?, ?)"] * len(some))
        values = tuple(value for part in some for value in (name, part))
        yield f"INSERT INTO collection_members VALUES {rows}", values


def _unused(before: float) -> tuple[str, tuple[float]]:
    return f"DELETE FROM collection_parts WHERE staged_at < ? AND {_FREE}", (before,)


def _batches(values: Sequence[str], size: int = _AT_ONCE) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), size):
        yield values[start : start + size]


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))
