"""What search holds in memory, and how it follows the file when this or another process writes.

A `Collection` is immutable and belongs to one generation of the file. The next one shares its
arrays: new chunks are written behind the end of what the older one sees.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from skerry.edge.errors import IndexCorrupt
from skerry.edge.index import bm25
from skerry.edge.index.document_table import DocumentTableBuilder
from skerry.edge.index.governance import DocumentTable
from skerry.edge.index.postings import ENTRY
from skerry.edge.index.schema import check_encoder, fact
from skerry.edge.index.vectors import VectorSet, row_type, sign_words

Rows = NDArray[np.intp]

_RESTORE = "See `skerry index verify`; restore a copy, or add the document again."


@dataclass(frozen=True, slots=True)
class Unsealed:
    """The words of chunks that are not in the postings yet, one entry per word and chunk."""

    rows: NDArray[np.int32]
    word_ids: NDArray[np.uint32]
    counts: NDArray[np.uint8]

    def at(self, places: NDArray[np.intp]) -> Unsealed:
        """These entries alone."""
        return Unsealed(self.rows[places], self.word_ids[places], self.counts[places])


@dataclass(frozen=True, slots=True)
class Collection:
    """The chunks of one generation, by row: ids ascending, document row, vector, length norm.

    `row_of_id[id - chunk_ids[0]]` is the row of a chunk, or -1.
    """

    generation: int
    documents: DocumentTable
    chunk_ids: NDArray[np.int64]
    document_rows: NDArray[np.int32]
    vectors: VectorSet
    norms: bm25.Floats
    row_of_id: NDArray[np.int32]
    unsealed: Unsealed

    def rows_of(self, chunk_ids: NDArray[np.int64]) -> NDArray[np.int32]:
        """The row of each chunk, -1 for one that this collection does not have."""
        if not len(self.chunk_ids):
            return np.full(len(chunk_ids), -1, np.int32)
        places = chunk_ids - self.chunk_ids[0]
        known = (places >= 0) & (places < len(self.row_of_id))
        rows: NDArray[np.int32] = np.where(known, self.row_of_id[np.where(known, places, 0)], -1)
        return rows

    @property
    def memory_bytes(self) -> int:
        """What the arrays of chunks take."""
        arrays: list[NDArray[Any]] = [self.chunk_ids, self.document_rows, self.norms]
        arrays += [self.row_of_id, self.vectors.codes, self.vectors.scales, *self.vectors.signs]
        arrays += [self.unsealed.rows, self.unsealed.word_ids, self.unsealed.counts]
        return sum(array.nbytes for array in arrays)


_NO_WORDS = Unsealed(np.empty(0, np.int32), np.empty(0, np.uint32), np.empty(0, np.uint8))


class Column:
    """An array that grows at its end. What was taken before stays as it was."""

    def __init__(self, dtype: DTypeLike, *shape: int) -> None:
        self._buffer: NDArray[Any] = np.empty((0, *shape), dtype)
        self._length = 0

    def extend(self, rows: NDArray[Any]) -> None:
        needed = self._length + len(rows)
        if needed > len(self._buffer):
            grown = np.empty((max(needed, needed * 9 // 8), *rows.shape[1:]), self._buffer.dtype)
            grown[: self._length] = self.taken()
            self._buffer = grown
        self._buffer[self._length : needed] = rows
        self._length = needed

    def taken(self) -> NDArray[Any]:
        return self._buffer[: self._length]


class _Columns:
    """The growing columns behind the collections of one epoch."""

    def __init__(self, dimensions: int, half_life_seconds: float) -> None:
        self.chunk_ids = Column(np.int64)
        self.document_rows = Column(np.int32)
        self.word_counts = Column(np.int32)
        self.codes = Column(np.int8, dimensions)
        self.scales = Column(np.float32)
        self.signs = [Column(np.uint64) for _ in range(-(-dimensions // 64))]
        self.row_of_id = Column(np.int32)
        self.documents = DocumentTableBuilder(half_life_seconds)

    def last_id(self) -> int:
        ids = self.chunk_ids.taken()
        return int(ids[-1]) if len(ids) else 0

    def vector_set(self) -> VectorSet:
        signs = [column.taken() for column in self.signs]
        return VectorSet(self.codes.taken(), self.scales.taken(), signs)


class CollectionCache:
    """The newest collection of one file. Thread-safe.

    Args:
        encoder_id, dimensions: of the encoder whose vectors will be searched for.
        half_life_seconds: of fluid sources that have none of their own.
    """

    def __init__(self, encoder_id: str, dimensions: int, half_life_seconds: float) -> None:
        self._encoder_id = encoder_id
        self._dimensions = dimensions
        self._half_life_seconds = half_life_seconds
        self._lock = threading.Lock()
        self._columns = _Columns(dimensions, half_life_seconds)
        self._epoch = -1
        self._collection: Collection | None = None

    def current(self, connection: sqlite3.Connection) -> Collection:
        """The collection of the generation that `connection` sees in its transaction.

        The transaction is begun anew if another thread has already seen a later generation. Where
        the file itself has gone back, to a copy that was restored over it, all is read anew.

        Raises:
            EmbedderMismatch: the file has been re-embedded with another encoder.
        """
        latest = -1
        while True:
            generation = fact(connection, "generation")
            collection = self._collection
            if collection is None or collection.generation < generation:
                collection = self._refresh(connection, generation)
            if collection.generation == generation:
                return collection
            if collection.generation == latest:  # seen before this transaction began
                self._forget(collection)
            latest = collection.generation
            connection.execute("COMMIT")
            connection.execute("BEGIN")

    def _forget(self, collection: Collection) -> None:
        with self._lock:
            if self._collection is collection:
                self._collection, self._epoch = None, -1

    def _refresh(self, connection: sqlite3.Connection, generation: int) -> Collection:
        with self._lock:
            known = self._collection
            if known is None or known.generation < generation:
                check_encoder(connection, self._encoder_id)
                try:
                    known = self._collection = self._load(connection, generation)
                except BaseException:
                    self._epoch = -1  # half-read columns are of no use: the next one reads anew
                    raise
            return known

    def _load(self, connection: sqlite3.Connection, generation: int) -> Collection:
        epoch = fact(connection, "epoch")
        if epoch != self._epoch:
            self._columns = _Columns(self._dimensions, self._half_life_seconds)
            self._epoch, self._collection = epoch, None
        seen = -1 if self._collection is None else self._collection.generation
        columns = self._columns
        columns.documents.update(connection, seen)
        _load_chunks(connection, columns, self._dimensions)
        return _collection(connection, columns, generation)


def _load_chunks(connection: sqlite3.Connection, columns: _Columns, dimensions: int) -> None:
    """Appends the chunks that the columns do not have yet."""
    sql = """
        SELECT c.id, c.document_id, c.word_count, v.vector
        FROM chunks c JOIN vectors v ON v.chunk_id = c.id WHERE c.id > ? ORDER BY c.id
    """
    cursor = connection.execute(sql, (columns.last_id(),))
    while rows := cursor.fetchmany(8192):
        ids, document_ids, word_counts, blobs = zip(*rows, strict=True)
        _check_sizes(ids, blobs, row_type(dimensions).itemsize)
        _check_ids(connection, ids[-1])
        _append_ids(columns, np.array(ids, np.int64))
        columns.document_rows.extend(columns.documents.rows_of(np.array(document_ids, np.int64)))
        columns.word_counts.extend(np.array(word_counts, np.int32))
        _append_vectors(columns, np.frombuffer(b"".join(blobs), row_type(dimensions)))


def _check_sizes(ids: Sequence[int], blobs: Sequence[bytes], size: int) -> None:
    for id_, blob in zip(ids, blobs, strict=True):
        if len(blob) != size:
            raise IndexCorrupt(f"the vector of chunk {id_} is damaged", hint=_RESTORE)


def _check_ids(connection: sqlite3.Connection, last: int) -> None:
    """A damaged id of a chunk must not make the columns grow up to it."""
    sql = "SELECT seq FROM sqlite_sequence WHERE name = 'chunks'"
    (given,) = connection.execute(sql).fetchone() or (0,)
    if last > given:
        raise IndexCorrupt(f"the id of chunk {last} is damaged", hint=_RESTORE)


def _append_vectors(columns: _Columns, vectors: NDArray[np.void]) -> None:
    if not (np.abs(vectors["scale"]) <= 1).all():  # of a unit vector; false for NaN as well
        raise IndexCorrupt("a vector is damaged", hint=_RESTORE)
    columns.codes.extend(vectors["codes"])
    columns.scales.extend(vectors["scale"])
    for column, words in zip(columns.signs, sign_words(vectors["codes"]), strict=True):
        column.extend(words)


def _append_ids(columns: _Columns, ids: NDArray[np.int64]) -> None:
    known = columns.chunk_ids.taken()
    first = known[0] if len(known) else ids[0]
    places = np.full(ids[-1] + 1 - first - len(columns.row_of_id.taken()), -1, np.int32)
    places[ids - first - len(columns.row_of_id.taken())] = np.arange(len(ids)) + len(known)
    columns.row_of_id.extend(places)
    columns.chunk_ids.extend(ids)


def _collection(connection: sqlite3.Connection, columns: _Columns, generation: int) -> Collection:
    without_words = Collection(
        generation=generation,
        documents=columns.documents.table(),
        chunk_ids=columns.chunk_ids.taken(),
        document_rows=columns.document_rows.taken(),
        vectors=columns.vector_set(),
        norms=bm25.length_norms(columns.word_counts.taken()),
        row_of_id=columns.row_of_id.taken(),
        unsealed=_NO_WORDS,
    )
    return replace(without_words, unsealed=_load_unsealed(connection, without_words))


def _load_unsealed(connection: sqlite3.Connection, collection: Collection) -> Unsealed:
    """The words of the chunks that are not in the postings yet: some thousands of chunks."""
    rows = connection.execute("SELECT chunk_id, words FROM unsealed ORDER BY chunk_id").fetchall()
    if not rows:
        return _NO_WORDS
    entries = np.frombuffer(b"".join(words for _, words in rows), ENTRY)
    sizes = [len(words) // ENTRY.itemsize for _, words in rows]
    chunk_rows = collection.rows_of(np.array([chunk_id for chunk_id, _ in rows], np.int64))
    every = Unsealed(np.repeat(chunk_rows, sizes), entries["word_id"], entries["count"])
    return every.at(np.flatnonzero(every.rows >= 0))  # a chunk without a vector is not searched
