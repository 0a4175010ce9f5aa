"""Which chunks have which words: an inverted index in SQLite tables, read with numpy.

The words of a new chunk lie in `unsealed`, in the transaction that adds the chunk. Some thousands
of such chunks are sealed together: turned into one row per word in `postings`. FTS5 keeps
such lists too, but scores them row by row: see docs/decisions/0004-search-in-one-file.md.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby, pairwise
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

SEAL_AT = 2048  # unsealed chunks; they are scanned by each query, sealed ones are not
SEAL_AFTER_ADD = 256  # and so few when an `add` is done: too small parts make many rows
_SPAN = 1 << 16  # chunk ids in one sealed row: offsets are 16 bits
_MOST = 255  # a word counts at most so often in one chunk

ENTRY = np.dtype([("word_id", "<u4"), ("count", "u1")])
"""A word of an unsealed chunk."""


@dataclass(frozen=True, slots=True)
class Postings:
    """The chunks that have a word, ascending, and how often each has it: int64 [n], uint8 [n]."""

    chunk_ids: NDArray[np.int64]
    counts: NDArray[np.uint8]


def find_words(connection: sqlite3.Connection, words: Collection[str]) -> dict[str, int]:
    """The ids of those of `words` that some chunk has."""
    sql = "SELECT word, id FROM words WHERE word IN (SELECT value FROM json_each(?))"
    return dict(connection.execute(sql, (json.dumps(list(words)),)).fetchall())


def put_words(
    connection: sqlite3.Connection, chunks: Iterable[tuple[int, Mapping[str, int]]]
) -> None:
    """Writes the word counts of new chunks, each with its id."""
    chunks = list(chunks)
    every = sorted({word for _, counts in chunks for word in counts})
    connection.executemany(
        "INSERT INTO words (word) VALUES (?) ON CONFLICT DO NOTHING", zip(every, strict=True)
    )
    ids = find_words(connection, every)
    connection.executemany(
        "INSERT INTO unsealed (chunk_id, words) VALUES (?, ?)",
        ((chunk_id, _entries(counts, ids)) for chunk_id, counts in chunks),
    )


def word_total(counts: Mapping[str, int]) -> int:
    """The length of a chunk in words, as BM25 takes it."""
    return sum(min(count, _MOST) for count in counts.values())


def _entries(counts: Mapping[str, int], ids: Mapping[str, int]) -> bytes:
    rows = sorted((ids[word], min(count, _MOST)) for word, count in counts.items())
    return np.array(rows, ENTRY).tobytes()


def frequencies(connection: sqlite3.Connection, word_ids: Collection[int]) -> dict[int, int]:
    """How many sealed chunks have each word; words without any are left out."""
    sql = """
        SELECT word_id, sum(length(counts)) FROM postings
        WHERE word_id IN (SELECT value FROM json_each(?)) GROUP BY word_id
    """
    return dict(connection.execute(sql, (json.dumps(list(word_ids)),)).fetchall())


def read(connection: sqlite3.Connection, word_ids: Collection[int]) -> dict[int, Postings]:
    """The sealed chunks that have each word; words without any are left out."""
    rows = connection.execute(
        """
        SELECT word_id, first_chunk_id, offsets, counts FROM postings
        WHERE word_id IN (SELECT value FROM json_each(?)) ORDER BY word_id, first_chunk_id
        """,
        (json.dumps(list(word_ids)),),
    ).fetchall()
    return {
        word_id: _joined([row[1:] for row in part])
        for word_id, part in groupby(rows, key=itemgetter(0))
    }


def _joined(rows: list[tuple[int, bytes, bytes]]) -> Postings:
    firsts, offsets, counts = zip(*rows, strict=True)
    repeated = np.repeat(np.array(firsts, np.int64), [len(part) for part in counts])
    chunk_ids = repeated + np.frombuffer(b"".join(offsets), "<u2")
    return Postings(chunk_ids, np.frombuffer(b"".join(counts), np.uint8))


def seal(connection: sqlite3.Connection) -> None:
    """Turns the unsealed chunks into postings, within the caller's transaction."""
    rows = connection.execute("SELECT chunk_id, words FROM unsealed ORDER BY chunk_id").fetchall()
    for _, part in groupby(rows, key=lambda row: (row[0] - rows[0][0]) // _SPAN):
        connection.executemany("INSERT INTO postings VALUES (?, ?, ?, ?)", _inverted(list(part)))
    connection.execute("DELETE FROM unsealed")


def _inverted(rows: list[tuple[int, bytes]]) -> Iterator[tuple[int, int, bytes, bytes]]:
    """Rows of `postings` for chunks whose ids span less than `_SPAN`."""
    entries = np.frombuffer(b"".join(words for _, words in rows), ENTRY)
    first = rows[0][0]
    sizes = [len(words) // ENTRY.itemsize for _, words in rows]
    offsets = np.repeat([chunk_id - first for chunk_id, _ in rows], sizes).astype("<u2")
    return _by_word(first, entries["word_id"], offsets, entries["count"])


def _by_word(
    first: int, word_ids: NDArray[np.uint32], offsets: NDArray[np.uint16], counts: NDArray[np.uint8]
) -> Iterator[tuple[int, int, bytes, bytes]]:
    order = np.argsort(word_ids, kind="stable")
    word_ids, offsets, counts = word_ids[order], offsets[order], counts[order]
    edges = np.flatnonzero(np.diff(word_ids.astype(np.int64), prepend=-1, append=-1))
    for start, end in pairwise(edges):
        yield (
            int(word_ids[start]),
            first,
            offsets[start:end].tobytes(),
            counts[start:end].tobytes(),
        )


def compact(connection: sqlite3.Connection) -> None:
    """Drops removed chunks from the postings, within the caller's transaction."""
    alive = np.fromiter(map(itemgetter(0), connection.execute("SELECT id FROM chunks")), np.int64)
    for row in connection.execute("SELECT * FROM postings").fetchall():
        word_id, first, offsets, counts = row
        chunk_offsets = np.frombuffer(offsets, "<u2")
        keep = np.isin(chunk_offsets.astype(np.int64) + first, alive)
        if keep.all():
            continue
        kept = (chunk_offsets[keep].tobytes(), np.frombuffer(counts, np.uint8)[keep].tobytes())
        _rewrite(connection, (word_id, first), kept)


def _rewrite(
    connection: sqlite3.Connection, key: tuple[int, int], kept: tuple[bytes, bytes]
) -> None:
    where = "WHERE word_id = ? AND first_chunk_id = ?"
    if kept[1]:
        connection.execute(f"UPDATE postings SET offsets = ?, counts = ? {where}", (*kept, *key))
    else:
        connection.execute(f"DELETE FROM postings {where}", key)
